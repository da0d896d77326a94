/** Heavy outputs in the page: floods of displays and prints, values that unfold. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openStage, Visitor, writeNotebook, type Stage } from "../support/journey.js";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

async function run(name: string, source: string): Promise<{ v: Visitor; cell: ReturnType<Visitor["cell"]> }> {
  const v = await Visitor.enter(stage, writeNotebook(stage, "t", name, `// %% id="a"\n${source}\n`));
  const cell = v.cell("a");
  await cell.getByRole("button", { name: /^Run/ }).click();
  await v.ok(cell, 60_000);
  return { v, cell };
}

it("shows fifty of a thousand displays and loads fifty at a time", async () => {
  const { v, cell } = await run("many", "for (let i = 1; i <= 1000; i++) display(`display ${i}`)");
  await cell.getByText("display 50", { exact: true }).waitFor();
  expect(await cell.getByText("display 51", { exact: true }).count()).toBe(0);
  await cell.getByRole("button", { name: "950 more displays: show 50" }).click();
  await cell.getByText("display 100", { exact: true }).waitFor();
  await cell.getByRole("button", { name: "900 more displays: show 50" }).waitFor();
  await v.leave();
});

it("keeps two hundred lines of a flood on show and offers the whole", async () => {
  const { v, cell } = await run("flood", "for (let i = 1; i <= 100_000; i++) console.log(`line ${i}`)");
  await cell.getByText(/line 100000/).waitFor();
  expect((await cell.locator(".text-box").innerText()).trim().split("\n").length).toBe(200);
  const [file] = await Promise.all([v.page.waitForEvent("download"), cell.getByRole("link", { name: /^Download \(1\.\d MB\)$/ }).click()]);
  expect((await file.createReadStream()).readable).toBe(true);
  await v.leave();
});

it("sets the beginning of a long Markdown text and offers the whole", async () => {
  const { v, cell } = await run("prose", 'md`${Array.from({ length: 3000 }, (_, i) => `paragraph ${i}`).join("\\n\\n")}`');
  await cell.getByText("paragraph 0", { exact: true }).waitFor();
  expect(await cell.getByText("paragraph 2999", { exact: true }).count()).toBe(0);
  await cell.getByText(/^The first \d+ kB of this text\.$/).waitFor();
  const [file] = await Promise.all([v.page.waitForEvent("download"), cell.getByRole("button", { name: /^Download/ }).click()]);
  expect(readFileSync(await file.path(), "utf8")).toMatch(/^paragraph 0\n\n[^]*\n\nparagraph 2999$/);
  await cell.getByRole("button", { name: "Show all", exact: true }).click();
  await cell.getByText("paragraph 2999", { exact: true }).waitFor({ state: "attached" });
  await v.leave();
});

it("boxes the beginning of a long error and gives the whole by download", async () => {
  const v = await Visitor.enter(stage, writeNotebook(stage, "t", "long-error", `// %% id="a"\nthrow new Error("e".repeat(3_000_000) + "end")\n`));
  const cell = v.cell("a");
  await cell.getByRole("button", { name: /^Run/ }).click();
  await v.state(cell, { status: "idle", result: "error" });
  await cell.getByRole("region", { name: "output, scrolls" }).waitFor();
  const [file] = await Promise.all([v.page.waitForEvent("download"), cell.getByRole("link", { name: /Download/ }).click()]);
  expect(readFileSync(await file.path(), "utf8")).toContain(`${"e".repeat(3_000_000)}end`);
  await v.leave();
});

it("shows each kind of value well, and what a run found", async () => {
  const source = `const cyclic: Record<string, unknown> = { name: "round" }
cyclic["self"] = cyclic
display(cyclic)
display({ get broken(): number { throw new Error("no") }, fine: 1 })
display(new Proxy({ a: 1 }, { get() { throw new Error("trap") }, ownKeys() { throw new Error("trap") } }))
display(12345678901234567890n)
display(new Date(0))
display(new Map([["key", { deep: [1, 2] }]]))
display(new Float32Array([1.5, 2.5]))
display(new Error("outer", { cause: new Error("inner") }))
display(function named() {})
display(tf.tensor2d([[1, 2], [3, 4]]))
display(tf.tensor3d(Array.from({ length: 8 * 8 * 3 }, (_, i) => i), [8, 8, 3], "int32"))
display(new Uint8Array(Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64")))
console.log("\\u001b[31mred\\u001b[0m and plain")
const rows = csv("bad.csv")
await rows.count()`;
  const path = writeNotebook(stage, "t", "values", `// %% id="a"\n${source}\n`);
  writeFileSync(join(stage.root, "workspaces/t/bad.csv"), `a,b\n${"1,2\n".repeat(30_000)}x,3\n`);
  const v = await Visitor.enter(stage, path);
  const cell = v.cell("a");
  await cell.getByRole("button", { name: /^Run/ }).click();
  await v.ok(cell, 60_000);
  for (const text of [/Circular/, /broken/, /12345678901234567890/, /1970-01-01T00:00:00/, /key/, /Float32Array\(2\)/, /outer/, /inner/, /named/])
    await cell.getByText(text).first().waitFor();
  await cell
    .getByText(/float32.*2 x 2|\[2, ?2\]|2,2/)
    .first()
    .waitFor();
  await expect.poll(() => cell.locator("img.picture, .value img, touch-value img").count()).toBeGreaterThan(0);
  const red = cell.locator(".text-box span").filter({ hasText: /^red$/ });
  expect(await red.evaluate((element) => getComputedStyle(element).color !== getComputedStyle(element.parentElement!).color)).toBe(true);
  await cell.getByText(/1 of 30,001 lines of bad.csv does not fit and was left out/).waitFor();
  await v.leave();
});

it("draws formulas of text cells and of md, and leaves prices as text", async () => {
  const text = `// %% [markdown] id="m"
// The loss $L = -\\frac{1}{n}\\sum_i y_i \\log p_i$, from $5 to $6.
//
// $$
// \\hat\\beta = (X^\\top X)^{-1} X^\\top y
// $$
//
// And $\\notacommand{x}$.

// %% id="a"
import { md } from "touchstone"
md\`so \${"$"}\\\\sqrt{2}\${"$"}\`
`;
  const v = await Visitor.enter(stage, writeNotebook(stage, "t", "math", text));
  const prose = v.cell("m").locator("touch-markdown");
  // drawn for the eye, and as MathML for those who listen
  await prose.locator(".katex-display .katex-html").waitFor();
  expect(await prose.locator("math annotation").allTextContents()).toEqual([
    "L = -\\frac{1}{n}\\sum_i y_i \\log p_i",
    "\\hat\\beta = (X^\\top X)^{-1} X^\\top y",
  ]);
  expect(await prose.innerText()).toContain("from $5 to $6.");
  await prose.locator(".math-error", { hasText: "$\\notacommand{x}$" }).waitFor();
  await prose.getByText("Undefined control sequence").waitFor();
  // KaTeX's own letters have come from this server
  expect(await v.page.evaluate(async () => (await document.fonts.load("italic 16px KaTeX_Math")).length)).toBe(1);
  await v.cell("a").getByRole("button", { name: /^Run/ }).click();
  await v.cell("a").locator("touch-output .katex .sqrt").first().waitFor();
  await v.leave();
});

it("unfolds a value level by level with the keyboard", async () => {
  const { v, cell } = await run("tree", "({ list: Array.from({ length: 300 }, (_, i) => ({ i, deeper: { at: [i] } })), name: 'root' })");
  await cell.getByRole("button", { name: "Unfold as a tree" }).click();
  const list = cell.getByRole("button", { name: /^list/ });
  await list.focus();
  await v.page.keyboard.press("Enter");
  await cell.getByRole("button", { name: "200 more: show 100" }).waitFor();
  await cell.getByRole("button", { name: /^7 / }).press("Enter");
  await cell.getByRole("button", { name: /^deeper/ }).waitFor();
  expect(await list.getAttribute("aria-expanded")).toBe("true");
  await v.leave();
});

it("the back end's chip shows device, tensors held and why better ones were passed over", async () => {
  const { v } = await run("backend", "const held = [tf.ones([1000]), tf.ones([500])]");
  const chip = v.page.locator("details.backend");
  await chip.getByText("2 tensors, 6.0 kB").first().waitFor();
  await chip.locator("summary").focus();
  await v.page.keyboard.press("Enter");
  await chip.getByText("WebAssembly SIMD, 1 thread").waitFor();
  expect(await chip.locator("dt").allInnerTexts()).toEqual(["cuda", "webgpu", "node"]);
  expect(await chip.locator("dd").first().innerText()).toBe("optional: it needs an NVIDIA GPU and downloads hundreds of MB");
  if (process.env["SHOT"]) await v.page.screenshot({ path: process.env["SHOT"] });
  await v.leave();
});
