/** The language service in the page: members while typing, parameters, hover, definition in another cell, rename over cells. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { openStage, Visitor, writeNotebook, type Stage } from "../support/journey.js";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

it("members are offered, parameters and types shown, F12 goes to another cell, F2 renames in every cell", async () => {
  const text = `// %% id="a"\nconst parts = sql\`select 1 as x\`.split({ by: "hash", key: "x" })\n\n// %% id="b"\n\n\n// %% id="c"\nconst keep = parts\nkeep.nope\n`;
  const v = await Visitor.enter(stage, writeNotebook(stage, "p", "language", text));
  const { keyboard } = v.page;
  await v.caret(v.cell("b"));
  // the finding in the last cell says that the service is there
  await v.page.getByRole("tab", { name: /Problems 1/ }).click({ timeout: 60_000 });
  await v.page.getByText("Property 'nope' does not exist on type").waitFor({ timeout: 60_000 });

  await v.caret(v.cell("b"));
  await keyboard.type("parts.");
  const widget = v.page.locator(".suggest-widget.visible");
  await widget.getByText("valid", { exact: true }).first().waitFor();
  await keyboard.type("tra");
  await widget.locator(".monaco-list-row.focused").getByText("train").first().waitFor();
  await keyboard.press("Enter");
  await expect.poll(() => v.source("b")).toBe("parts.train");

  await keyboard.type("\nMath.max(");
  await v.page.locator(".parameter-hints-widget.visible").getByText("values: number[]").first().waitFor();
  await v.type(v.cell("b"), "parts.train");

  await v.page
    .locator('touch-cell[data-cell="b"] .view-line')
    .getByText("parts", { exact: false })
    .first()
    .hover({ position: { x: 8, y: 8 } });
  await v.page.locator(".monaco-hover").getByText("const parts").first().waitFor();

  await keyboard.press("Control+Home");
  await keyboard.press("F12");
  await v.page.locator('touch-cell[data-cell="a"] .monaco-editor.focused').waitFor();
  await keyboard.press("F2");
  const box = v.page.locator(".rename-box input");
  await box.waitFor();
  await box.fill("pieces");
  await keyboard.press("Enter");
  await expect.poll(() => v.source("b"), { timeout: 20_000 }).toBe("pieces.train");
  await expect.poll(() => v.source("c")).toBe("const keep = pieces\nkeep.nope");
  await expect.poll(() => v.source("a")).toContain("const pieces = sql");
  await v.leave();
});

it("Ctrl+click and F12 lead to other cells, Shift+F12 lists uses, a library's name is shown to be read", async () => {
  const text = `// %% id="a"\nconst limit = 3\n\n// %% id="b"\nconst twice = limit * 2\n\n// %% id="c"\nMath.max(limit, twice)\n`;
  const v = await Visitor.enter(stage, writeNotebook(stage, "p", "navigation", text));
  const { keyboard } = v.page;
  await v.caret(v.cell("c"));
  await v.page.getByText("Math").first().waitFor();
  const focused = (id: string) => v.page.locator(`touch-cell[data-cell="${id}"] .monaco-editor.focused`).waitFor();
  const dialog = v.page.getByRole("dialog", { name: /Definition|Uses of/ });
  /** the open dialog for those who hear it or see it dark and narrow */
  const clear = async () => {
    for (const theme of ["light", "dark"]) {
      await v.page.evaluate((name) => (document.documentElement.dataset["theme"] = name), theme);
      for (const width of [1280, 390]) {
        await v.page.setViewportSize({ width, height: 800 });
        expect(await v.axe()).toEqual([]);
        expect(await dialog.evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0);
      }
    }
    await v.page.setViewportSize({ width: 1280, height: 800 });
    await v.page.evaluate(() => delete document.documentElement.dataset["theme"]);
  };

  // the caret stands at the end: at \`max\` it is TypeScript's own file that is shown
  await keyboard.press("Home");
  await keyboard.press("F12");
  await dialog.getByText(/typescript\/lib\/lib\..*Read only/).waitFor({ timeout: 60_000 });
  expect(await dialog.locator(".line.here").innerText()).toMatch(/Math/);
  await clear();
  await keyboard.press("Escape");
  await focused("c");

  const name = v.page.locator('touch-cell[data-cell="c"] .view-line span span').getByText("limit", { exact: false }).first();
  const box = (await name.boundingBox())!;
  const whole = (await name.innerText()).length;
  const at = (await name.innerText()).indexOf("limit") + 2;
  const point = { x: box.x + (box.width / whole) * at, y: box.y + box.height / 2 };
  await keyboard.down("Control");
  await v.page.mouse.move(point.x, point.y);
  await v.page.locator('touch-cell[data-cell="c"] .definition-link').waitFor();
  await v.page.mouse.click(point.x, point.y);
  await keyboard.up("Control");
  await focused("a");

  await keyboard.press("Shift+F12");
  await dialog.getByRole("button", { name: /Cell 3, line 1/ }).waitFor();
  expect(await dialog.getByRole("button", { name: /^Cell/ }).count()).toBe(3);
  await clear();
  await dialog.getByRole("button", { name: /Cell 2, line 1/ }).click();
  await focused("b");
  await v.leave();
});

it("Alt+Shift+F formats and Ctrl+Z takes it back, Ctrl+. repairs, the palette formats all cells", async () => {
  const text = `// %% id="a"\nconst  limit=3\n\n// %% id="b"\nconst path = join("a", "b")\n\n// %% id="c"\nconst  x = {\n`;
  const v = await Visitor.enter(stage, writeNotebook(stage, "p", "repair", text));
  const { keyboard } = v.page;
  await v.caret(v.cell("a"));
  await keyboard.press("Alt+Shift+F");
  await expect.poll(() => v.source("a"), { timeout: 60_000 }).toBe("const limit = 3");
  await keyboard.press("Control+Z");
  await expect.poll(() => v.source("a")).toBe("const  limit=3");

  await v.page.getByRole("tab", { name: /Problems \d/ }).click({ timeout: 60_000 });
  await v.page.getByText("Cannot find name 'join'").first().waitFor({ timeout: 60_000 });
  await v.caret(v.cell("b"));
  await keyboard.press("Control+Home");
  for (let i = 0; i < 14; i++) await keyboard.press("ArrowRight");
  await keyboard.press("Control+.");
  await v.page.locator(".action-widget").getByText('Add import from "node:path"', { exact: true }).waitFor();
  await v.page.locator(".action-widget").getByText('Add import from "node:path"', { exact: true }).click();
  await expect.poll(() => v.source("b")).toBe(`import { join } from "node:path"\nconst path = join("a", "b")`);

  await keyboard.press("Control+K");
  await keyboard.type("Format all");
  await keyboard.press("Enter");
  await expect.poll(() => v.source("a")).toBe("const limit = 3");
  await v.see("Cell 3 has a syntax error");
  expect(await v.source("c")).toBe("const  x = {");
  await v.leave();
});
