/** The cache's files: damage is found and the cell runs, kernels beside each other do not disturb, and the size has a limit. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { startKernel, type TestKernel } from "../../test/support/kernel.js";
import { trim } from "./cache-folder.js";

let workspace: string;
const kernels: TestKernel[] = [];
beforeEach(() => {
  workspace = mkdtempSync(join(tmpdir(), "cache-disk-"));
});
afterEach(async () => {
  for (const kernel of kernels.splice(0)) await kernel.close();
  rmSync(workspace, { recursive: true, force: true });
});
const kernel = async (options: Parameters<typeof startKernel>[0] = {}) => {
  const made = await startKernel({ workspace, ...options });
  kernels.push(made);
  return made;
};
const root = () => join(workspace, ".touchstone", "cache");
/** folders of all entries */
const entries = () =>
  readdirSync(root()).flatMap((notebook) =>
    readdirSync(join(root(), notebook)).flatMap((cell) =>
      readdirSync(join(root(), notebook, cell)).map((name) => join(root(), notebook, cell, name)),
    ),
  );

const source =
  "import { appendFileSync } from 'node:fs'\nappendFileSync('runs.txt', 'ran\\n')\nconst rows = sql`select i, i * i as s from range(2000) t(i)`\nconst list = [1, 2n, { a: 'b' }]";
const runs = () => readFileSync(join(workspace, "runs.txt"), "utf8").split("\n").length - 1;
const look = async (on: TestKernel) =>
  (
    await on.run("JSON.stringify([(await rows.rows()).reduce((sum, row) => sum + Number(row.s), 0), String(list[1]), list[2]])", { id: "look" })
  ).displays.at(-1)?.["text/plain"];
const right = `[${[...Array(2000).keys()].reduce((sum, i) => sum + i * i, 0)},"2",{"a":"b"}]`;

it("runs anew with a note where a file of the entry is cut, changed, missing or unreadable, and never gives a wrong value", async () => {
  const damage: [note: RegExp | null, what: (entry: string) => void][] = [
    [/damaged: values\.bin is not what was written/, (entry) => truncateSync(join(entry, "values.bin"), 20)],
    [/damaged: values\.bin is not what was written/, (entry) => flip(join(entry, "values.bin"))],
    [/damaged: 0\.parquet is not what was written/, (entry) => flip(join(entry, "0.parquet"))],
    [/damaged: 0\.parquet is missing/, (entry) => rmSync(join(entry, "0.parquet"))],
    [/damaged: entry\.json is not what was written/, (entry) => flip(join(entry, "entry.json"))],
    [/damaged: entry\.json is not what was written/, (entry) => truncateSync(join(entry, "entry.json"), 90)],
    [/damaged: entry\.json is not what was written/, (entry) => writeFileSync(join(entry, "entry.json"), "")],
    // no entry at all is nothing to speak of
    [null, (entry) => rmSync(join(entry, "entry.json"))],
  ];
  const one = await kernel();
  const asked = () => one.run(source, { id: "costly", cache: true });
  expect([(await asked()).cached, (await asked()).cached !== undefined, runs()]).toEqual([undefined, true, 1]);
  for (const [i, [note, what]] of damage.entries()) {
    const [entry] = entries();
    what(entry!);
    const done = await asked();
    expect([done.result, done.cached, runs()]).toEqual(["ok", undefined, i + 2]);
    if (note === null) expect(done.warnings).toEqual([]);
    else expect(done.warnings).toEqual([expect.stringMatching(note)]);
    expect(await look(one)).toBe(right);
    const next = await asked();
    expect([next.cached !== undefined, next.warnings, entries().length]).toEqual([true, [], 1]);
    expect(await look(one)).toBe(right);
  }
});

it("lets kernels of one notebook keep and take the same result at the same time", async () => {
  const all = [await kernel(), await kernel(), await kernel()];
  for (let round = 0; round < 4; round++) {
    const text = `${source}\nconst round = ${round}`;
    const done = await Promise.all(
      all.flatMap((each) => [0, 1, 2].map((i) => each.run(text, { id: "costly", cache: true, ...(i === 1 && { fresh: true as const }) }))),
    );
    expect(done.map(({ result, error }) => [result, error])).toEqual(done.map(() => ["ok", undefined]));
    expect(done.flatMap(({ warnings }) => warnings).filter((warning) => !/could not be used/.test(warning))).toEqual([]);
    for (const each of all) expect(await look(each)).toBe(right);
    expect((await all[0]!.run(text, { id: "costly", cache: true })).cached).toBeDefined();
    // nothing is left half written
    expect(entries().filter((entry) => /[/]\.[^/]*$/.test(entry))).toEqual([]);
  }
});

it("drops what was of no use for longest when there is more than the limit, and says of a result that is larger", async () => {
  const one = await kernel({ cacheBytes: 100_000 });
  const kept = (id: string, size: number) => one.run(`const ${id} = new Uint8Array(${size}).fill(1)`, { id, cache: true });
  for (const id of ["a", "b"]) expect((await kept(id, 40_000)).warnings).toEqual([]);
  for (const entry of entries()) utimesSync(entry, 1, 1);
  // a hit counts as use
  expect((await kept("a", 40_000)).cached).toBeDefined();
  expect((await kept("c", 40_000)).warnings).toEqual([]);
  expect([(await kept("a", 40_000)).cached !== undefined, (await kept("c", 40_000)).cached !== undefined, entries().length]).toEqual([true, true, 2]);
  expect((await kept("b", 40_000)).cached).toBeUndefined();
  expect((await kept("d", 200_000)).warnings).toEqual(["not cached: its result takes 0.2 MB, more than the cache's 0.1 MB"]);
  const size = entries().reduce((sum, entry) => sum + readdirSync(entry).reduce((all, name) => all + statSync(join(entry, name)).size, 0), 0);
  expect(size).toBeLessThan(100_000);
});

it("sweeps what a killed kernel has left half written, once it is old", async () => {
  const one = await kernel();
  await one.run("const a = 1", { id: "a", cache: true });
  const cell = join(entries()[0]!, "..");
  const write = (name: string) => writeFileSync(join(cell, name), "x");
  write(".left");
  write(".now");
  utimesSync(join(cell, ".left"), 1, 1);
  await trim(root(), cell, 1e9);
  expect([existsSync(join(cell, ".left")), existsSync(join(cell, ".now")), entries().length]).toEqual([false, true, 2]);
});

function flip(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(path, bytes);
}
