/** The page's own additions: the grid's heads, filters and downloads (ui.md 9, 9); splitting and merging; a change from outside. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { notebook, openSession } from "../support/kill-session.js";
import { openStage, Visitor, writeNotebook, type Stage } from "../support/journey.js";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

it("9. a filter from the funnel makes a chip, fewer rows, and a file of that many lines", async () => {
  const path = writeNotebook(
    stage,
    "p",
    "grid",
    `// %% [sql] id="t"\nconst t = sql\`select id as delay, case when id % 4 = 0 then null else 'w' || id % 3 end as word from range(1000) r(id)\`\n`,
  );
  const v = await Visitor.enter(stage, path);
  const cell = v.cell("t");
  await cell.getByRole("button", { name: /^Run/ }).click();
  await v.ok(cell);
  await cell.getByRole("img", { name: /0 to 999 · median/ }).waitFor();
  await cell.getByRole("img", { name: /25 % NULL/ }).waitFor();
  await cell.getByRole("button", { name: "Filter delay" }).click();
  await cell.getByRole("slider", { name: "delay at least" }).fill("900");
  await cell.getByRole("button", { name: "Apply" }).click();
  await cell.getByRole("listitem").filter({ hasText: "delay >= 900" }).waitFor();
  await cell.getByText("100 rows").first().waitFor();
  const [file] = await Promise.all([v.page.waitForEvent("download"), cell.getByRole("button", { name: "Download CSV" }).click()]);
  expect(
    readFileSync(await file.path(), "utf8")
      .trim()
      .split("\n"),
  ).toHaveLength(101);
  await cell.getByRole("button", { name: "Filter word" }).click();
  await cell.getByRole("checkbox", { name: /^w1/ }).check();
  await cell.getByRole("button", { name: "Apply" }).click();
  await cell.getByRole("listitem").filter({ hasText: "word is w1" }).waitFor();
  await cell.getByText("25 rows").first().waitFor();
  await v.leave();
});

it("a file is uploaded by drop or by choice, and a cell reads it", async () => {
  const path = writeNotebook(stage, "p", "upload", `// %% id="a"\nconst one = 1\n`);
  const v = await Visitor.enter(stage, path);
  await v.cell("a").waitFor();
  const transfer = await v.page.evaluateHandle(() => {
    const data = new DataTransfer();
    data.items.add(new File(["city,people\nOslo,717710\nBergen,291940\n"], "cities.csv", { type: "text/csv" }));
    return data;
  });
  await v.page.locator(".notebook-body").dispatchEvent("drop", { dataTransfer: transfer });
  await v.page.getByText("Uploaded data/cities.csv").waitFor();
  await expect.poll(() => v.cells().count()).toBe(2);
  expect(readFileSync(join(stage.root, "workspaces/p/data/cities.csv"), "utf8")).toContain("Oslo");
  const cell = v.cells().nth(1);
  await cell.getByRole("button", { name: /^Run/ }).click();
  await cell.getByText("717710").waitFor();
  // what no cell can read is refused in words, and stays until it is put away
  const chooser = v.page.waitForEvent("filechooser");
  await v.page.keyboard.press("Control+k");
  await v.page.keyboard.type("upload");
  await v.page.keyboard.press("Enter");
  await (await chooser).setFiles({ name: "tool.exe", mimeType: "application/octet-stream", buffer: Buffer.from("x") });
  await v.page.getByRole("alert").filter({ hasText: "of no kind that a cell can read" }).waitFor();
  await v.page.getByRole("list", { name: "Uploads" }).getByRole("button", { name: "Close" }).click();
  expect(v.complaints.filter((text) => !text.includes("415"))).toEqual([]);
  v.complaints.length = 0;
  await v.leave();
});

it("a cell is split at the caret, merged again, and a change from outside is told", async () => {
  const path = writeNotebook(stage, "p", "split", `// %% id="a"\nconst one = 1\nconst two = 2\n\n// %% id="z"\none + two\n`);
  const v = await Visitor.enter(stage, path);
  await v.caret(v.cell("a"));
  await v.page.keyboard.press("Control+Home");
  await v.page.keyboard.press("ArrowDown");
  await v.page.keyboard.press("Control+Shift+-");
  await expect.poll(() => v.cells().count()).toBe(3);
  await expect.poll(() => v.source("a")).toBe("const one = 1");
  await v.page.keyboard.press("Escape");
  await v.page.keyboard.press("k");
  await v.page.keyboard.press("Shift+M");
  await expect.poll(() => v.cells().count()).toBe(2);
  await expect.poll(() => v.source("a")).toBe("const one = 1\nconst two = 2");
  const file = join(stage.root, "workspaces", "p", "split.nb.ts");
  await v.page.getByText(/^saved/).waitFor();
  await expect.poll(() => readFileSync(file, "utf8")).toMatch(/const one = 1\nconst two = 2/);
  writeFileSync(file, readFileSync(file, "utf8").replace("one + two", "one + two + 3"));
  await v.see(/changed outside at .* cell 2 changed/);
  await v.page.getByRole("button", { name: "Show", exact: true }).click();
  expect(await v.source("z")).toBe("one + two + 3");
  await v.leave();
});

it("cells changed here and in the file stand side by side, and each decision can be taken back", async () => {
  const cells = ["a", "b", "c"].map((id) => `// %% id="${id}"\nconst ${id} = 1\n`).join("\n");
  const path = writeNotebook(stage, "p", "pairs", cells);
  const file = join(stage.root, "workspaces", "p", "pairs.nb.ts");
  const v = await Visitor.enter(stage, path);
  for (const id of ["a", "b", "c"]) await v.cell(id).waitFor();
  // typed here and written there before the file was saved
  await v.page.evaluate(() => {
    const page = document.querySelector("touch-notebook") as unknown as { type(ops: object[]): boolean };
    page.type(["a", "b", "c"].map((id) => ({ op: "edit", id, at: 10, remove: 1, insert: "2" })));
  });
  writeFileSync(file, cells.replaceAll("= 1", "= 3"));
  await v.see(/cells 1, 3, 5 are kept twice, side by side/);
  for (const id of ["a", "b", "c"]) expect([await v.source(id), await v.source(`${id}-file`)]).toEqual([`const ${id} = 2`, `const ${id} = 3`]);
  await v.cell("a").getByText("the file's is cell 2").waitFor();
  await v.cell("a-file").getByText("it is off until you decide").waitFor();
  await v.cell("a").getByRole("button", { name: "Keep mine" }).click();
  await v.cell("a-file").waitFor({ state: "detached" });
  await v.cell("b-file").getByRole("button", { name: "Take theirs" }).click();
  await v.cell("b-file").waitFor({ state: "detached" });
  expect(await v.source("b")).toBe("const b = 3");
  await v.page.getByRole("button", { name: "Undo", exact: true }).last().click();
  await v.cell("b-file").waitFor();
  expect(await v.source("b")).toBe("const b = 2");
  await v.page.locator("[data-banner=pairs]").getByRole("button", { name: "Keep both" }).click();
  await v.page.locator("[data-banner=pairs]").waitFor({ state: "detached" });
  expect(await v.cells().evaluateAll((all) => all.map((cell) => (cell as HTMLElement).dataset["cell"]))).toEqual(["a", "b", "b-file", "c", "c-file"]);
  // written once it is quiet, with both and without the mark
  await expect.poll(() => readFileSync(file, "utf8"), { timeout: 20_000 }).toMatch(/^(?![^]*conflict=)[^]*const b = 2[^]*id="b-file"/);
  // one that only the file has changed is merged, and can be refused
  writeFileSync(file, readFileSync(file, "utf8").replace("const a = 2", "const a = 4"));
  await v.see(/changed outside at .* cell 1 changed/);
  await v.page.locator("[data-banner=outside]").getByRole("button", { name: "Keep mine" }).click();
  await expect.poll(() => v.source("a")).toBe("const a = 2");
  await expect.poll(() => readFileSync(file, "utf8"), { timeout: 20_000 }).toContain("const a = 2");
  await v.leave();
});

it("a file that was changed while the notebook was closed and edits waited: which cells were merged is told until it is closed", async () => {
  const file = join(stage.root, notebook);
  writeNotebook(stage, "demo", "a", ["a", "b"].map((id) => `// %% id="${id}"\nconst ${id} = 1\n`).join("\n"));
  // a server that could not write the file any more
  const session = openSession(stage.root, (step) => {
    if (step === "write file") throw new Error("ENOSPC: no space left on device");
  });
  await session.command({ do: "ops", ops: [{ op: "edit", id: "a", at: 10, remove: 1, insert: "2" }] });
  await session.close();
  writeFileSync(file, readFileSync(file, "utf8").replace("const b = 1", "const b = 3"));
  const v = await Visitor.enter(stage, "/w/demo/n/a.nb.ts");
  const banner = v.page.locator("[data-banner=reopened]");
  await banner.getByText(/edits of here were not in it yet\. Both were merged at \d\d:\d\d: cell 2 from the file, cell 1 as edited here\./).waitFor();
  expect([await v.source("a"), await v.source("b")]).toEqual(["const a = 2", "const b = 3"]);
  await banner.getByRole("button", { name: "History" }).click();
  await v.page
    .getByRole("tabpanel", { name: "History" })
    .getByRole("button", { name: /changed outside 1 changed/ })
    .waitFor();
  await banner.getByRole("button", { name: "Close" }).click();
  await banner.waitFor({ state: "detached" });
  await v.page.reload();
  await v.cell("a").waitFor();
  expect(await banner.count()).toBe(0);
  await v.leave();
});

it("an empty notebook says what / does, and does it; a window made narrow shows its cells, not two drawers", async () => {
  const v = await Visitor.enter(stage, writeNotebook(stage, "p", "empty", ""));
  const [cell] = [v.cells().first()];
  await cell.locator(".monaco-editor.focused").waitFor({ state: "attached" });
  await cell.getByText("TypeScript. Type / to insert a cell").waitFor();
  await v.page.keyboard.press("/");
  await v.page.getByRole("combobox", { name: "Insert a cell" }).waitFor();
  expect(await v.cells().first().locator(".view-line").innerText()).not.toContain("/");
  await v.page.keyboard.press("Escape");
  await v.page.locator(".panel.left").waitFor();
  await v.page.setViewportSize({ width: 390, height: 800 });
  await v.page.locator(".panel").first().waitFor({ state: "detached" });
  await v.page.getByRole("button", { name: "Outline" }).click();
  await v.page.locator(".panel.left").waitFor();
  // the keys are shown from their beginning
  await v.page.getByRole("button", { name: "Close" }).first().click();
  await v.page.keyboard.press("?");
  expect(await v.page.locator("dialog.keys").evaluate((dialog) => dialog.scrollTop)).toBe(0);
  await v.page.keyboard.press("Escape");
  await v.leave();
});
