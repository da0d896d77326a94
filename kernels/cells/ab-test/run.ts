/** `abTest({ outcome, lift, keysPerDay, ... })`: plan a live test and try it on simulated traffic first (contracts 3). */
import type { RunContext } from "../../protocol/cells.js";
import type { AbTestOptions, AbTestResult } from "../../protocol/library.js";
import type { FindingView, PlotlySpec } from "../../protocol/output.js";
import { settle, type Relation, type RolloutPlan } from "../../protocol/values.js";
import { keysPerArm as keysFor, powerOf, shareVariance } from "../../stats/power.js";
import { sequentialHalf } from "../../stats/sequential.js";
import { meanOf, medianOf, sequentialPower, shareOf, trials, type Outcome, type Trial } from "../../stats/trial.js";
import { wilson } from "../../stats/wilson.js";
import normalCdf from "@stdlib/stats-base-dists-normal-cdf";
import normalQuantile from "@stdlib/stats-base-dists-normal-quantile";
import { check } from "../baseline/options.js";
import { digits } from "../baseline/figure.js";
import { quote } from "../drift/sketch.js";
import { schema } from "./cell.js";

/** A plan of more days than this is called too slow. */
const patience = 90;
/** At most as many looks are simulated; longer tests are read every few days. */
const mostLooks = 366;

interface Checked {
  outcome?: AbTestOptions["outcome"];
  lift: number;
  keysPerDay: number;
  arms: [number, number];
  power: number;
  method: "fixed" | "sequential";
  looks?: number;
  maturityDays: number;
  guardrails: string[];
  alpha: number;
  sims: number;
  seed?: number;
}

