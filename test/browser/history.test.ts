/** History by gestures and by keys: points of what was written, what differs, one cell back, all back, undone; commits of git; another program's change. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openStage, Visitor, writeNotebook, type Stage } from "../support/journey.js";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

it("goes back to a saved point, one cell or all, as an edit that every page sees and that can be undone", async () => {
  const first = `// %% id="a"\nconst a = 1\n\n// %% id="b"\nconst b = 2\n`;
  const path = writeNotebook(stage, "hi", "hi", first);
  const folder = join(stage.root, "workspaces", "hi");
  const file = () => readFileSync(join(folder, "hi.nb.ts"), "utf8");
  const git = (...args: string[]) => execFileSync("git", ["-c", "user.name=Ada", "-c", "user.email=a@b", ...args], { cwd: folder });
  git("init", "-q");
  git("add", "hi.nb.ts");
  git("commit", "-qm", "as it was at first");

  const v = await Visitor.enter(stage, path);
  const other = await Visitor.enter(stage, path);
  await other.cell("a").waitFor();
  await v.type(v.cell("a"), "const a = 10");
  await expect.poll(file, { timeout: 20_000 }).toContain("const a = 10\n");
  await v.page.keyboard.press("Escape");
  await v.page.keyboard.press("b");
  await v.page.keyboard.press("Enter");
  await v.page.keyboard.insertText("const c = 3");
  await expect.poll(file, { timeout: 20_000 }).toContain("const c = 3\n");

  await v.page.keyboard.press("Control+k");
  await v.page.keyboard.type("history");
  await v.page.keyboard.press("Enter");
  const panel = v.page.getByRole("tabpanel", { name: "History" });
  await panel.getByLabel("Name this point").fill("ten & three");
  await v.page.keyboard.press("Enter");
  await panel.getByRole("button", { name: /ten & three named · no cell differs/ }).waitFor();
  await panel.getByRole("button", { name: /opened 2 added/ }).waitFor();
  await panel.getByRole("button", { name: /edited 1 changed/ }).waitFor();
  await panel.getByRole("button", { name: /as it was at first commit · Ada · [0-9a-f]{8} · 2 added/ }).waitFor();

  // what differs since the notebook was opened: by keys alone
  await panel.getByRole("button", { name: /ten & three/ }).focus();
  await v.page.keyboard.press("End");
  for (let i = 0; i < 3 && !(await v.page.evaluate(() => document.activeElement!.textContent!.includes("opened"))); i++)
    await v.page.keyboard.press("ArrowUp");
  await v.page.keyboard.press("Enter");
  await v.page.getByRole("heading", { name: /^Since .*, opened/ }).waitFor();
  expect(await v.page.evaluate(() => document.activeElement?.id)).toBe("comparison-title");
  await v.page.getByText("2 cells differ.").waitFor();
  const changed = v.page.getByRole("article", { name: "cell 1 a, changed since" });
  expect(await changed.locator(".line-gone").innerText()).toContain("const a = 1");
  expect(await changed.locator(".line-new").innerText()).toContain("const a = 10");
  await v.page.getByRole("article", { name: /added since/ }).waitFor();
  await changed.getByRole("button", { name: "Restore this cell" }).click();
  await changed.waitFor({ state: "detached" });
  expect(await v.source("a")).toBe("const a = 1");
  await v.page.getByText("1 cell differs.").waitFor();
  await v.page.keyboard.press("Escape");
  await v.page.getByRole("button", { name: "Restore all as it was" }).waitFor({ state: "detached" });

  // all of it, from the commit; the other page sees it, and so does the file
  await panel.getByRole("button", { name: /as it was at first/ }).click();
  await v.page.getByRole("button", { name: "Restore all as it was" }).click();
  await expect.poll(() => other.cells().count(), { timeout: 20_000 }).toBe(2);
  await expect.poll(file, { timeout: 20_000 }).toBe(first);
  await v.page.getByRole("button", { name: "Undo", exact: true }).last().click();
  await expect.poll(() => other.cells().count(), { timeout: 20_000 }).toBe(3);
  await expect.poll(file, { timeout: 20_000 }).toContain("const c = 3\n");

  // what another program wrote is a point too, and what was before it
  writeFileSync(join(folder, "hi.nb.ts"), file().replace("const b = 2", "const b = 22"));
  await panel.getByRole("button", { name: /changed outside 1 changed/ }).waitFor();
  await panel.getByRole("button", { name: /ten & three/ }).click();
  await v.page.getByRole("article", { name: /b, changed since/ }).waitFor();
  await v.leave();
  await other.leave();
});
