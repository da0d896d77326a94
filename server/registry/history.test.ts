import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, it } from "vitest";
import { createDisk } from "./disk.js";
import { foldHistory } from "./fold.js";
import { openHistory, parseHistory, type HistoryEvent } from "./history.js";
import { LockedError, takeLock } from "./lock.js";

const home = mkdtempSync(join(tmpdir(), "touchstone-history-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const disk = createDisk();
const at = "2026-11-24T00:00:00.000Z";

const promote = (version: number, alias: "champion" | "challenger" = "champion"): HistoryEvent => ({
  ...{ at, type: "promote", name: "m", version, alias, proposal: `p${version}`, manifest: `h${version}`, by: "ada", metric: "MAE", value: 1 },
  ...{ baseline: { label: "mean", value: 2 }, incumbent: null },
});
const rollback = (from: number, to: number): HistoryEvent => ({ at, type: "rollback", name: "m", from, to, why: "slow", by: "ada" });

function written(name: string, events: HistoryEvent[]): string {
  const path = join(home, name);
  const history = openHistory(path, disk);
  for (const event of events) history.append(event);
  history.close();
  return path;
}

it("folds promotions, challengers, rollbacks and retirement", () => {
  const events: HistoryEvent[] = [
    promote(1),
    promote(2),
    rollback(2, 1),
    promote(3, "challenger"),
    {
      at,
      type: "arms",
      name: "m",
      salt: "s",
      arms: [
        { version: 3, share: 0.01 },
        { version: 1, share: 0.99 },
      ],
      why: "1 %",
      by: "ada",
    },
  ];
  const { lines } = parseHistory(readFileSync(written("fold", events)));
  expect(foldHistory(lines).models.get("m")).toMatchObject({ champion: 1, challenger: 3, previous: 2, arms: [{ version: 3 }, { version: 1 }] });
  expect(foldHistory(lines).committed.get("p2")).toEqual({ name: "m", version: 2 });
  const path = written("retire", [promote(1), { at, type: "retire", name: "m", why: "old", by: "ada" }]);
  expect(foldHistory(parseHistory(readFileSync(path)).lines).models.get("m")).toMatchObject({ retired: true, champion: null });
});

it("cuts a torn last line at every byte and goes on from there", () => {
  const whole = readFileSync(written("torn", [promote(1), promote(2)]));
  const first = whole.indexOf(10) + 1;
  for (let length = first; length < whole.length; length++) {
    const path = join(home, "cut");
    writeFileSync(path, whole.subarray(0, length));
    const history = openHistory(path, disk);
    expect(history.lines).toHaveLength(1);
    history.append(promote(2));
    history.close();
    expect(parseHistory(readFileSync(path)).lines.map((line) => line.type === "promote" && line.version)).toEqual([1, 2]);
  }
});

it("refuses damage in the middle, whichever byte it strikes", () => {
  const whole = readFileSync(written("damage", [promote(1), promote(2), promote(3)]));
  const end = whole.lastIndexOf(10, whole.length - 2);
  fc.assert(
    fc.property(fc.nat(end - 1), fc.integer({ min: 1, max: 255 }), (place, change) => {
      const copy = Buffer.from(whole);
      copy[place] = copy[place]! ^ change;
      // a byte may become a line feed or lose one; never is a changed line believed
      let lines: unknown[];
      try {
        lines = parseHistory(copy).lines;
      } catch (error) {
        expect((error as Error).message).toMatch(/history\.ndjson is damaged at line \d/);
        return;
      }
      const original = parseHistory(whole).lines;
      expect(lines).toEqual(original.slice(0, lines.length));
      expect(lines.length).toBeLessThan(3);
    }),
    { numRuns: 300 },
  );
});

it("refuses lines in another order and lines left out", () => {
  const lines = readFileSync(written("order", [promote(1), promote(2), promote(3)]), "utf8")
    .trimEnd()
    .split("\n");
  const read = (chosen: string[]): unknown => parseHistory(Buffer.from(chosen.map((line) => `${line}\n`).join("")));
  expect(() => read([lines[0]!, lines[2]!, lines[2]!])).toThrow(/damaged at line 2/);
  expect(() => read([lines[1]!, lines[0]!])).toThrow(/damaged at line 1/);
});

it("gives the lock to one, names the owner, and takes it from the dead", () => {
  const path = join(home, "lock");
  const release = takeLock(path);
  expect(() => takeLock(path)).toThrow(LockedError);
  expect(() => takeLock(path)).toThrow(new RegExp(`process ${process.pid}`));
  release();
  takeLock(path)();
  // a pid that lives, with another start time: used again after a crash
  writeFileSync(path, JSON.stringify({ pid: process.pid, started: "1" }));
  takeLock(path)();
  // cut short by a power loss
  writeFileSync(path, '{"pid":');
  takeLock(path)();
  appendFileSync(path, "");
  truncateSync(path, 0);
  takeLock(path)();
});