export async function run(options: AbTestOptions, context: RunContext): Promise<AbTestResult> {
  const o = check(schema, options ?? {}, "abTest") as Checked;
  const { outcome, said } = await outcomeOf(o.outcome, context);
  const { lift, arms, alpha, power, method, sims } = o;
  const [control, treated] = outcome.kind === "proportion" ? [outcome.rate, outcome.rate * (1 + lift)] : [outcome.mean, outcome.mean * (1 + lift)];
  if (outcome.kind === "proportion" && treated >= 1)
    throw new RangeError(
      `abTest: a lift of ${percent(lift)} on a share of ${percent(outcome.rate)} is more than everything: Expected \`lift\` below ${digits(1 / outcome.rate - 1)}`,
    );
  const delta = treated - control;
  const v0 = outcome.kind === "proportion" ? shareVariance(control) : outcome.sd ** 2;
  const v1 = outcome.kind === "proportion" ? shareVariance(treated) : outcome.sd ** 2;
  const smaller = Math.min(...arms);
  const onceTotal = keysFor(delta, v0, v1, alpha, power, arms[1] / arms[0]) / arms[0];
  // with the sequence tuned to the planned end, its limit there is a fixed number of standard errors
  const limit = sequentialHalf(1, 5000, alpha, 5000);
  const z = (p: number): number => normalQuantile(p, 0, 1);
  const factor = ((limit + z(power)) / (z(1 - alpha / 2) + z(power))) ** 2;
  const total = method === "fixed" ? onceTotal : onceTotal * factor;
  const keysPerArm = Math.ceil(total * smaller);
  const days = Math.max(1, Math.ceil(total / o.keysPerDay));
  const plan: RolloutPlan = {
    ...{
      metric: outcome.kind === "proportion" ? "share" : "mean",
      arms: [...arms],
      keysPerArm,
      days,
      alpha,
      power,
      lift,
      method,
      maturityDays: o.maturityDays,
    },
  };
  const count = Math.min(o.looks ?? days, mostLooks);
  const looks = Array.from({ length: count }, (_, k) => Math.round((total * (k + 1)) / count));
  const design = { outcome, arms, looks, alpha };
  const seed = o.seed ?? context.seed("simulation");
  const simulate = async (name: string, trueLift: number, offset: number): Promise<Trial[]> => {
    const out: Trial[] = [];
    const piece = Math.max(50, Math.floor(20_000 / count));
    while (out.length < sims) {
      out.push(...trials(design, trueLift, Math.min(piece, sims - out.length), (seed + offset + out.length * 7919) >>> 0));
      context.progress({
        label: `${name}, ${out.length.toLocaleString("en")} of ${sims.toLocaleString("en")} tests`,
        done: out.length + offset,
        total: 2 * sims,
        eta: null,
      });
      await context.breathe();
    }
    return out;
  };
  const same = await simulate("no difference", 0, 0);
  const better = await simulate(`a lift of ${percent(lift)}`, lift, sims);
  const alarms = {
    once: same.filter((t) => t.once.reject).length,
    peeking: same.filter((t) => t.peeking.look >= 0).length,
    sequential: same.filter((t) => t.sequential.look >= 0).length,
  };
  const falseAlarm = shareOf(method === "fixed" ? alarms.once : alarms.sequential, sims);
  const falseAlarmIfPeeking = shareOf(alarms.peeking, sims);
  const found = better.filter((t) =>
    method === "fixed"
      ? t.once.reject && Math.sign(t.once.estimate) === Math.sign(delta)
      : t.sequential.look >= 0 && Math.sign(t.sequential.estimate) === Math.sign(delta),
  );
  const reached = shareOf(found.length, sims);
  const dayOf = (look: number): number => (days * (look + 1)) / count + o.maturityDays;
  const medianDays = medianOf(better.map((t) => dayOf(method === "sequential" && t.sequential.look >= 0 ? t.sequential.look : count - 1)));
  const exaggeration =
    found.length === 0 ? { value: NaN, se: NaN } : meanOf(found.map((t) => (method === "fixed" ? t.once.estimate : t.sequential.estimate) / delta));
  const onceDays = Math.max(1, Math.ceil(onceTotal / o.keysPerDay));
  const slow = days + o.maturityDays > patience;
  const looksWord = count === days ? "a look each day" : `${count} looks`;
  const need = `You need ${keysPerArm.toLocaleString("en")} keys an arm to find a lift of ${percent(lift)} (${describeOutcome(outcome)}), about ${plural(days, "day")} at ${o.keysPerDay.toLocaleString("en")} a day`;
  const sentence = `${need}${method === "sequential" ? ` (${Math.ceil(onceTotal * smaller).toLocaleString("en")} and ${plural(onceDays, "day")} if read only once)` : ""}; with ${looksWord} a fixed test would raise false alarms from ${percent(alarms.once / sims)} to ${percent(falseAlarmIfPeeking.value)}, ${method === "sequential" ? `this one stays at ${percent(falseAlarm.value)}` : "so read it once"}.${slow ? ` That is more than ${patience} days: look for a larger effect, or a less noisy outcome.` : ""}`;
  const verdict = slow ? "bad" : reached.value < power - 0.1 ? "unsure" : "good";
  const numbers = {
    ...{
      keysPerArm,
      days,
      keysPerArmOnce: Math.ceil(onceTotal * smaller),
      power: reached.value,
      falseAlarm: falseAlarm.value,
      falseAlarmIfPeeking: falseAlarmIfPeeking.value,
    },
    ...{
      falseAlarmOnce: alarms.once / sims,
      falseAlarmSequential: alarms.sequential / sims,
      medianDays: medianDays.value,
      exaggeration: exaggeration.value,
    },
  };
  const information = looks.map((n) => n / total);
  const figures = [powerFigure(o, delta, v0, v1, total, information, seed, limit), alarmFigure(alarms, sims, alpha, looksWord)];
  const warnings = [...said];
  if (o.guardrails.length > 0)
    warnings.push(
      `${o.guardrails.join(", ")}: each guardrail is read at ${digits(alpha / o.guardrails.length)}, so that all of them together raise a false alarm in ${percent(alpha)} of tests at most`,
    );
  if (count < 5) warnings.push(`only ${plural(count, "look")}: reading early costs little here; with more days it costs more`);
  if (outcome.kind === "proportion" && keysPerArm * Math.min(control, 1 - control) < 50)
    warnings.push("fewer than 50 events an arm: the normal approximation of the live test is poor");
  const view: FindingView = {
    ...{ kind: "ab-test", sentence, verdict, word: slow ? "too slow" : verdict === "good" ? "plan ready" : "weak plan" },
    method: method === "sequential" ? "asymptotic confidence sequence, tuned to the planned end" : "two-sided z test, read once",
    numbers,
    figures,
    tables: [
      {
        title: "If there is no difference: false alarms by rule",
        columns: ["rule", "false alarms", "low", "high"],
        rows: (
          [
            ["one look at the end", alarms.once],
            [looksWord, alarms.peeking],
            ["sequential", alarms.sequential],
          ] as const
        ).map(([rule, hits]) => [rule, hits / sims, ...wilson(hits, sims)]),
      },
      {
        title: `If the lift is ${percent(lift)}`,
        columns: ["quantity", "value", "standard error"],
        rows: [
          ["power", reached.value, reached.se],
          ["days, median", medianDays.value, medianDays.se],
          ["measured lift / true lift, of the tests that win", finite(exaggeration.value), finite(exaggeration.se)],
        ],
      },
    ],
    warnings,
    footer: `${sims.toLocaleString("en")} simulated tests each · seed ${seed} · arms ${arms.map((share) => percent(share)).join(" / ")} · alpha ${alpha}`,
    next: [{ label: "Start rollout with these numbers", type: "insert", kind: "promote", source: "" }],
  };
  context.progress(null);
  context.show(view);
  return {
    ...{ sentence, verdict, method: view.method, numbers },
    figure: figures[0]!,
    plan,
    power: reached,
    falseAlarm,
    falseAlarmIfPeeking,
    medianDays,
    exaggeration,
  };
}

