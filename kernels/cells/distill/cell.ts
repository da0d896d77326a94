import { z } from "zod";
import type { CellDefinition } from "../../protocol/cells.js";
import { nearest } from "../train/cell.js";

const whole = (what: string) =>
  z
    .number(`Expected ${what} to be a whole number from 1`)
    .int(`Expected ${what} to be a whole number from 1`)
    .min(1, `Expected ${what} to be 1 or more`);
const units = whole("each of `students`").max(100_000);

/** The literal part of the options; teacher, split, baseline and transfer rows are values in scope and are checked when run. */
export const schema = z.strictObject({
  teacher: z.unknown(),
  split: z.unknown(),
  against: z.unknown(),
  students: z
    .array(
      z.union([units, z.array(units).min(1)], "Expected each of `students` to be a number of hidden units or a list of them"),
      "Expected `students` to be a list",
    )
    .min(1, "Expected `students` to name at least one size")
    .max(12, "Expected `students` to name at most 12 sizes")
    .default([32]),
  temperature: z.number("Expected `temperature` to be a number above 0").positive("Expected `temperature` to be above 0").max(1000).default(4),
  alpha: z
    .number("Expected `alpha` to be from 0 to 1")
    .min(0, "Expected `alpha` to be from 0 to 1")
    .max(1, "Expected `alpha` to be from 0 to 1")
    .default(0.7),
  epochs: whole("`epochs`").max(100_000).default(20),
  batch: whole("`batch`").max(1_000_000).optional(),
  budget: z
    .strictObject({
      p99Ms: z.number().positive("Expected `budget.p99Ms` to be above 0").optional(),
      bytes: z.number().positive("Expected `budget.bytes` to be above 0").optional(),
    })
    .default({}),
  transfer: z.unknown().optional(),
  seed: z.number("Expected `seed` to be a whole number").int("Expected `seed` to be a whole number").optional(),
});

export const cell: CellDefinition = {
  kind: "distill",
  call: "distill",
  title: "Distil",
  icon: "graduation-cap",
  question: "How small can it be and keep its skill?",
  step: 2,
  costly: true,
  schema,
  fields: [
    {
      path: "teacher",
      label: "Teacher",
      control: "name",
      accepts: ["train", "predictor", "distill"],
      required: true,
      help: "A model or an ensemble",
    },
    { path: "split", label: "Split", control: "name", accepts: ["split"], required: true },
    { path: "against", label: "Baseline", control: "name", accepts: ["baseline", "train", "predictor"], required: true },
    { path: "students", label: "Hidden units of each student", control: "list", default: [32], help: "One student is trained for each" },
    {
      path: "temperature",
      label: "Temperature",
      control: "number",
      min: 0.1,
      step: 0.5,
      default: 4,
      help: "Softens the teacher's answers; 2.5 to 4 suit small students",
    },
    {
      path: "alpha",
      label: "Weight of the teacher",
      control: "number",
      min: 0,
      max: 1,
      step: 0.05,
      default: 0.7,
      help: "The rest goes to the true labels",
    },
    { path: "epochs", label: "Epochs", control: "number", min: 1, step: 1, default: 20 },
    { path: "budget.p99Ms", label: "Slowest answer allowed (p99)", control: "number", min: 0, unit: "ms" },
    { path: "budget.bytes", label: "Largest size allowed", control: "number", min: 0, unit: "bytes" },
    {
      path: "batch",
      label: "Batch",
      control: "number",
      min: 1,
      step: 1,
      unit: "rows",
      advanced: true,
      default: 128,
    },
    { path: "transfer", label: "More rows without labels", control: "name", accepts: ["relation"], advanced: true },
    { path: "seed", label: "Seed", control: "number", step: 1, advanced: true, help: "From the notebook's seed and the cell when left out" },
  ],
  toSource(scope) {
    return `const d = await distill({
  teacher: ${nearest(scope, ["train"], "teacher")},
  split: ${nearest(scope, ["split"], "parts")},
  against: ${nearest(scope, ["baseline"], "floor")},
  students: [32],
  temperature: 4,
  alpha: 0.7,
  budget: { p99Ms: 20, bytes: 2_000_000 },
})`;
  },
};
