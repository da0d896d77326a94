import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, it } from "vitest";
import { tinyParts } from "../../../test/support/version.js";
import { writeVersion } from "../../models/version.js";
import type { RunContext } from "../../protocol/cells.js";
import type { FindingView } from "../../protocol/output.js";
import type { Gate, Proposal } from "../../protocol/serving.js";
import { splitOf, type Evaluated, type Split } from "../../protocol/values.js";
import { cell } from "./cell.js";
import { curl, run } from "./run.js";
import { testSql } from "./stage.js";

const home = mkdtempSync(join(tmpdir(), "touchstone-promote-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

let shown: FindingView[] = [];
let calls: { method: string; params: Record<string, unknown> }[] = [];
let sql: string[] = [];
let staged: unknown[] = [];
beforeEach(() => {
  shown = [];
  calls = [];
  sql = [];
  staged = [];
});

const relation = (name: string) => ({ name, save: async (path: string) => writeFileSync(path, "parquet") });
const split = {
  ...{ id: "s1", train: relation("nb.train"), valid: relation("nb.valid"), test: relation("nb.test") },
  spec: { by: "time", key: "at", cut: ["a", "b"] },
} as unknown as Split;
const task = { kind: "regression", target: "y" } as const;
const model = {
  ...{ label: "tiny", task, params: 2, bytes: 8, evaluation: { split: "s1" }, [splitOf]: split },
  predict: async () => [],
  stage: async (dir: string, bar: unknown) => {
    staged.push(bar);
    return writeVersion(dir, tinyParts());
  },
} as unknown as Evaluated;

const gates = (verdict: Gate["verdict"]): Gate[] => [
  { name: "baseline", verdict: "pass", sentence: "beats mean by 70 % [60, 80]", measured: 1, limit: 0, unit: "MAE" },
  { name: "budget", verdict, sentence: "slower than allowed, p99 31 ms of 20", measured: 31, limit: 20, unit: "ms" },
];
const proposalOf = (verdict: Gate["verdict"], version: number | null): Proposal => ({
  ...{ id: "p", name: "tiny", version, url: version === null ? null : "/v1/models/tiny:predict", gates: gates(verdict), passed: verdict === "pass" },
  sentence: verdict === "pass" ? "Ready: passes six gates." : "Not promoted: budget gate, slower than allowed, p99 31 ms of 20. Nothing was changed.",
  ...{ manifest: { bytes: 1000, label: "tiny" } as Proposal["manifest"], metric: "MAE", candidate: 3, baseline: { label: "mean", value: 12 } },
  ...{ incumbent: null, latency: { p50: 1, p99: 31, p99ci: [29, 33], jitter: 0.5 } },
});

function context(verdict: Gate["verdict"], mayCommit: boolean): RunContext {
  return {
    ...{ cell: "c", run: "r", notebook: "tiny.nb.ts", workspace: home, root: home, mayCommit },
    progress: () => undefined,
    show: (view: FindingView) => void shown.push(view),
    staging: async () => mkdtempSync(join(home, "staging-")),
    call: async (method: string, params: Record<string, unknown>) => {
      calls.push({ method, params });
      return proposalOf(verdict, method === "registry.commit" ? 1 : null);
    },
    sql: async (text: string) => {
      sql.push(text);
      return relation("nb.x");
    },
  } as unknown as RunContext;
}

it("stages, proposes and changes nothing by itself", async () => {
  const result = await run({ name: "tiny", model, against: { bar: model }, budget: { p99Ms: 20 } }, context("pass", false));
  expect(calls.map((call) => call.method)).toEqual(["registry.propose"]);
  expect(calls[0]!.params).toMatchObject({ name: "tiny", margin: 0, budget: { p99Ms: 20 }, slices: [], rollout: null });
  expect(staged).toEqual([model]);
  expect(sql[0]).toBe('select *, "y" as __y, "at" as __key, false as __warm from nb.test');
  expect(result).toMatchObject({ version: null, url: null, verdict: "good", sentence: "Ready: passes six gates." });
  expect(shown.at(-1)).toMatchObject({ word: "ready", proposal: { id: "p" } });
  await expect(result.export(join(home, "x"))).rejects.toThrow(/not promoted yet/);
});

it("commits when it may, and offers the request with a real record", async () => {
  const result = await run({ name: "tiny", model, against: model }, context("pass", true));
  expect(calls.map((call) => call.method)).toEqual(["registry.propose", "registry.commit"]);
  expect(result).toMatchObject({
    version: 1,
    url: "/v1/models/tiny:predict",
    sentence: "Promoted as version 1 of tiny: beats mean by 70 % [60, 80].",
  });
  expect(shown.at(-1)!.next.find((step) => step.type === "copy")).toMatchObject({ text: curl("tiny", { x: 0 }) });
});

it("never commits what failed a gate, and says which", async () => {
  const result = await run({ name: "tiny", model, against: model }, context("fail", true));
  expect(calls.map((call) => call.method)).toEqual(["registry.propose"]);
  expect(result).toMatchObject({ verdict: "bad", version: null });
  expect(result.sentence).toBe("Not promoted: budget gate, slower than allowed, p99 31 ms of 20. Nothing was changed.");
  expect(shown.at(-1)!.next).toMatchObject([{ label: "Distil it", kind: "distill" }]);
});

it("quotes a record for the shell", () => {
  expect(curl("m", { name: "O'Hare" })).toContain(`-d '{"instances":[{"name":"O'\\''Hare"}]}'`);
});

it("gives a forecast the rows before the test part", () => {
  const text = testSql(split, { kind: "forecast", target: "y", time: "at", season: 7, horizon: 1, series: "station" });
  expect(text).toContain('partition by "station" order by "at" desc) <= 1000');
  expect(text).toMatch(/true as __warm from .* union all by name select .* false as __warm from nb\.test$/s);
});

it.each([
  [{ name: "Tiny", model, against: model }, /`name`/],
  [{ name: "tiny", model: 3, against: model }, /`model`/],
  [{ name: "tiny", model: {}, against: model }, /`model` to be a predictor with an evaluation/],
  [{ name: "tiny", model }, /`against`/],
  [{ name: "tiny", model, against: model, budget: { p99Ms: -1 } }, /`budget.p99Ms`/],
  [{ name: "tiny", model, against: model, margin: "big" }, /`margin`/],
  [{ name: "tiny", model, against: model, colour: 1 }, /unknown option `colour`/],
  [{ name: "tiny", model, against: { ...model, evaluation: { split: "other" } } }, /different splits/],
])("refuses %o", async (options, message) => {
  await expect(run(options as never, context("pass", true))).rejects.toThrow(message);
  expect(calls).toEqual([]);
});

it("fills a new cell from what is in scope", () => {
  const names = [
    { name: "floor", cell: "a", type: "baseline" as const },
    { name: "d", cell: "b", type: "distill" as const },
  ];
  expect(cell.toSource(names)).toContain("model: d.student,\n  against: floor");
  expect(cell.toSource(names.slice(0, 1))).toContain("model: floor.bar");
});
