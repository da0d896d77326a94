/** kill -9 at every step of promotion, rollback, logs and compaction: old state or new, nothing acknowledged lost, nothing counted twice. */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { logSql } from "../../kernels/data/log.js";
import { readVersion } from "../../kernels/paths/folder.js";
import { entry } from "../../kernels/paths/paths.js";
import { bundleProgram, runProgram } from "../../test/support/kill.js";
import { duck, stageTiny } from "../../test/support/version.js";
import { parseHistory } from "../registry/history.js";
import { createLogs } from "./logs.js";
import { createServing } from "./serving.js";
import type { Serving } from "./types.js";

const home = mkdtempSync(join(tmpdir(), "touchstone-kill-"));
const template = join(home, "template");
const log = { info: () => undefined, error: () => undefined };
let program = "";
let proposal = "";
let points = 0;

/** Version 1 is in use, version 2 is judged; both by real hosts. */
beforeAll(async () => {
  program = await bundleProgram("test/support/kill-program.ts", home);
  const serving = createServing({ root: template, log, compactEvery: 0 });
  await serving.commit((await serving.propose(await stageTiny(template, "tiny"))).id, "test");
  const second = await serving.propose(await stageTiny(template, "tiny", { intercept: 3.001 }));
  expect(second.sentence).toMatch(/^Ready/);
  proposal = second.id;
  await serving.close();
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** ROOT as it was before, in a folder of its own. */
function fresh(): string {
  const root = mkdtempSync(join(home, "root-"));
  cpSync(join(template, ".touchstone"), join(root, ".touchstone"), { recursive: true });
  return root;
}

/** Opened after the kill, without hosts. */
function reopen(root: string): Serving {
  return createServing({ root, log, compactEvery: 0, start: () => Promise.reject(new Error("no hosts here")) });
}

it("leaves the old state or the new one when promote and rollback are killed", async () => {
  for (let at = 1; ; at++) {
    const root = fresh();
    const ran = await runProgram(program, [root, "commit", proposal], at);
    const serving = reopen(root);
    const model = serving.model("tiny")!;
    const state = `${model.champion} of ${model.versions.map((version) => version.version).join()}`;
    const told = `at step ${at}: ${ran.lines.join(", ")}; ${state}; ${ran.errors}`;
    expect(["1 of 1", "2 of 1,2", "1 of 1,2"], told).toContain(state);
    if (ran.lines.includes("committed 2")) expect(state, told).not.toBe("1 of 1");
    if (ran.lines.includes("rolled back")) expect(state, told).toBe("1 of 1,2");
    // what the history names is whole; what it does not name is gone
    const folders = readdirSync(join(root, ".touchstone/models/tiny")).sort();
    expect(folders, told).toEqual(model.versions.map((version) => `v${version.version}`));
    for (const folder of folders) readVersion(join(root, ".touchstone/models/tiny", folder));
    const text = readFileSync(join(root, ".touchstone/history.ndjson"));
    expect(parseHistory(text).bytes, told).toBe(text.length);
    // the proposal can still be committed, and only once
    await serving.close();
    const again = await runProgram(program, [root, "commit", proposal], 0);
    expect(again.lines[0], told + again.errors).toBe("committed 2");
    const lines = parseHistory(readFileSync(join(root, ".touchstone/history.ndjson"))).lines;
    expect(lines.filter((line) => line.type === "promote").length, told).toBe(2);
    rmSync(root, { recursive: true, force: true });
    if (ran.finished) break;
    points++;
  }
  expect(points).toBeGreaterThanOrEqual(30);
}, 300_000);

/** Request ids in the log, and outcomes by id, as a notebook reads them. */
async function logged(root: string): Promise<{ rows: string[]; heard: string[] }> {
  const logs = createLogs({ root, now: Date.now, log: () => undefined, every: 0 });
  const sql = logSql(await logs.files({ name: "tiny" }), null, {});
  await logs.close();
  const rows = await duck(`select id || '/' || "row" as id, outcome from (${sql})`);
  return { rows: rows.map((row) => String(row["id"])), heard: rows.filter((row) => row["outcome"] !== null).map((row) => String(row["id"])) };
}

it("keeps every acknowledged answer and outcome when the server is killed", async () => {
  const before = points;
  for (let at = 1; ; at++) {
    const root = fresh();
    const ran = await runProgram(program, [root, "log", "3"], at);
    const told = `at step ${at}: ${ran.lines.join(", ")}; ${ran.errors}`;
    const acknowledged = (word: string): string[] => ran.lines.filter((line) => line.startsWith(word)).map((line) => line.split(" ")[1]!);
    const { rows, heard } = await logged(root);
    expect(new Set(rows).size, told).toBe(rows.length);
    expect(rows, told).toEqual(expect.arrayContaining(acknowledged("answered").flatMap((id) => [`${id}/0`, `${id}/1`])));
    expect(heard, told).toEqual(expect.arrayContaining(acknowledged("heard").map((id) => `${id}/0`)));
    rmSync(root, { recursive: true, force: true });
    if (ran.finished) {
      expect([rows.length, heard.length]).toEqual([6, 3]);
      break;
    }
    points++;
  }
  expect(points - before).toBeGreaterThanOrEqual(20);
}, 300_000);

it("counts each row once when the log worker is killed", async () => {
  const root = fresh();
  for (let i = 0; i < 3; i++) await runProgram(program, [root, "log", "4"], 0);
  const [day] = readdirSync(join(root, ".touchstone/log/tiny"));
  const dir = join(root, ".touchstone/log/tiny", day!);
  const expected = (await logged(root)).rows.sort();
  expect(expected).toHaveLength(24);
  const before = points;
  for (let at = 1; ; at++) {
    const copy = mkdtempSync(join(home, "root-"));
    cpSync(join(root, ".touchstone"), join(copy, ".touchstone"), { recursive: true });
    const segments = readdirSync(dir).filter((file) => file.endsWith(".ndjson"));
    const input = JSON.stringify([{ dir: join(copy, ".touchstone/log/tiny", day!), segments }]);
    const ran = await runWorker(input, at);
    const told = `at step ${at}: ${ran.errors}`;
    expect((await logged(copy)).rows.sort(), told).toEqual(expected);
    // and again, to the end
    const again = await runWorker(input, 0);
    expect(again.finished, again.errors).toBe(true);
    expect((await logged(copy)).rows.sort(), told).toEqual(expected);
    expect(existsSync(join(copy, ".touchstone/log/tiny", day!, "manifest.json"))).toBe(true);
    rmSync(copy, { recursive: true, force: true });
    if (ran.finished) break;
    points++;
  }
  expect(points - before).toBeGreaterThanOrEqual(8);
}, 300_000);

it("keeps the old state when a proposal is killed, and judges the same one afterwards", async () => {
  const request = await stageTiny(template, "tiny", { intercept: 3.002 });
  const trainKeys = request.testRows.replace("test.parquet", "train-keys.parquet");
  await duck(`copy (select timestamp '2000-01-01' as __key) to '${trainKeys}' (format parquet)`);
  const file = join(home, "request.json");
  writeFileSync(file, JSON.stringify({ ...request, trainKeys }));
  const judge = (root: string, at: number) => runProgram(program, [root, "propose", file], at);
  const before = points;
  let id: string;
  for (let at = 1; ; at++) {
    const root = fresh();
    const ran = await judge(root, at);
    const told = `at step ${at}: ${ran.lines.join(", ")}; ${ran.errors}`;
    const known = new Set(readdirSync(join(template, ".touchstone/proposals")));
    const serving = reopen(root);
    const model = serving.model("tiny")!;
    expect([model.champion, model.versions.length], told).toEqual([1, 1]);
    // nothing half done is left: a verdict stands beside the whole version that it was made on, or there is nothing
    for (const folder of readdirSync(join(root, ".touchstone/proposals")).filter((one) => !known.has(one))) {
      expect(serving.proposal(folder)?.passed, told).toBe(true);
      readVersion(join(root, ".touchstone/proposals", folder, "version"));
    }
    await serving.close();
    // judging takes seconds: asked for again after each eighth kill
    if (!ran.finished && at % 8 === 0) expect((await judge(root, 0)).lines, told).toEqual([expect.stringMatching(/^proposed [0-9a-f]{32} true$/)]);
    rmSync(root, { recursive: true, force: true });
    if (ran.finished) {
      expect(ran.lines, told).toEqual([expect.stringMatching(/^proposed [0-9a-f]{32} true$/)]);
      id = ran.lines[0]!.split(" ")[1]!;
      break;
    }
    points++;
  }
  expect(id).not.toBe(proposal);
  expect(points - before).toBeGreaterThanOrEqual(40);
}, 600_000);

it("was killed at no fewer than 130 points", () => {
  expect(points).toBeGreaterThanOrEqual(130);
});

async function runWorker(input: string, at: number): Promise<{ finished: boolean; errors: string }> {
  const { spawn } = await import("node:child_process");
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [entry("log-worker")], { env: { ...process.env, TOUCHSTONE_KILL_AT: String(at) } });
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (piece: string) => (errors += piece));
    child.on("close", (_, signal) => resolve({ finished: signal === null, errors }));
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}
