import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { startKernel, type RunOptions, type TestKernel } from "../../test/support/kernel.js";

let workspace: string;
let kernel: TestKernel;
beforeEach(async () => {
  workspace = mkdtempSync(join(tmpdir(), "cache-"));
  kernel = await startKernel({ workspace });
});
afterEach(async () => {
  await kernel.close();
  rmSync(workspace, { recursive: true, force: true });
});
/** the kernel is restarted: nothing is left but what is on disk */
const again = async () => {
  await kernel.close();
  kernel = await startKernel({ workspace });
};
const costly = (source: string, options: RunOptions = {}) => kernel.run(source, { id: "costly", cache: true, ...options });
/** whether the run took its result from disk */
const hit = async (...asked: Parameters<typeof costly>) => (await costly(...asked)).cached !== undefined;
const text = async (code: string) => {
  const done = await kernel.run(code, { id: "look" });
  expect(done.error).toBeUndefined();
  return done.displays.at(-1)?.["text/plain"];
};

it("takes a result from disk after a restart, shows what the run showed, and says what it saved", async () => {
  const source =
    "globalThis.ran = (globalThis.ran ?? 0) + 1\nconsole.log('working')\nconst found = new Map([['a', [1, 2n, new Date(5)]]])\nlet other = found\nfound.size";
  const first = await costly(source);
  expect([first.cached, first.warnings]).toEqual([undefined, []]);
  await again();
  const second = await costly(source);
  expect(second.cached).toMatchObject({ savedMs: expect.any(Number) as number, at: expect.any(Number) as number });
  expect(second.outputs).toEqual(first.outputs);
  expect(await text("[found.get('a'), other === found, globalThis.ran]")).toBe("[ [ 1, 2n, 1970-01-01T00:00:00.005Z ], true, undefined ]");
});

it("runs again when code, an input, a function that it calls, a package or a file that it read has another content", async () => {
  writeFileSync(join(workspace, "data.txt"), "1");
  const source = "import fs from 'node:fs'\nconst sum = scale(input) + Number(fs.readFileSync(file('data.txt'), 'utf8'))";
  const inputs = async (value: string, scale = "2") => {
    await kernel.run(`const input = ${value}`, { id: "input" });
    await kernel.run(`const by = ${scale}`, { id: "by" });
    await kernel.run("const scale = (x) => x * by", { id: "scale" });
  };
  await inputs("10");
  expect(await hit(source)).toBe(false);
  expect(await hit(source)).toBe(true);
  // the input's cell ran again and gave the same
  await inputs("5 + 5");
  expect(await hit(source)).toBe(true);
  await inputs("11");
  expect(await hit(source)).toBe(false);
  expect(await text("sum")).toBe("23");
  await inputs("11", "3");
  expect(await hit(source)).toBe(false);
  expect(await text("sum")).toBe("34");
  // back to what was once
  await inputs("10");
  expect(await hit(source)).toBe(true);
  expect(await text("sum")).toBe("21");
  writeFileSync(join(workspace, "data.txt"), "2");
  utimesSync(join(workspace, "data.txt"), 1, 1);
  expect(await hit(source)).toBe(false);
  expect(await text("sum")).toBe("22");
  writeFileSync(join(workspace, "package-lock.json"), "{}");
  expect(await hit(source)).toBe(false);
  expect(await hit(`${source} // edited`)).toBe(false);
});

it("imports on a hit too, and knows an imported input by its package or file", async () => {
  writeFileSync(join(workspace, "lib.ts"), "export const half = (x: number) => x / 2");
  const source = "import { sep } from 'node:path'\nconst x = half(8) + sep.length";
  const library = () => kernel.run("import { half } from './lib.ts'", { id: "lib" });
  await library();
  expect([await hit(source), await hit(source)]).toEqual([false, true]);
  expect(await text("[x, sep]")).toBe("[ 5, '/' ]");
  writeFileSync(join(workspace, "lib.ts"), "export const half = (x: number) => x / 2 + 1");
  await library();
  expect(await hit(source)).toBe(false);
  expect(await text("x")).toBe("6");
});

