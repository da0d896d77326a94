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
