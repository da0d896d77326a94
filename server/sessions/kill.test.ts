/** kill -9 at every step of the journal and of the file beside it, whole and half-written: what is back is a prefix of what was done that holds all that was acknowledged. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bundleProgram, runProgram } from "../../test/support/kill.js";
import { edit, notebook, openSession } from "../../test/support/kill-session.js";
import { printNotebook } from "../../kernels/notebook/print.js";
import { decodeLines, restore } from "./journal.js";

const home = mkdtempSync(join(tmpdir(), "touchstone-kill-session-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));
let program = "";
beforeAll(async () => {
  program = await bundleProgram("test/support/kill-session.ts", home);
});

function fresh(): string {
  const root = mkdtempSync(join(home, "root-"));
  mkdirSync(join(root, "workspaces/demo"), { recursive: true });
  writeFileSync(join(root, "workspaces/demo/package.json"), "{}");
  writeFileSync(join(root, notebook), `// %% id="a"\nprint 0\n`);
  return root;
}

/** Opens what the kill left, twice; gives the last edit that is back. */
async function back(root: string, told: string): Promise<number> {
  let last = -1;
  for (let time = 0; time < 2; time++) {
    const session = openSession(root);
    const { cells } = session.state.source;
    const n = Number(/^print (\d+)$/.exec(cells[0]!.source)?.[1] ?? NaN);
    // whole edits only: no cell lost, none doubled
    expect(
      cells.map((cell) => cell.id),
      told,
    ).toEqual(["a", ...Array.from({ length: n }, (_, i) => `n${i + 1}`)]);
    if (time > 0) expect(n, told).toBe(last);
    last = n;
    await session.flush();
    await session.close();
    expect(readFileSync(join(root, notebook), "utf8").match(/%% /g), told).toHaveLength(n + 1);
  }
  return last;
}

const numbers = (lines: string[], word: string): number =>
  Math.max(0, ...lines.filter((line) => line.startsWith(word)).map((line) => Number(line.split(" ")[1])));

it("brings back a prefix with everything acknowledged, at no fewer than 40 points of a killed journal", async () => {
  let points = 0;
  for (let at = 1; ; at++) {
    const root = fresh();
    const ran = await runProgram(program, [root, "5"], at);
    const told = `at step ${at}: ${ran.lines.join(", ")}; ${ran.errors}`;
    const n = await back(root, told);
    expect(n, told).toBeGreaterThanOrEqual(numbers(ran.lines, "saved"));
    expect(n, told).toBeLessThanOrEqual(numbers(ran.lines, "did"));
    rmSync(root, { recursive: true, force: true });
    if (ran.finished) {
      expect(n, told).toBe(5);
      break;
    }
    points++;
  }
  expect(points).toBeGreaterThanOrEqual(40);
}, 300_000);

it("brings back a prefix from a journal torn at 40 places, whichever document the file held then", async () => {
  const root = fresh();
  const folder = "workspaces/demo/.touchstone/journal";
  const ran = await runProgram(program, [root, "4"], 0);
  expect(ran.finished, ran.errors).toBe(true);
  const name = readdirSync(join(root, folder))[0]!;
  const bytes = readFileSync(join(root, folder, name));
  const base = bytes.indexOf(10) + 1;
  let before = 0;
  for (let i = 0; i <= 40; i++) {
    const torn = bytes.subarray(0, base + Math.round(((bytes.length - base) * i) / 40));
    const { saved, since, writing } = restore(decodeLines(torn).records)!;
    const found = new Set<number>();
    for (const source of [saved, ...since.map((one) => one.source)]) {
      const copy = mkdtempSync(join(home, "torn-"));
      cpSync(join(root, "workspaces"), join(copy, "workspaces"), { recursive: true });
      writeFileSync(join(copy, folder, name), torn);
      writeFileSync(join(copy, notebook), printNotebook(source));
      // what was to take the file's place and did not lies beside it
      if (writing !== null && source !== writing) writeFileSync(join(copy, `${notebook}.1.new`), printNotebook(writing));
      found.add(await back(copy, `torn at ${i} of 40`));
      rmSync(copy, { recursive: true, force: true });
    }
    expect(found.size, `torn at ${i} of 40`).toBe(1);
    const [n] = found;
    expect(n).toBeGreaterThanOrEqual(before);
    before = n!;
  }
  expect(before).toBe(4);
}, 120_000);

it("takes half a line back when the disk is full, and writes it with what comes next", async () => {
  const root = fresh();
  let full = false;
  const session = openSession(root, (name) => {
    if (full && name === "append journal") throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
  });
  const journal = join(root, "workspaces/demo/.touchstone/journal");
  const file = join(journal, readdirSync(journal)[0]!);
  for (full of [false, true, false]) {
    edit(session, session.state.source.cells.length);
    await session.flush();
  }
  expect(restore(decodeLines(readFileSync(file)).records)!.source.cells).toHaveLength(4);
  await session.close();
});
