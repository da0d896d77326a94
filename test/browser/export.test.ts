/** 25, second half: what is exported opens without network, says the same, draws the figures, runs nothing, and prints without a cut headline. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { newContext } from "../support/browser.js";
import { openStage, Visitor, writeNotebook, type Stage } from "../support/journey.js";
import { pdfPages } from "../support/pdf.js";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

const filler = (n: number) =>
  `// %% [markdown] id="f${n}"\n${Array.from({ length: n }, (_, i) => `// Line ${i} of the text before.\n//\n`).join("")}\n`;
const cells = `// ---
// title: Bars & baselines
// ---

// %% [markdown] id="m"
// # What is *here*
//
// <script>window.hacked = 1</script> and [a link](https://example.org), $\\sqrt{2}$ for $5

${filler(14)}// %% [sql] id="q"
const t = sql\`select i as id, i * 7 % 13 as delay, i % 5 as k, '<b>' || i as word from range(1, 400) r(i)\`

// %% id="s"
const parts = t.split({ by: "time", key: "id", cut: [250, 320] })

// %% [baseline] id="b"
const floor = await baseline({ split: parts, task: { kind: "regression", target: "delay" }, metric: "MAE" })

${filler(9)}// %% [baseline] id="c"
const other = await baseline({ split: parts, task: { kind: "regression", target: "k" }, metric: "MAE" })

// %% id="p"
import { html } from "touchstone"
console.log("\\u001b[32mgreen\\u001b[0m and plain <b>not bold</b>")
display({ data: [{ type: "bar", x: ["<img src=x onerror='window.hacked=2'>", "b"], y: [2, 3] }], layout: { title: { text: "Doubled" } } })
display(html\`<p onclick='window.hacked=3'>foreign <script>window.hacked = 4</script><b>words</b></p>\`)
null.missing
`;

it("25. the exported file, opened without network, says and draws the same, and is printed without a cut headline", async () => {
  const v = await Visitor.enter(stage, writeNotebook(stage, "ex", "ex", cells));
  await v.cell("q").waitFor();
  await v.page.keyboard.press("Control+k");
  await v.page.keyboard.type("run all");
  await v.page.keyboard.press("Enter");
  for (const id of ["q", "s", "b", "c"]) await v.ok(v.cell(id));
  await v.state(v.cell("p"), { status: "idle", result: "error" });
  const headlines = await v.page.locator("touch-result .sentence").allTextContents();
  expect(headlines).toHaveLength(2);
  await v.page.keyboard.press("Control+k");
  await v.page.keyboard.type("export html");
  const [file] = await Promise.all([v.page.waitForEvent("download"), v.page.keyboard.press("Enter")]);
  expect(file.suggestedFilename()).toBe("ex.html");
  const saved = join(stage.root, "ex.html");
  await file.saveAs(saved);
  // the page's own policy has stopped the handler of the foreign HTML while it was cleaned
  v.complaints.splice(0, v.complaints.length, ...v.complaints.filter((text) => !text.startsWith("Executing inline event handler violates")));
  await v.leave();

  const context = await newContext(stage.browser, { dark: true });
  const asked: string[] = [];
  await context.route(/^(?!file:)/, (route) => {
    asked.push(route.request().url());
    return route.abort();
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(`file://${saved}`);
  expect(await page.title()).toBe("Bars & baselines");
  expect(await page.locator(".sentence").allTextContents()).toEqual(headlines);
  await page.getByText(/Error in cell/).waitFor();
  const figures = page.locator("figure svg");
  expect(await figures.count()).toBeGreaterThanOrEqual(3);
  for (const figure of await figures.all()) {
    expect(await figure.locator(".trace, .point, .bars path").count()).toBeGreaterThan(0);
    const box = (await figure.boundingBox())!;
    expect(box.width / box.height).toBeGreaterThan(1);
  }
  await page.getByText("Doubled", { exact: true }).waitFor();
  // drawn by the browser itself: a report has no fonts
  expect(await page.locator(".prose math msqrt").count()).toBe(1);
  expect(await page.locator(".prose", { hasText: "a link" }).innerText()).toContain("for $5");
  await page.getByText("The first 20 of 399 rows.").waitFor();
  await page.locator(".foreign", { hasText: "foreign words" }).waitFor();
  await page.locator(".error strong", { hasText: "TypeError" }).waitFor();
  expect(await page.locator(".ansi-green").innerText()).toBe("green");
  // the code is folded, and one press shows all of it
  const source = page.getByText("baseline({ split: parts").first();
  expect(await source.isVisible()).toBe(false);
  await page.getByText("Show all code").click();
  expect(await source.isVisible()).toBe(true);
  await page.getByText("Show all code").click();
  await page.locator("summary", { hasText: "floor" }).click();
  expect(await page.evaluate(() => (window as unknown as { hacked?: number }).hacked)).toBeUndefined();
  expect(await page.locator("script, [onclick], [onerror], iframe, link, object, embed").count()).toBe(0);
  for (const url of readFileSync(saved, "utf8").match(/(?:src|href|url)[=(]["']?(https?:|\/\/)[^"')\s]*/g) ?? [])
    expect(url).toContain("https://example.org");
  expect(asked).toEqual([]);
  expect(complaints).toEqual([]);
  // on paper each headline stands whole on one page, whatever was before it
  const whole = headlines.map((text) => text.replace(/\s/g, ""));
  for (const height of ["200mm", "230mm", "260mm", "297mm"]) {
    const pages = pdfPages(await page.pdf({ width: "210mm", height }));
    expect(pages.length).toBeGreaterThan(2);
    for (const headline of whole)
      expect(
        pages.some((text) => text.includes(headline)),
        `${height}: ${headline}`,
      ).toBe(true);
  }
  await context.close();
});
