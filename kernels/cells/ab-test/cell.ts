import { z } from "zod";
import type { CellDefinition, ScopeName } from "../../protocol/cells.js";

const number = (name: string, what: string) => z.number(`Expected \`${name}\` to be ${what}`);
const between = (name: string, what: string, low: number, high: number) => {
  const message = `Expected \`${name}\` to be ${what}`;
  return z.number(message).gt(low, message).lt(high, message);
};
const whole = (name: string, low: number, high: number) => {
  const message = `Expected \`${name}\` to be a whole number from ${low.toLocaleString("en")} to ${high.toLocaleString("en")}`;
  return z.number(message).int(message).min(low, message).max(high, message);
};

const outcome = z.union(
  [
    z.strictObject({ kind: z.literal("proportion"), rate: between("outcome.rate", "a share between 0 and 1", 0, 1) }),
    z.strictObject({
      kind: z.literal("mean"),
      mean: number("outcome.mean", "a number other than 0").refine(
        (value) => value !== 0,
        "Expected `outcome.mean` to be a number other than 0, as the lift is relative to it",
      ),
      sd: number("outcome.sd", "a number above 0").gt(0, "Expected `outcome.sd` to be a number above 0"),
    }),
    z.strictObject({ column: z.string("Expected `outcome.column` to be the name of a column").min(1), data: z.any() }),
  ],
  'Expected `outcome` to be { kind: "proportion", rate }, { kind: "mean", mean, sd } or { column, data }',
);

/** The literal part of the options; `outcome.data` is a relation in scope and is checked when run. */
export const schema = z.strictObject({
  outcome: outcome.optional(),
  lift: number("lift", "a relative change such as 0.1")
    .gt(-1, "Expected `lift` to be above -1 (a loss of everything)")
    .refine((value) => value !== 0, "Expected `lift` to be other than 0: no test can find no change")
    .default(0.1),
  keysPerDay: number("keysPerDay", "1 or more").min(1, "Expected `keysPerDay` to be 1 or more").default(5000),
  arms: z
    .tuple([z.number(), z.number()], "Expected `arms` to be two shares such as [0.5, 0.5]")
    .refine(([a, b]) => a > 0 && b > 0 && Math.abs(a + b - 1) < 1e-9, "Expected `arms` to be two shares above 0 that add up to 1")
    .default([0.5, 0.5]),
  power: between("power", "a chance between 0.5 and 1, such as 0.8", 0.5, 1).default(0.8),
  method: z.enum(["fixed", "sequential"], 'Expected `method` to be "fixed" or "sequential"').default("sequential"),
  looks: whole("looks", 1, 1000).optional(),
  maturityDays: number("maturityDays", "0 or more").min(0, "Expected `maturityDays` to be 0 or more").default(0),
  guardrails: z.array(z.string("Expected each of `guardrails` to be a name"), "Expected `guardrails` to be a list of names").default([]),
  alpha: between("alpha", "a chance between 0 and 0.5, such as 0.05", 0, 0.5).default(0.05),
  sims: whole("sims", 100, 100_000).default(2000),
  seed: whole("seed", 0, 4_294_967_295).optional(),
});

export const cell: CellDefinition = {
  kind: "ab-test",
  call: "abTest",
  title: "A/B test",
  icon: "split",
  question: "How long must a live test run, and how often would it cry wolf?",
  step: 3,
  costly: false,
  schema,
  fields: [
    {
      path: "outcome.kind",
      label: "Outcome",
      control: "choice",
      choices: [
        { value: "proportion", label: "A share" },
        { value: "mean", label: "A mean" },
      ],
      default: "proportion",
    },
    {
      path: "outcome.rate",
      label: "Share now",
      control: "number",
      min: 0,
      max: 1,
      step: 0.01,
      default: 0.1,
      when: { path: "outcome.kind", is: ["proportion"] },
    },
    { path: "outcome.mean", label: "Mean now", control: "number", when: { path: "outcome.kind", is: ["mean"] } },
    { path: "outcome.sd", label: "Standard deviation", control: "number", min: 0, when: { path: "outcome.kind", is: ["mean"] } },
    {
      path: "lift",
      label: "Smallest effect",
      control: "number",
      step: 0.01,
      default: 0.1,
      unit: "relative",
      help: "The smallest change worth finding, as a share of today's value",
    },
    {
      path: "keysPerDay",
      label: "Traffic a day",
      control: "number",
      min: 1,
      step: 100,
      default: 5000,
      unit: "keys",
      help: "Users, stations, flights: whatever is assigned to an arm",
    },
    {
      path: "method",
      label: "Reading",
      control: "choice",
      choices: [
        { value: "sequential", label: "Every day (sequential)" },
        { value: "fixed", label: "Once, at the end (fixed)" },
      ],
      default: "sequential",
    },
    { path: "alpha", label: "False alarms", control: "number", min: 0.001, max: 0.4, step: 0.01, default: 0.05 },
    { path: "power", label: "Power", control: "number", min: 0.51, max: 0.99, step: 0.05, default: 0.8 },
    { path: "arms", label: "Arms", control: "json", default: [0.5, 0.5], advanced: true, help: "Shares of control and challenger" },
    { path: "looks", label: "Looks", control: "number", min: 1, step: 1, advanced: true, help: "One a day when left out" },
    {
      path: "maturityDays",
      label: "Maturity",
      control: "number",
      min: 0,
      step: 1,
      default: 0,
      unit: "days",
      advanced: true,
      help: "How long an outcome needs to be known",
    },
    {
      path: "guardrails",
      label: "Guardrails",
      control: "list",
      advanced: true,
      help: "Metrics that must not get worse; the false alarms are shared among them",
    },
    { path: "sims", label: "Simulations", control: "number", min: 100, max: 100_000, step: 100, default: 2000, advanced: true },
  ],
  toSource(_scope: ScopeName[]): string {
    return `const plan = await abTest({\n  outcome: { kind: "proportion", rate: 0.1 },\n  lift: 0.1,\n  keysPerDay: 5000,\n})`;
  },
};
