/** `promote({ name, model, against, margin?, budget?, slices?, rollout? })`: stages, lets the server judge, shows the gates; commits only when asked to. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { RunContext } from "../../protocol/cells.js";
import type { PromoteOptions, PromoteResult } from "../../protocol/library.js";
import type { FindingView, NextStep } from "../../protocol/output.js";
import type { Gate, Proposal } from "../../protocol/serving.js";
import { settle, type Evaluated, type RolloutPlan, type SampleLine } from "../../protocol/values.js";
import { check } from "../baseline/options.js";
import { schema } from "./cell.js";
import { judgedBy, stageVersion } from "./stage.js";

const words: Record<Gate["verdict"], string> = { pass: "pass", fail: "fail", unsure: "not sure", skip: "does not apply" };

export async function run<R extends object>(options: PromoteOptions<R>, context: RunContext): Promise<PromoteResult> {
  const checked = check(schema, options, "promote") as PromoteOptions<R>;
  const model = evaluated(checked.model, "model");
  const bar = evaluated("bar" in checked.against ? checked.against.bar : checked.against, "against");
  const split = judgedBy(model, bar);
  const started = performance.now();
  const staged = await stageVersion(model, bar, split, context);
  context.progress({ label: "the server judges: six gates", done: 0, total: null, eta: null });
  const rollout = checked.rollout === undefined ? null : ((checked.rollout as { plan?: RolloutPlan }).plan ?? checked.rollout);
  let proposal = await context.call("registry.propose", {
    ...{ name: checked.name, dir: staged.dir, testRows: staged.testRows, trainKeys: staged.trainKeys, notebook: context.notebook },
    ...{ margin: checked.margin ?? 0, budget: checked.budget ?? {}, slices: (checked.slices ?? []) as string[], rollout },
  });
  const sample = firstRecord(staged.dir);
  context.show(view(proposal, sample, performance.now() - started));
  if (context.mayCommit && proposal.passed && proposal.version === null) {
    context.progress({ label: "committing", done: 0, total: null, eta: null });
    proposal = await context.call("registry.commit", { proposal: proposal.id, by: "run --promote" });
    context.show(view(proposal, sample, performance.now() - started));
  }
  context.progress(null);
  const shown = view(proposal, sample, performance.now() - started);
  return {
    ...{ sentence: shown.sentence, verdict: shown.verdict, method: shown.method, numbers: shown.numbers },
    ...{ proposal, gates: proposal.gates, version: proposal.version, url: proposal.url },
    async export(dir) {
      if (proposal.version === null) throw new Error(`${proposal.name} is not promoted yet: there is no version to export`);
      const found = await context.call("registry.resolve", { name: proposal.name, version: proposal.version });
      if (!found) throw new Error(`version ${proposal.version} of ${proposal.name} is no longer in the registry`);
      const { exportVersion } = await import("../../models/export.js");
      await exportVersion(found, dir);
    },
  };
}

function evaluated(value: unknown, name: string): Evaluated {
  const found = value as Partial<Evaluated> | null;
  if (typeof found !== "object" || found === null || typeof found.stage !== "function" || !found.evaluation)
    throw new TypeError(`promote: Expected \`${name}\` to be a predictor with an evaluation, such as the result of train or a baseline's bar`);
  void (found as { [settle]?(): Promise<void> })[settle]?.();
  return found as Evaluated;
}

function firstRecord(dir: string): SampleLine["record"] {
  const line = readFileSync(join(dir, "sample.jsonl"), "utf8").split("\n")[0] ?? "{}";
  return (JSON.parse(line) as SampleLine).record;
}

/** A request to copy, with a real record of the sample. `$TOUCHSTONE_URL` is filled in by the page. */
export function curl(name: string, record: SampleLine["record"]): string {
  const body = JSON.stringify({ instances: [record] }).replaceAll("'", "'\\''");
  return `curl -s "\${TOUCHSTONE_URL:-http://127.0.0.1:4747}/v1/models/${name}:predict" -H 'content-type: application/json' -d '${body}'`;
}

/** The gates as a finding. */
export function view(proposal: Proposal, record: SampleLine["record"], ms: number): FindingView {
  const { name, version, gates, passed, metric, candidate, baseline, incumbent, latency, manifest, slices = [] } = proposal;
  const sentence = version === null ? proposal.sentence : `Promoted as version ${version} of ${name}: ${gates[0]?.sentence ?? ""}.`;
  const numbers: Record<string, number> = { candidate, baseline: baseline.value, bytes: manifest.bytes };
  if (incumbent) numbers["incumbent"] = incumbent.value;
  if (latency) Object.assign(numbers, { p50: latency.p50, p99: latency.p99, jitter: latency.jitter });
  const failed = gates.filter((gate) => gate.verdict === "fail").map((gate) => gate.name);
  const next: NextStep[] =
    version !== null
      ? [
          { label: "Open the live page", type: "open", href: `/models/${name}/live` },
          { label: "Copy curl", type: "copy", text: curl(name, record) },
        ]
      : failed.includes("budget")
        ? [{ label: "Distil it", type: "insert", kind: "distill", source: "" }]
        : [];
  return {
    ...{ kind: "promote", sentence, verdict: passed ? "good" : "bad", word: version !== null ? "live" : passed ? "ready" : "not promoted" },
    method: gates.find((gate) => gate.paired)?.paired?.method ?? "six gates",
    numbers,
    figures: [],
    tables: [
      {
        title: "Gates",
        columns: ["gate", "verdict", "measured", "limit", "unit", "what was found"],
        rows: gates.map((gate) => [gate.name, words[gate.verdict], gate.measured, gate.limit, gate.unit, gate.sentence]),
      },
      ...(slices.length === 0
        ? []
        : [
            {
              title: "Slices",
              columns: ["column", "value", "rows", metric, baseline.label],
              rows: slices.map((slice) => [slice.column, slice.value, slice.n, slice.candidate, slice.baseline]),
            },
          ]),
    ],
    warnings: gates.filter((gate) => gate.verdict === "unsure").map((gate) => `${gate.name}: ${gate.sentence}`),
    footer: `${metric} · ${manifest.label} · ${(manifest.bytes / 1e6).toFixed(2)} MB · judged by the server in ${(ms / 1000).toFixed(1)} s`,
    next,
    proposal,
  };
}