const finite = (x: number): number | null => (Number.isFinite(x) ? x : null);
const percent = (share: number): string => `${digits(Math.round(share * 10_000) / 100)} %`;
const plural = (n: number, word: string): string => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;
const describeOutcome = (outcome: Outcome): string =>
  outcome.kind === "proportion" ? `of a ${percent(outcome.rate)} rate` : `of a mean of ${digits(outcome.mean)}, sd ${digits(outcome.sd)}`;

/** The outcome as numbers: given, measured on data, or the default, which is said. */
async function outcomeOf(given: AbTestOptions["outcome"] | undefined, context: RunContext): Promise<{ outcome: Outcome; said: string[] }> {
  if (!given) return { outcome: { kind: "proportion", rate: 0.1 }, said: ["the outcome was left out: taken as a share of 10 %"] };
  if (!("column" in given)) return { outcome: given, said: [] };
  const data = given.data as Relation | undefined;
  if (typeof data !== "object" || data === null || typeof data.schema !== "function")
    throw new TypeError(`abTest: Expected \`outcome.data\` to be a relation, got \`${String(data)}\``);
  await data[settle]?.();
  const columns = await data.schema();
  const type = columns.find((c) => c.name === given.column)?.type;
  if (!type)
    throw new RangeError(
      `abTest: Expected \`outcome.column\` to be a column of the data, got \`${given.column}\`; it has ${columns.map((c) => c.name).join(", ")}`,
    );
  if (!/^(BOOLEAN|TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT|U|FLOAT|REAL|DOUBLE|DECIMAL)/.test(type))
    throw new RangeError(`abTest: Expected \`outcome.column\` to be a number or true and false, got \`${given.column}\` of type ${type}`);
  const relation = await context.sql(
    `select count(x) as n, avg(x) as mean, coalesce(stddev_samp(x), 0) as sd, min(x) as low, max(x) as high, count(*) filter (where x not in (0, 1)) as other from (select ${quote(given.column)}::double as x from ${data.name})`,
  );
  await relation[settle]?.();
  const [row] = await relation.rows();
  const n = Number(row!["n"]);
  if (n < 2) throw new RangeError(`abTest: Expected \`outcome.data\` to hold 2 or more values of \`${given.column}\`, got ${n}`);
  // a parallel mean differs in its last digits from run to run
  const [mean, sd] = [Number(Number(row!["mean"]).toPrecision(10)), Number(Number(row!["sd"]).toPrecision(10))];
  const said = [`measured on ${n.toLocaleString("en")} values of \`${given.column}\``];
  if (Number(row!["other"]) === 0) {
    if (mean <= 0 || mean >= 1) throw new RangeError(`abTest: \`${given.column}\` is always ${mean}: nothing can be tested`);
    return { outcome: { kind: "proportion", rate: mean }, said };
  }
  if (mean === 0 || sd === 0)
    throw new RangeError(`abTest: \`${given.column}\` has mean ${mean} and standard deviation ${sd}: a relative lift needs both other than 0`);
  return { outcome: { kind: "mean", mean, sd }, said };
}

