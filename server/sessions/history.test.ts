import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Cell, NotebookSource } from "../../kernels/protocol/document.js";
import { gitPoints, gitSource } from "./git.js";
import { openHistory, thin, viewPoints, type Point } from "./history.js";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "touchstone-history-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const open = (name = "h") =>
  openHistory(
    join(folder, "deep", `${name}.ndjson`),
    () => 1,
    (error) => expect.fail(error.message),
  );
const cell = (id: string, source: string): Cell => ({ id, kind: "code", source, options: {} });
const notebook = (...cells: Cell[]): NotebookSource => ({ front: {}, cells });

it("gives each document back as it was, also after a restart, whatever was added, changed, moved or removed", async () => {
  const source = fc
    .uniqueArray(fc.tuple(fc.constantFrom("a", "b", "c", "d", "e", "__proto__"), fc.string({ unit: "binary" })), {
      maxLength: 5,
      selector: ([id]) => id,
    })
    .chain((cells) => fc.record({ cells: fc.constant(cells.map(([id, text]) => cell(id, text))), front: fc.record({ title: fc.string() }) }));
  let n = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(source, { minLength: 1, maxLength: 12 }), async (sources) => {
      const name = `p${n++}`;
      const history = open(name);
      const kept = sources.flatMap((one) => history.add("edit", one) ?? []);
      await history.flush();
      const again = open(name).points();
      expect(again).toEqual(kept);
      expect(again.map((point) => point.source)).toEqual(
        sources.filter((one, i) => i === 0 || JSON.stringify(one) !== JSON.stringify(sources[i - 1])),
      );
    }),
    { numRuns: 60 },
  );
});

it("keeps no point twice unless it is named, and counts what differs", async () => {
  const history = open();
  history.add("open", notebook(cell("a", "1"), cell("b", "2")));
  expect(history.add("edit", notebook(cell("a", "1"), cell("b", "2")))).toBe(null);
  history.add("edit", notebook(cell("b", "3"), cell("c", "4"), cell("d", "5")));
  history.add("named", history.points().at(-1)!.source, { name: "before the holidays" });
  expect(viewPoints(history.points())).toEqual([
    { id: "3", at: 1, why: "named", name: "before the holidays", added: 0, changed: 0, removed: 0 },
    { id: "2", at: 1, why: "edit", added: 2, changed: 1, removed: 1 },
    { id: "1", at: 1, why: "open", added: 2, changed: 0, removed: 0 },
  ]);
  await history.flush();
});

it("goes on behind a torn end", async () => {
  const first = open();
  first.add("edit", notebook(cell("a", "1")));
  await first.flush();
  appendFileSync(join(folder, "deep/h.ndjson"), "0123456789abcdef {half");
  const second = open();
  second.add("edit", notebook(cell("a", "2")));
  await second.flush();
  expect(
    open()
      .points()
      .map((point) => point.source.cells[0]!.source),
  ).toEqual(["1", "2"]);
});

it("stays small: the newest and the named points stay, the rest thins with age", async () => {
  const history = open();
  for (let i = 0; i < 1000; i++) history.add(i === 3 ? "named" : "edit", notebook(cell("a", String(i))), i === 3 ? { name: "three" } : {});
  await history.flush();
  const points = open().points();
  expect(points.length).toBeLessThanOrEqual(300);
  expect(points[0]).toMatchObject({ name: "three", source: { cells: [{ source: "3" }] } });
  expect(points.at(-1)!.source.cells[0]!.source).toBe("999");
  const big = open("big");
  for (let i = 0; i < 60; i++) big.add("edit", notebook(cell("a", `${i} ${"x".repeat(300_000)}`)));
  await big.flush();
  expect(readFileSync(join(folder, "deep/big.ndjson")).length).toBeLessThan(9 * 2 ** 20);
  const minute = 60_000;
  const at = (age: number): Point => ({ id: age, at: 1e12 - age, why: "edit", source: notebook() });
  const ages = Array.from({ length: 4000 }, (_, i) => 10 * minute * (4000 - i)).map(at);
  const kept = thin(ages, 1e12, 10_000).map((point) => 1e12 - point.at);
  expect(kept.filter((age) => age <= 60 * minute)).toHaveLength(6);
  expect(kept.filter((age) => age > 24 * 60 * minute && age <= 7 * 24 * 60 * minute).length).toBeLessThanOrEqual(6 * 24 + 1);
  expect(kept.filter((age) => age > 7 * 24 * 60 * minute).length).toBeLessThanOrEqual(22);
});

it("lists the commits of the file, through a rename, and reads each", async () => {
  const file = join(folder, "notes", "two words.nb.ts");
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=Ada", "-c", "user.email=a@b", "-c", "commit.gpgsign=false", ...args], { cwd: folder });
  mkdirSync(join(folder, "notes"));
  writeFileSync(join(folder, "notes/old.nb.ts"), `// %% id="a"\n1\n\n// %% id="z"\nconst long = "so that the rename is seen"\n`);
  expect(await gitPoints(join(folder, "notes/old.nb.ts"))).toEqual({ points: [], why: null });
  git("init", "-q");
  git("add", ".");
  git("commit", "-qm", "first words");
  renameSync(join(folder, "notes/old.nb.ts"), file);
  git("add", ".");
  git("commit", "-qm", "another name");
  writeFileSync(file, `// %% id="a"\n2\n\n// %% id="b"\n3\n\n// %% id="z"\nconst long = "so that the rename is seen"\n`);
  git("commit", "-qam", "second");
  const { points, why } = await gitPoints(file);
  expect(why).toBe(null);
  expect(points.map(({ name, author, added, changed, removed }) => [name, author, added, changed, removed])).toEqual([
    ["second", "Ada", 1, 1, 0],
    ["another name", "Ada", 0, 0, 0],
    ["first words", "Ada", 2, 0, 0],
  ]);
  expect((await gitSource(file, points[2]!.id))?.cells[0]).toMatchObject({ id: "a", source: "1" });
  for (const id of ["git-HEAD", "git---help", `git-${"0".repeat(40)}`]) expect(await gitSource(file, id)).toBe(null);
});
