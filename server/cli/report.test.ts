/** `touchstone report` as a person calls it: no browser, one file. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { makeReport } from "./report.js";

let root: string;
const file = () => join(root, "workspaces/demo/a.nb.ts");
const lock = '{ "lockfileVersion": 3 }';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "touchstone-report-"));
  mkdirSync(join(root, "workspaces/demo"), { recursive: true });
  writeFileSync(join(root, "workspaces/demo/package.json"), '{ "name": "demo", "private": true }');
  writeFileSync(join(root, "workspaces/demo/package-lock.json"), lock);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));
const make = async (text: string, out = join(root, "a.html")) => {
  writeFileSync(file(), text);
  const said: string[] = [];
  const code = await makeReport({ file: file(), out, seed: null, set: {}, say: (line) => void said.push(line), live: null });
  return { code, said, html: existsSync(out) ? readFileSync(out, "utf8") : "" };
};
const sha = (text: string) => createHash("sha256").update(text).digest("hex");

it("draws figures, formulas and foreign HTML without a browser, and says what it was made of", async () => {
  const text = `// ---
// title: A <b>report</b>
// seed: 11
// ---

// %% [markdown] id="intro"
// # Hello $x^2$ [link](javascript:alert(1))

// %% id="rows"
const rows = sql\`select i as id, i % 7 as n from range(300) t(i)\`

// %% id="parts"
const parts = rows.split({ by: "time", key: "id", cut: [200, 240] })

// %% [baseline] id="floor"
const floor = await baseline({ split: parts, task: { kind: "regression", target: "n" }, metric: "MAE", using: ["mean", "median"] })

// %% id="shown"
display(rows)
display(html\`<b onclick="steal()">bold</b><script>steal()</script>\`)
display({ data: [{ type: "heatmap", z: [[1, 2], [3, 4]], x: ["a", "b"], y: ["c", "d"] }], layout: { title: "Heat" } })
`;
  const { code, html, said } = await make(text);
  expect([code, said.filter((line) => line.includes("Error"))]).toEqual([0, []]);
  expect(html).toContain("<title>A &#60;b&#62;report&#60;/b&#62;</title>");
  expect(html).toContain("A clean run of the whole notebook");
  expect(html).toContain("<math");
  expect(html).toMatch(/The first \d+ of 300 rows\./);
  // the bars and the heat map, whose cells are a picture
  expect(html.match(/<svg /g)).toHaveLength(2);
  expect(html).toMatch(/<image [^>]*data:image\/png;base64,/);
  // labels are beside the bars, not under them: the texts were measured
  expect(Number(/class="xaxislayer-above"[\s\S]*?translate\(([\d.]+)/.exec(html)?.[1])).toBeGreaterThan(50);
  expect(html).toContain("<b>bold</b>");
  expect(html).not.toMatch(/<script|<[^<>]* onclick|href="javascript/);
  expect(html).toContain("The number to beat");
  for (const hash of [sha(text), sha(lock)]) expect(html).toContain(hash);
  expect(html).toMatch(/seed<\/th><td>11/);
});

it("is written with the error where a cell fails, and not at all where it cannot be", async () => {
  const out = join(root, "bad.html");
  const { code, html, said } = await make('// %% id="a"\nthrow new Error("no luck")\n', out);
  expect(code).toBe(1);
  expect(html).toContain("no luck");
  expect(html).toContain("A clean run, in which 1 cell failed or did not run");
  expect(said).toContain(`${out}: ${(html.length / 1000).toFixed(0)} kB`);
  await expect(make("", join(root, "none/a.html"))).rejects.toThrow(/There is no folder .*none for the report/);
  await expect(make("", join(root, "workspaces"))).rejects.toThrow(/is a folder: name a file/);
  expect(readdirSync(root).filter((name) => name.includes(".new"))).toEqual([]);
});