it("forgets what is kept when asked to", async () => {
  expect([await hit("const a = 1"), await hit("const a = 1"), await hit("const a = 1", { fresh: true }), await hit("const a = 1")]).toEqual([
    false,
    true,
    false,
    true,
  ]);
});

it("keeps relations as Parquet with their types, and the cells that read them hit too", async () => {
  const rows =
    "const rows = sql`select i, i * 10000000000 as big, date '2001-05-01' + i::int as day, case when i = 2 then null else 'x' || i end as word from range(5) t(i)`";
  const sum = "const total = (await sql`select sum(big)::bigint as s, count(word) as n from rows`.rows())[0]\ntotal";
  const both = async () => [
    (await costly(rows, { kind: "sql", id: "rows", defines: ["rows"] })).cached !== undefined,
    (await costly(sum, { id: "sum", uses: ["rows"] })).cached !== undefined,
  ];
  expect(await both()).toEqual([false, false]);
  const before = await text("[await rows.schema(), await rows.rows(), total]");
  await again();
  expect(await both()).toEqual([true, true]);
  expect(await text("[await rows.schema(), await rows.rows(), total]")).toBe(before);
});

it("keeps tensors, also inside lists", async () => {
  const source = "const parts = { all: [tf.tensor2d([[1, 2], [3, 4.5]]), tf.tensor1d([true, false], 'bool')] }";
  expect(await hit(source)).toBe(false);
  await again();
  expect(await hit(source)).toBe(true);
  expect(await text("[parts.all[0].shape, parts.all[0].arraySync(), parts.all[1].dtype, parts.all[1].arraySync(), tf.memory().numTensors]")).toBe(
    "[ [ 2, 2 ], [ [ 1, 2 ], [ 3, 4.5 ] ], 'bool', [ 1, 0 ], 2 ]",
  );
});

it("says in words what it cannot keep or compare, and runs", async () => {
  const done = await costly("const made = { deep: [() => 1] }");
  expect([done.result, done.warnings]).toEqual(["ok", ["not cached: made.deep[0] is a function, which cannot be stored"]]);
  expect((await costly("class Point { x = 1 }; const p = new Point()")).warnings).toEqual([
    "not cached: Point is a function, which cannot be stored",
  ]);
  await kernel.run("class Point { x = 1 }; const point = new Point()", { id: "point" });
  expect((await costly("const x = point.x", { uses: ["point"] })).warnings).toEqual([
    "not cached: its input point is of the class Point, which has no content that could be compared",
  ]);
  expect(await text("x")).toBe("1");
});

it("keeps nothing of a run that failed or was stopped, and five results a cell", async () => {
  expect((await costly("const x = 1; throw new Error('no')")).result).toBe("error");
  const { run, done } = kernel.start("const x = 2; console.log('on'); for (;;) {}", { id: "costly", cache: true });
  await kernel.until((message) => "kind" in message && message.kind === "stream");
  kernel.interrupt(run);
  expect((await done).result).toBe("interrupted");
  const root = join(workspace, ".touchstone", "cache");
  expect(existsSync(root)).toBe(false);
  for (let i = 0; i < 7; i++) expect(await hit(`const x = ${i}`)).toBe(false);
  const [notebook] = readdirSync(root);
  const [cell] = readdirSync(join(root, notebook!));
  expect(readdirSync(join(root, notebook!, cell!)).length).toBe(5);
  expect([await hit("const x = 6"), await hit("const x = 0")]).toEqual([true, false]);
});

it("is off for a clean run", async () => {
  await costly("const a = 1");
  await kernel.close();
  kernel = await startKernel({ workspace, cache: false });
  expect(await hit("const a = 1")).toBe(false);
});
