/** Journey 22, first half: a cell that takes too much memory is interrupted before the system kills the kernel, and its variables live. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { openStage, Visitor, writeNotebook, type Stage } from "../support/journey.js";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ memoryLimit: 500 * 2 ** 20 });
});
afterAll(() => stage?.close());

it("22. near the memory limit the cell is interrupted and variables stay", async () => {
  const path = writeNotebook(
    stage,
    "j",
    "memory",
    `// %% id="a"\nconst kept = 20\n\n// %% id="hog"\nconst hoard = []\nfor (;;) {\n  hoard.push(new Uint8Array(4 * 2 ** 20).fill(1))\n  await new Promise((next) => setTimeout(next, 10))\n}\n\n// %% id="b"\nkept + 1\n`,
  );
  const v = await Visitor.enter(stage, path);
  await v.cell("a").getByRole("button", { name: /^Run/ }).click();
  await v.ok(v.cell("a"));
  await v.cell("hog").getByRole("button", { name: /^Run/ }).click();
  await v.state(v.cell("hog"), { status: "idle", result: "interrupted" }, 60_000);
  const banner = v.page.locator('[data-banner="memory"]');
  await banner.waitFor();
  expect((await banner.innerText()).replaceAll(/\s+/g, " ")).toMatch(/Memory .* of .*: cell 2 hog was interrupted first so that variables live\./);
  await v.page.getByRole("img", { name: /memory of the last/ }).waitFor();
  await v.page.getByRole("button", { name: "Largest variables" }).click();
  await v.page.getByRole("tab", { name: /Variables/ }).waitFor();
  await v.cell("b").getByRole("button", { name: /^Run/ }).click();
  await v.ok(v.cell("b"));
  expect((await v.cell("b").locator("touch-output").innerText()).trim()).toBe("21");
  await v.leave();
});