/** Chance to find the effect, by its true size: read once (closed form) and sequential (simulated), at the planned number of keys. */
function powerFigure(
  o: Checked,
  delta: number,
  v0: number,
  v1: number,
  total: number,
  information: number[],
  seed: number,
  limit: number,
): PlotlySpec {
  const steps = Array.from({ length: 21 }, (_, i) => i / 10);
  const se = Math.sqrt(v0 / (total * o.arms[0]) + v1 / (total * o.arms[1]));
  const thetas = steps.map((x) => Math.abs((x * delta) / se));
  const x = steps.map((s) => s * o.lift);
  return {
    title: "Power by true lift",
    data: [
      { type: "scatter", mode: "lines+markers", name: "sequential, any look", x, y: sequentialPower(thetas, information, o.alpha, 1000, seed) },
      {
        type: "scatter",
        mode: "lines",
        name: "sequential, last look",
        x,
        y: thetas.map((theta) => normalCdf(theta - limit, 0, 1)),
        line: { dash: "dot" },
      },
      {
        type: "scatter",
        mode: "lines",
        name: "one look at the end",
        x,
        y: thetas.map((theta) => powerOf(theta, 1, o.alpha)),
        line: { dash: "dash" },
      },
    ],
    layout: {
      xaxis: { title: { text: "true lift" }, tickformat: ".0%" },
      yaxis: { title: { text: "chance to find it" }, tickformat: ".0%", range: [0, 1.02] },
      legend: { orientation: "h" },
      shapes: [
        { type: "line", xref: "paper", x0: 0, x1: 1, y0: o.power, y1: o.power, line: { color: "#8a93a0", dash: "dot", width: 1 } },
        { type: "line", x0: o.lift, x1: o.lift, yref: "paper", y0: 0, y1: 1, line: { color: "#8a93a0", dash: "dot", width: 1 } },
      ],
    },
  };
}

function alarmFigure(alarms: { once: number; peeking: number; sequential: number }, sims: number, alpha: number, looksWord: string): PlotlySpec {
  const hits = [alarms.once, alarms.peeking, alarms.sequential];
  const shares = hits.map((k) => k / sims);
  const bounds = hits.map((k) => wilson(k, sims));
  return {
    title: "False alarms when nothing differs",
    data: [
      {
        type: "bar",
        x: ["one look at the end", looksWord, "sequential"],
        y: shares,
        text: shares.map((share) => percent(share)),
        textposition: "outside",
        cliponaxis: false,
        error_y: {
          type: "data",
          symmetric: false,
          array: bounds.map((b, i) => b[1] - shares[i]!),
          arrayminus: bounds.map((b, i) => shares[i]! - b[0]),
        },
        name: "false alarms",
      },
    ],
    layout: {
      showlegend: false,
      yaxis: { title: { text: "share of tests that alarm" }, tickformat: ".0%", rangemode: "tozero" },
      shapes: [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: alpha, y1: alpha, line: { color: "#8a93a0", dash: "dot", width: 1.5 } }],
    },
  };
}
