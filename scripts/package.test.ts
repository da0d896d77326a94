/** What package.json promises to others: its exports, and a line of why for every dependency. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { packageRoot } from "../kernels/paths/paths.js";
import type { LanguageAnswers } from "../kernels/protocol/language.js";
import { createService } from "../kernels/language/service.js";

const folder = mkdtempSync(join(tmpdir(), "touchstone-package-"));
beforeAll(() => {
  mkdirSync(join(folder, "node_modules"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  symlinkSync(packageRoot(), join(folder, "node_modules", "touchstone"), "junction");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const script = `import { baseline, relation, sql } from "touchstone";
const rows = relation({ x: [1, 2, 3, 4, 5, 6, 7, 8], y: [2, 4, 6, 8, 10, 12, 14, 17] });
const [total] = await sql\`select sum(y) as total from \${rows}\`.rows();
const { bar } = await baseline({ task: { kind: "regression", target: "y" }, split: rows.split({ by: "time", key: "x", cut: [5, 7] }), using: ["mean", "median"] });
console.log(JSON.stringify({ total: Number(total.total), label: bar.label, }));
`;

it('gives the library by the name "touchstone" to a script of Node', () => {
  writeFileSync(join(folder, "script.mjs"), script);
  const ran = spawnSync(process.execPath, ["script.mjs"], { cwd: folder, encoding: "utf8", timeout: 30_000 });
  expect(ran.status, ran.stderr).toBe(0);
  expect(JSON.parse(ran.stdout.trim().split("\n").at(-1)!)).toMatchObject({ total: 73, label: expect.stringMatching(/mean|median/) as string });
});

it('types what is imported from "touchstone", and what is used wrongly', async () => {
  const notebook = join(folder, "a.nb.ts");
  const check = async (source: string) => {
    let told!: (problems: LanguageAnswers["problems"]) => void;
    const problems = new Promise<LanguageAnswers["problems"]>((resolve) => (told = resolve));
    const service = createService((message) => message.type === "answer" && message.ok && told(message.value as LanguageAnswers["problems"]));
    service.receive({ type: "open", notebook, workspace: folder, rev: 1, cells: [{ id: "a", kind: "code", source, options: {} }] });
    service.receive({ type: "ask", id: 1, client: "test", notebook, question: { ask: "problems" } });
    const found = (await problems)["a"] ?? [];
    await service.close();
    return found.map((one) => one.message);
  };
  expect(await check('import { relation, type Relation } from "touchstone"\nconst r: Relation<{ a: number }> = relation({ a: [1] })')).toEqual([]);
  expect(await check('import { nothing } from "touchstone"\nnothing()')).toEqual([expect.stringContaining("has no exported member 'nothing'")]);
});

it("says of every dependency why it is there", () => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as Record<string, object>;
  const lines = readFileSync(join(packageRoot(), "docs", "dependencies.md"), "utf8").split("\n");
  const told = lines.flatMap((line) => /^\| `([^`]+)` \| \S/.exec(line)?.[1] ?? []);
  expect(told.toSorted()).toEqual([...Object.keys(dependencies!), ...Object.keys(devDependencies!)].toSorted());
});
