import { z } from "zod";
import type { CellDefinition, ScopeName } from "../../protocol/cells.js";

const names = ["prior", "majority", "stratified", "mean", "median", "naive", "seasonal naive", "drift"] as const;
const metrics = ["log loss", "accuracy", "AUC", "RMSE", "MAE", "sMAPE", "MASE"] as const;
const column = (what: string) =>
  z.string(`Expected ${what} to be the name of a column`).min(1, `Expected ${what} to be the name of a column, got an empty text`);
const whole = (what: string) =>
  z
    .number(`Expected ${what} to be a whole number from 1`)
    .int(`Expected ${what} to be a whole number from 1`)
    .min(1, `Expected ${what} to be 1 or more`);

const task = z.discriminatedUnion(
  "kind",
  [
    z.strictObject({
      kind: z.enum(["regression", "binary", "multiclass"]),
      target: column("`task.target`"),
      classes: z.array(z.string()).min(2, "Expected `task.classes` to name two classes or more").optional(),
    }),
    z.strictObject({
      kind: z.literal("forecast"),
      target: column("`task.target`"),
      time: column("`task.time`"),
      season: whole("`task.season`").default(1),
      horizon: whole("`task.horizon`").default(1),
      series: column("`task.series`").optional(),
    }),
  ],
  'Expected `task.kind` to be "regression", "binary", "multiclass" or "forecast"',
);

/** The literal part of the options; `split` and predictors are values in scope and are checked when run. */
export const schema = z.strictObject({
  split: z.any().optional(),
  task: task.optional(),
  metric: z.enum(metrics, `Expected \`metric\` to be one of ${metrics.join(", ")}`).optional(),
  using: z
    .array(
      z.union(
        [
          z.enum(names),
          z.strictObject({
            rate: z
              .array(column("each of `rate`"))
              .min(1, "Expected `rate` to name at least one column or part of the date")
              .max(6, "Expected `rate` to name at most 6 columns"),
          }),
          z.strictObject({ column: column("`column`") }),
          z.custom<object>((value) => typeof value === "object" && value !== null && typeof (value as { predict?: unknown }).predict === "function"),
        ],
        `Expected each of \`using\` to be one of ${names.join(", ")}, { rate: [...] }, { column } or a predictor`,
      ),
      "Expected `using` to be a list",
    )
    .min(1, "Expected `using` to name at least one baseline")
    .optional(),
  expect: z.number("Expected `expect` to be a number").optional(),
});

const likely = /^(target|label|y|class|outcome|late|churn|clicked|converted|survived)$/i;
const text = (value: string): string => JSON.stringify(value);

/** The column that is most likely the target: a boolean, a telling name, else the last number. */
function guess(columns: { name: string; type: string }[]): { name: string; kind: "binary" | "regression" } | null {
  const isBoolean = (type: string): boolean => type === "BOOLEAN";
  const named = columns.find((c) => isBoolean(c.type) && likely.test(c.name)) ?? columns.find((c) => isBoolean(c.type));
  if (named) return { name: named.name, kind: "binary" };
  const number = columns.findLast((c) => /^(DOUBLE|FLOAT|REAL|DECIMAL|BIGINT|INTEGER|SMALLINT)/.test(c.type));
  const told = columns.find((c) => likely.test(c.name) && /^(DOUBLE|FLOAT|DECIMAL|BIGINT|INTEGER)/.test(c.type));
  const found = told ?? number;
  return found ? { name: found.name, kind: "regression" } : null;
}

export const cell: CellDefinition = {
  kind: "baseline",
  call: "baseline",
  title: "Baseline",
  icon: "ruler",
  question: "What is the number to beat, with nothing clever?",
  step: 1,
  costly: false,
  schema,
  fields: [
    {
      path: "split",
      label: "Split",
      control: "name",
      accepts: ["split"],
      required: true,
      help: "Fitted on its training rows, judged on its test rows",
    },
    {
      path: "task.kind",
      label: "Task",
      control: "choice",
      choices: [
        { value: "binary", label: "Yes or no" },
        { value: "multiclass", label: "One of several classes" },
        { value: "regression", label: "A number" },
        { value: "forecast", label: "A number over time" },
      ],
      help: "Found from the target's type when left out",
    },
    { path: "task.target", label: "Target", control: "column", of: "split" },
    { path: "task.time", label: "Time", control: "column", of: "split", when: { path: "task.kind", is: ["forecast"] } },
    {
      path: "task.season",
      label: "Season",
      control: "number",
      min: 1,
      step: 1,
      unit: "steps",
      default: 1,
      when: { path: "task.kind", is: ["forecast"] },
      help: "7 for days with a week",
    },
    {
      path: "task.horizon",
      label: "Horizon",
      control: "number",
      min: 1,
      step: 1,
      unit: "steps",
      default: 1,
      when: { path: "task.kind", is: ["forecast"] },
    },
    {
      path: "task.series",
      label: "Series",
      control: "column",
      of: "split",
      advanced: true,
      when: { path: "task.kind", is: ["forecast"] },
      help: "One series for each value",
    },
    {
      path: "task.classes",
      label: "Classes",
      control: "list",
      advanced: true,
      when: { path: "task.kind", is: ["binary", "multiclass"] },
      help: "In the order of the model's output; found when left out",
    },
    {
      path: "metric",
      label: "Metric",
      control: "choice",
      choices: metrics.map((value) => ({ value, label: value })),
      help: "Log loss for classes, RMSE for numbers, MAE for forecasts when left out",
    },
    {
      path: "using",
      label: "Baselines",
      control: "list",
      choices: names.map((value) => ({ value, label: value })),
      help: "All that fit the task when left out",
    },
    { path: "expect", label: "Expected", control: "number", advanced: true, help: "What you thought it would be, before you saw it" },
  ],
  toSource(scope: ScopeName[]): string {
    const split = scope.findLast((name) => name.type === "split");
    const target = split?.columns ? guess(split.columns) : null;
    const task = target ? `\n  task: { kind: ${text(target.kind)}, target: ${text(target.name)} },` : "";
    return `const floor = await baseline({\n  split: ${split?.name ?? "parts"},${task}\n})`;
  },
};
