/** Find and replace over all cells (`f`) and line numbers (`l`), by the keyboard. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { openStage, Visitor, writeNotebook, type Stage } from "../support/journey.js";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

const text = [
  `// %% id="a"\nconst rate = 1\nconst rates = [rate, rate]`,
  `// %% [markdown] id="b"\n// The rate of **change**.`,
  `// %% id="c"\n${"\n".repeat(45)}Rate`,
].join("\n\n");

it("counts, steps over cells, replaces one and all as one change that can be undone, and closes by Escape", async () => {
  const v = await Visitor.enter(stage, writeNotebook(stage, "p", "find", text));
  const { keyboard } = v.page;
  await v.cell("a").locator("article").focus();
  await keyboard.press("f");
  const bar = v.page.getByRole("search", { name: "Find and replace in all cells" });
  const count = async (said: RegExp) => void (await bar.getByRole("status").filter({ hasText: said }).waitFor());
  await keyboard.type("rate");
  await count(/1 of 6.*cell 1/);
  await keyboard.press("Shift+Enter");
  await count(/6 of 6.*cell 3/);
  // far down in a long cell: the editor is opened, and the match is on the screen
  await v.cell("c").locator(".view-line .found-current").waitFor();
  await expect.poll(async () => (await v.cell("c").locator(".found-current").boundingBox())?.y ?? 9999).toBeLessThan(720);
  await bar.getByRole("button", { name: "Case" }).click();
  await bar.getByRole("button", { name: "Word" }).click();
  await count(/^\s*\d of 4/);
  // a text cell shows its source where the match is, and its text again
  await bar.getByLabel("Find", { exact: true }).fill("of");
  await count(/1 of 1.*cell 2/);
  await v.cell("b").locator("touch-editor").waitFor();
  await bar.getByLabel("Find", { exact: true }).fill("(");
  await count(/No matches/);
  await bar.getByRole("button", { name: "Regex" }).click();
  await count(/Unterminated group/);
  await bar.getByLabel("Find", { exact: true }).fill("(r)ate");
  await count(/1 of 4/);
  await v.cell("b").locator("touch-markdown").waitFor();

  await bar.getByLabel("Replace with").fill("$1atio");
  await bar.getByLabel("Find", { exact: true }).focus();
  await keyboard.press("Enter");
  await count(/2 of 4/);
  await keyboard.press("Shift+Enter");
  await count(/1 of 4/);
  await bar.getByLabel("Replace with").press("Enter");
  await expect.poll(() => v.source("a")).toBe("const ratio = 1\nconst rates = [rate, rate]");
  await count(/1 of 3/);
  expect(await v.axe()).toEqual([]);
  await bar.getByLabel("Replace with").press("Control+Enter");
  await expect.poll(() => v.source("a")).toBe("const ratio = 1\nconst rates = [ratio, ratio]");
  await expect.poll(() => v.source("b")).toContain("The ratio of");
  await v.page.getByText("3 matches replaced in 2 cells").waitFor();
  await count(/No matches/);
  await keyboard.press("Escape");
  await bar.waitFor({ state: "detached" });
  // the keys are those of selected cells again: z takes all three back at once
  await keyboard.press("z");
  await expect.poll(() => v.source("a")).toBe("const ratio = 1\nconst rates = [rate, rate]");
  await expect.poll(() => v.source("b")).toContain("The rate of");
  await v.leave();
});

it("l shows line numbers, also in an open editor, and keeps that", async () => {
  const address = writeNotebook(stage, "p", "numbers", text);
  const v = await Visitor.enter(stage, address);
  await v.cell("a").locator("article").focus();
  await v.page.keyboard.press("l");
  await v.cell("a").locator("[data-numbers]").waitFor();
  const left = async () => (await v.cell("a").getByText("rates", { exact: false }).first().boundingBox())!.x;
  const before = await left();
  await v.caret(v.cell("a"));
  await v.cell("a").locator(".line-numbers").getByText("2").waitFor();
  // nothing moves when the editor takes over
  expect(Math.abs((await left()) - before)).toBeLessThan(2);
  await v.page.reload();
  await v.cell("a").locator("[data-numbers]").waitFor();
  await v.leave();
});
