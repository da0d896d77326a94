import { z } from "zod";
import type { CellDefinition, ScopeName } from "../../protocol/cells.js";

const tests = ["auto", "psi", "ks", "chi-square", "js", "wasserstein"] as const;
const periods = ["day", "week", "month", "quarter", "year"] as const;
const names = (name: string) =>
  z
    .array(z.string(`Expected each of \`${name}\` to be the name of a column`).min(1), `Expected \`${name}\` to be a list of columns`)
    .min(1, `Expected \`${name}\` to name at least one column`);

/** The literal part of the options; `reference` and `current` are values in scope and are checked when run. */
export const schema = z.strictObject({
  reference: z.any().optional(),
  current: z.any().optional(),
  columns: names("columns").optional(),
  test: z.enum(tests, `Expected \`test\` to be one of ${tests.join(", ")}`).default("auto"),
  alpha: z
    .number("Expected `alpha` to be a chance between 0 and 0.5, such as 0.05")
    .gt(0, "Expected `alpha` to be a chance between 0 and 0.5, such as 0.05")
    .lt(0.5, "Expected `alpha` to be a chance between 0 and 0.5, such as 0.05")
    .default(0.05),
  every: z.enum(periods, `Expected \`every\` to be one of ${periods.join(", ")}`).optional(),
  time: z.string("Expected `time` to be the name of a column").min(1).optional(),
  calibrate: z.boolean("Expected `calibrate` to be true or false").default(true),
});

export const cell: CellDefinition = {
  kind: "drift",
  call: "drift",
  title: "Drift",
  icon: "waves",
  question: "Is today's data still the data that the model learnt from?",
  step: 5,
  costly: false,
  schema,
  fields: [
    {
      path: "reference",
      label: "Reference",
      control: "name",
      accepts: ["relation"],
      required: true,
      help: "What the model learnt from: rows, or { name, version } of a served model",
    },
    { path: "current", label: "Current", control: "name", accepts: ["relation"], required: true, help: "What came later" },
    { path: "columns", label: "Columns", control: "list", help: "All that both have when left out" },
    {
      path: "test",
      label: "Test",
      control: "choice",
      choices: [
        { value: "auto", label: "By size and type" },
        { value: "psi", label: "PSI" },
        { value: "ks", label: "Kolmogorov-Smirnov" },
        { value: "chi-square", label: "Chi-square" },
        { value: "js", label: "Jensen-Shannon" },
        { value: "wasserstein", label: "Wasserstein" },
      ],
      default: "auto",
    },
    {
      path: "every",
      label: "By",
      control: "choice",
      choices: periods.map((value) => ({ value, label: value })),
      help: "One comparison for each period",
    },
    { path: "time", label: "Time", control: "column", of: "current", advanced: true, help: "The first date when left out" },
    { path: "alpha", label: "False alarms", control: "number", min: 0.001, max: 0.4, step: 0.01, default: 0.05, help: "Shared among the columns" },
    {
      path: "calibrate",
      label: "Limit by chance",
      control: "boolean",
      default: true,
      help: "Off: the rule of thumb, which alarms falsely on few rows and is deaf on many",
    },
  ],
  toSource(scope: ScopeName[]): string {
    const relations = scope.filter((name) => name.type === "relation");
    const split = scope.findLast((name) => name.type === "split");
    const current = relations.at(-1)?.name ?? (split ? `${split.name}.test` : "rows");
    const reference = split ? `${split.name}.train` : (relations.at(-2)?.name ?? current);
    return `const moved = await drift({\n  reference: ${reference},\n  current: ${current},\n})`;
  },
};
