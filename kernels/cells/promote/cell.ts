import { z } from "zod";
import type { CellDefinition, ScopeName } from "../../protocol/cells.js";

const namePattern = /^[a-z][a-z0-9-]{0,62}$/;
const predictor = (what: string) =>
  z.custom<object>(
    (value) => typeof value === "object" && value !== null,
    `Expected \`${what}\` to be a predictor with an evaluation, such as the result of train`,
  );

/** The literal part of the options; `model` and `against` are values in scope. */
export const schema = z.strictObject({
  name: z
    .string("Expected `name` to be the name of an endpoint")
    .regex(namePattern, "Expected `name` to begin with a lower-case letter and to hold lower-case letters, digits and hyphens, at most 63"),
  model: predictor("model"),
  against: predictor("against"),
  margin: z.number("Expected `margin` to be a number in the metric's unit").optional(),
  budget: z
    .strictObject({
      p99Ms: z.number("Expected `budget.p99Ms` to be a number of milliseconds").positive("Expected `budget.p99Ms` to be above 0").optional(),
      bytes: z.number("Expected `budget.bytes` to be a number of bytes").positive("Expected `budget.bytes` to be above 0").optional(),
    })
    .optional(),
  slices: z.array(z.string("Expected each of `slices` to be a column"), "Expected `slices` to be a list of columns").optional(),
  rollout: z.custom<object>((value) => typeof value === "object" && value !== null, "Expected `rollout` to be the plan of an abTest").optional(),
});

export const cell: CellDefinition = {
  kind: "promote",
  call: "promote",
  title: "Promote",
  icon: "rocket",
  question: "Is it good, small and fast enough to be used?",
  step: 2,
  costly: false,
  schema,
  fields: [
    { path: "name", label: "Endpoint", control: "text", required: true, help: "Callers use /v1/models/NAME:predict" },
    { path: "model", label: "Model", control: "name", accepts: ["predictor", "train", "baseline", "distill"], required: true },
    {
      path: "against",
      label: "Baseline",
      control: "name",
      accepts: ["baseline", "finding", "predictor"],
      required: true,
      help: "What it has to beat",
    },
    { path: "margin", label: "Margin", control: "number", default: 0, advanced: true, help: "By how much, in the metric's unit" },
    { path: "budget.p99Ms", label: "p99", control: "number", min: 0, unit: "ms", help: "99 of 100 answers within this time" },
    { path: "budget.bytes", label: "Size", control: "number", min: 0, unit: "bytes" },
    { path: "slices", label: "Slices", control: "list", advanced: true, help: "Columns by which the score is also shown" },
    {
      path: "rollout",
      label: "Roll-out",
      control: "name",
      accepts: ["plan", "ab-test"],
      advanced: true,
      help: "With a plan the new version begins at 1 % of the traffic",
    },
  ],
  toSource(scope: ScopeName[]): string {
    const model =
      scope.findLast((name) => name.type === "train" || name.type === "distill" || name.type === "predictor") ??
      scope.findLast((name) => name.type === "baseline");
    const floor = scope.findLast((name) => name.type === "baseline");
    const value =
      model === undefined
        ? "model"
        : model.type === "distill"
          ? `${model.name}.student`
          : model.type === "baseline"
            ? `${model.name}.bar`
            : model.name;
    return `const live = await promote({\n  name: "model",\n  model: ${value},\n  against: ${floor?.name ?? "floor"},\n  budget: { p99Ms: 50, bytes: 2_000_000 },\n})`;
  },
};
