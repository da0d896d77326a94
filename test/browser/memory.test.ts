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
  // the kernel lives on with twice the room, and the next one has it too
  await v.page.getByRole("button", { name: /^Raise limit to/ }).click();
  await banner.waitFor({ state: "detached" });
  await v.leave();
});

it("22. a death names cell, signal and size; the log can be read, more memory given, and one press leads back", async () => {
  const path = writeNotebook(
    stage,
    "j",
    "death",
    `// ---\n// mode: lazy\n// ---\n\n// %% id="a"\nconst kept = 20\nconsole.log(kept)\n\n// %% id="end"\nimport { existsSync, writeFileSync } from "node:fs"\nif (!existsSync("once")) {\n  writeFileSync("once", "")\n  process.abort()\n}\nkept + 1\n`,
  );
  const v = await Visitor.enter(stage, path);
  await v.cell("a").getByRole("button", { name: /^Run/ }).click();
  await v.ok(v.cell("a"));
  await v.page
    .getByText(/\d+ MB/)
    .first()
    .waitFor();
  await v.cell("end").getByRole("button", { name: /^Run/ }).click();
  const banner = v.page.locator('[data-banner^="dead"]');
  await banner.waitFor();
  expect((await banner.innerText()).replaceAll(/\s+/g, " ")).toMatch(
    /The kernel stopped in cell 2 end at \d\d:\d\d: aborted by native code \(SIGABRT\) at \d+ MB of 500 MB.* Outputs are kept, variables are gone\./,
  );
  await v.page.getByRole("button", { name: "Show log" }).click();
  const dialog = v.page.getByRole("dialog", { name: "Kernel log" });
  await dialog.getByText(/the kernel ended: aborted by native code/).waitFor();
  const [file] = await Promise.all([v.page.waitForEvent("download"), dialog.getByRole("link", { name: "Download" }).click()]);
  expect(file.suggestedFilename()).toBe("death-kernel.log");
  await dialog.getByRole("button", { name: "Close" }).click();
  await v.page.getByRole("button", { name: "Restart and run to cell 2" }).click();
  await v.ok(v.cell("end"));
  expect((await v.cell("end").locator("touch-output").innerText()).trim()).toBe("21");
  await v.leave();
});
