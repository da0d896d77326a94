/** The prediction log under hostile records, torn tails, midnight and compaction while it is read; what `log()` selects is asked of DuckDB. */
import { appendFileSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { logSql } from "../../kernels/data/log.js";
import { createAnswerer } from "../../kernels/models/answer.js";
import type { LoadedPredictor } from "../../kernels/models/load.js";
import type { Field, Signature } from "../../kernels/protocol/values.js";
import { duck } from "../../test/support/version.js";
import { createLogs, type LogEntry, type Logs } from "./logs.js";

const home = mkdtempSync(join(tmpdir(), "touchstone-log-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const clock = Date.UTC(2026, 10, 24, 12);
const open = (root: string, told: string[] = []): Logs =>
  createLogs({ root: join(home, root), now: () => clock, log: (text) => told.push(text), every: 0 });
const entry = (id: string, rows: string, at = clock): LogEntry => ({
  ...{ id, at, name: "m", version: 1, arm: "champion", key: null, probability: 1, step: null, ms: 0.1, status: "ok" },
  rows: Buffer.from(rows),
});
const row = (x: number): string => `"record":{"x":${x}},"prediction":${x},"warnings":[]`;
const select = async (logs: Logs, signature: Signature | null = null, range = {}): Promise<Record<string, unknown>[]> =>
  duck(logSql(await logs.files({ name: "m" }), signature, range));
const signatureOf = (inputs: Field[]): Signature => ({ inputs, output: { name: "y", kind: "number" } });

/** Answers records as a host does and gives the fragments for the log. */
async function answered(signature: Signature, records: object[]): Promise<string> {
  const predictor = { signature, predict: async (rows: object[]) => rows.map(() => 0.5) } as unknown as LoadedPredictor;
  const body = Buffer.from(JSON.stringify({ instances: records }));
  const answer = await createAnswerer(predictor).answer({ form: "v1", body, type: "application/json", headerLength: null, name: "m", version: "1" });
  expect(answer.status, Buffer.from(answer.body).toString()).toBe(200);
  return answer.log.join("\n");
}

it("keeps strings that only JavaScript takes, and keys named like the log's own", async () => {
  const names = ["id", "row", "at", "record", "prediction", "warnings", "outcome", "v", "Flug °C", 'a"b', "a.b", "a'b", "x y"];
  const signature = signatureOf(names.map((name) => ({ name, type: "string", nullable: true })));
  const strings = ["\ud800", "a\udc00b", "\u0000", "\u2028\n\r\t", "😀", "\\ud800", '"}{"', "null", "x".repeat(3_000_000)];
  const logs = open("strings");
  for (const [i, text] of strings.entries())
    await logs.predictions(
      entry(`s${i}`, await answered(signature, [{ ...Object.fromEntries(names.map((name) => [name, text])), [`\ud83d${i}`]: 1 }])),
      true,
    );
  await logs.feedback([{ id: "s0", row: 0, name: "m", outcome: "outcome", value: "\udfff", eventAt: 1, at: 1 }]);
  const expected = strings.map((text) => text.replace(/\p{Surrogate}/gu, "\ufffd"));
  const check = async (): Promise<void> => {
    const rows = await select(logs, signature);
    expect(rows.map((one) => one["id"])).toEqual(strings.map((_, i) => `s${i}`));
    rows.forEach((one, i) => expect(one["record"]).toEqual(Object.fromEntries(names.map((name) => [name, expected[i]]))));
    expect((await select(logs, null))[0]).toMatchObject({ outcome: "\ufffd" });
  };
  await check();
  await logs.compact(true);
  expect((await logs.files({ name: "m" })).segments).toEqual([]);
  await check();
  await logs.close();
});

it("takes a record of 10,000 columns", async () => {
  const inputs = Array.from({ length: 10_000 }, (_, i): Field => ({ name: `c${i}`, type: "double", nullable: false }));
  const signature = signatureOf([...inputs, { name: "time", type: "timestamp", nullable: true }]);
  const record = { ...Object.fromEntries(inputs.map(({ name }, i) => [name, i / 4])), time: new Date("2001-05-31T08:05:00.250Z") };
  const logs = open("wide");
  await logs.predictions(entry("wide", await answered(signature, [record, record])), true);
  await logs.compact(true);
  const rows = await select(logs, signature);
  expect(rows).toHaveLength(2);
  expect(rows[1]!["record"]).toEqual(record);
  await logs.close();
}, 60_000);

it("reads nothing of a torn tail, in the log and in the feedback", async () => {
  const logs = open("torn");
  await logs.predictions(entry("whole", row(1)), true);
  await logs.feedback([{ id: "whole", row: 0, name: "m", outcome: "outcome", value: 3, eventAt: 5, at: 5 }]);
  for (const kind of ["log", "feedback"]) {
    const dir = join(home, "torn/.touchstone", kind, "m/day=" + (kind === "log" ? "2026-11-24" : "1970-01-01"));
    appendFileSync(join(dir, readdirSync(dir)[0]!), '{"id":"torn","row":0,"at":1,"rec');
  }
  expect(await select(logs)).toMatchObject([{ id: "whole", outcome: "3" }]);
  await logs.close();
});

it("puts a row on the UTC day of its request, also across midnight", async () => {
  const logs = open("midnight");
  const midnight = Date.UTC(2026, 10, 25);
  for (const at of [midnight - 1, midnight, midnight - 1, midnight + 1]) await logs.predictions(entry(`t${at}`, row(1), at), true);
  expect(readdirSync(join(home, "midnight/.touchstone/log/m")).sort()).toEqual(["day=2026-11-24", "day=2026-11-25"]);
  const first = await logs.files({ name: "m", to: "2026-11-24T23:59:59.999Z" });
  expect(await duck(logSql(first, null, {}))).toHaveLength(2);
  expect(await select(logs, null, { from: "2026-11-25T00:00:00.000Z" })).toHaveLength(2);
  await logs.compact(true);
  expect(await select(logs)).toHaveLength(4);
  await logs.close();
});

it("counts each row once while segments become Parquet under the readers, and removes them later", async () => {
  const logs = open("race");
  let written = 0;
  let done = false;
  const writer = (async () => {
    while (!done) {
      await logs.predictions(entry(`w${written}`, `${row(1)}\n${row(2)}`), true);
      written++;
      if (written % 40 === 0) await new Promise((next) => setImmediate(next));
    }
  })();
  const compaction = (async () => {
    for (let i = 0; i < 4; i++) await logs.compact(true);
    done = true;
  })();
  while (!done) {
    const least = written * 2;
    const files = await logs.files({ name: "m" });
    const rows = await duck(`select count(*)::int as n, count(distinct id || "row")::int as d from (${logSql(files, null, {})})`);
    expect(rows[0]!["d"]).toBe(rows[0]!["n"]);
    expect(Number(rows[0]!["n"])).toBeGreaterThanOrEqual(least);
  }
  await Promise.all([writer, compaction]);
  await logs.compact(true);
  const [count] = await duck(`select count(*)::int as n from (${logSql(await logs.files({ name: "m" }), null, {})})`);
  expect(count!["n"]).toBe(written * 2);
  await logs.close();
}, 60_000);

it("joins the latest outcome by event time, by name, and keeps those of unknown ids apart", async () => {
  const logs = open("feedback");
  for (const id of ["a", "b"]) await logs.predictions(entry(id, row(1)), true);
  const tell = (id: string, outcome: string, value: unknown, eventAt: number, at: number) =>
    logs.feedback([{ id, row: 0, name: "m", outcome, value, eventAt, at: clock + at }]);
  await tell("a", "outcome", 2, 200, 1);
  await tell("a", "outcome", 1, 100, 2); // told later, happened before
  await tell("a", "bought", 9, 300, 3);
  await tell("b", "bought", 7, 300, 3);
  await tell("nobody", "outcome", 5, 300, 3);
  expect(await select(logs)).toMatchObject([
    { id: "a", outcome: "2" },
    { id: "b", outcome: null },
  ]);
  expect(await select(logs, null, { outcome: "bought" })).toMatchObject([
    { id: "a", outcome: "9" },
    { id: "b", outcome: "7" },
  ]);
  expect(await select(logs, null, { matured: true })).toHaveLength(1);
  // the prediction comes after its outcome
  await logs.predictions(entry("nobody", row(1)), true);
  expect((await select(logs)).find((one) => one["id"] === "nobody")).toMatchObject({ outcome: "5" });
  await logs.close();
});

it("stays readable beside an outcome whose time is none, as in logs of before it was refused", async () => {
  const logs = open("far");
  await logs.predictions(entry("a", row(1)), true);
  const tell = (value: number, eventAt: number) => logs.feedback([{ id: "a", row: 0, name: "m", outcome: "outcome", value, eventAt, at: clock }]);
  await tell(1, clock);
  for (const time of [1.7e18, -1e17, 9e18, 1e300]) await tell(2, time);
  expect(await select(logs)).toMatchObject([{ id: "a", outcome: "1" }]);
  await logs.close();
});

it("compacts the other days when one cannot be read, and changes nothing of that one", async () => {
  const told: string[] = [];
  const logs = open("poison", told);
  await logs.predictions(entry("a", `"record":{"x":"\\ud800"},"prediction":1,"warnings":[]`, clock - 86_400_000), true);
  await logs.predictions(entry("b", row(1)), true);
  await expect(logs.compact(true)).rejects.toThrow(/2026-11-23/);
  const files = await logs.files({ name: "m" });
  expect([files.parquet.length, files.segments.length]).toEqual([1, 1]);
  expect(told).toHaveLength(1);
  await logs.close();
});
