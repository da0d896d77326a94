import { z } from "zod";
import type { CellDefinition, ScopeName } from "../../protocol/cells.js";

const models = ["linear", "mlp", "cnn"] as const;
const losses = ["log", "squared", "absolute"] as const;
const optimizers = ["adam", "sgd", "momentum", "rmsprop", "adagrad"] as const;

const whole = (what: string, least = 1) =>
  z
    .number(`Expected ${what} to be a whole number from ${least}`)
    .int(`Expected ${what} to be a whole number from ${least}`)
    .min(least, `Expected ${what} to be ${least} or more`);

/** Literal part of a task; the run fills in what is left out from the baseline. */
export const task = z.looseObject({ kind: z.enum(["regression", "binary", "multiclass", "forecast"]), target: z.string() });

const share = z.number().min(0).max(1);

/** A learning rate or an optimiser by name. */
export const optimizer = z.union(
  [
    z.enum(optimizers),
    z.strictObject({
      name: z.enum(optimizers).optional(),
      learningRate: z.number().positive("Expected `optimizer.learningRate` to be above 0").optional(),
      /** epochs over which the rate rises from 0 */
      warmup: z.number().nonnegative("Expected `optimizer.warmup` to be a number of epochs from 0").optional(),
      schedule: z
        .union(
          [
            z.strictObject({ name: z.literal("step"), every: whole("`optimizer.schedule.every`"), factor: share.optional() }),
            z.strictObject({ name: z.literal("cosine"), floor: share.optional() }),
            z.strictObject({
              name: z.literal("plateau"),
              patience: whole("`optimizer.schedule.patience`"),
              factor: share.optional(),
              floor: share.optional(),
            }),
          ],
          'Expected `optimizer.schedule` to be { name: "step", every, factor }, { name: "cosine", floor } or { name: "plateau", patience, factor, floor }',
        )
        .optional(),
    }),
  ],
  `Expected \`optimizer\` to be one of ${optimizers.join(", ")}, or { name, learningRate, warmup, schedule }`,
);

/** The literal part of the options; split, baseline and features are values in scope and are checked when run. */
export const schema = z.strictObject({
  split: z.unknown(),
  task: task.optional(),
  against: z.unknown(),
  features: z.unknown(),
  model: z
    .union(
      [z.enum(models), z.custom<(shape: number[]) => unknown>((value) => typeof value === "function")],
      `Expected \`model\` to be ${models.map((m) => `"${m}"`).join(", ")} or a function that returns a tf.LayersModel`,
    )
    .default("mlp"),
  optimizer: optimizer.optional(),
  loss: z.enum(losses, `Expected \`loss\` to be one of ${losses.join(", ")}`).optional(),
  epochs: whole("`epochs`").max(100_000).default(20),
  batch: whole("`batch`").max(1_000_000).optional(),
  patience: whole("`patience`", 0).default(3),
  classWeights: z
    .union(
      [z.literal("balanced"), z.record(z.string(), z.number().nonnegative("Expected each of `classWeights` to be 0 or more"))],
      'Expected `classWeights` to be "balanced" or an object of class to weight',
    )
    .optional(),
  weight: z.string("Expected `weight` to be the name of a column").min(1).optional(),
  seed: z.number("Expected `seed` to be a whole number").int("Expected `seed` to be a whole number").optional(),
});

/** The nearest name of a type above, or a usual one. */
export function nearest(scope: ScopeName[], types: ScopeName["type"][], otherwise: string): string {
  return scope.findLast((name) => types.includes(name.type))?.name ?? otherwise;
}

const when = (...is: string[]) => ({ path: "optimizer.schedule.name", is });

export const cell: CellDefinition = {
  kind: "train",
  call: "train",
  title: "Train",
  icon: "dumbbell",
  question: "Does a model beat the baseline?",
  step: 2,
  costly: true,
  schema,
  fields: [
    {
      path: "split",
      label: "Split",
      control: "name",
      accepts: ["split"],
      required: true,
      help: "Learned on its training rows, judged on its test rows",
    },
    {
      path: "against",
      label: "Baseline",
      control: "name",
      accepts: ["baseline", "train", "distill", "predictor", "finding"],
      required: true,
      help: "What it must beat; it says the task and the metric too",
    },
    {
      path: "features",
      label: "Features",
      control: "name",
      accepts: ["features"],
      required: true,
      help: 'Or "identity" when the rows hold images or lists of numbers',
    },
    {
      path: "model",
      label: "Model",
      control: "choice",
      default: "mlp",
      choices: [
        { value: "linear", label: "Linear" },
        { value: "mlp", label: "MLP 64-32" },
        { value: "cnn", label: "Small CNN" },
      ],
      help: "Own networks: a function (shape) => tf.LayersModel in the code",
    },
    { path: "epochs", label: "Epochs", control: "number", min: 1, step: 1, default: 20 },
    { path: "batch", label: "Batch", control: "number", min: 1, step: 1, unit: "rows", help: "128, above 50,000 rows 512 when left out" },
    {
      path: "patience",
      label: "Patience",
      control: "number",
      min: 0,
      step: 1,
      unit: "epochs",
      default: 3,
      help: "Stops when the validation loss has not improved for so long; 0 = never",
    },
    {
      path: "optimizer.name",
      label: "Optimiser",
      control: "choice",
      default: "adam",
      advanced: true,
      choices: optimizers.map((value) => ({ value, label: value })),
    },
    {
      path: "optimizer.learningRate",
      label: "Learning rate",
      control: "number",
      min: 0,
      advanced: true,
      help: "0.001 for Adam and RMSprop, 0.01 for the others and for a linear model when left out",
    },
    {
      path: "optimizer.schedule.name",
      label: "Rate over time",
      control: "choice",
      advanced: true,
      whole: "optimizer.schedule",
      choices: [
        { value: "step", label: "Step", source: '{ name: "step", every: 10 }' },
        { value: "cosine", label: "Cosine", source: '{ name: "cosine" }' },
        { value: "plateau", label: "Plateau", source: '{ name: "plateau", patience: 2 }' },
      ],
      help: "Constant when left out; step: lower after so many epochs; cosine: down to its floor in the last epoch; plateau: lower when validation stands still",
    },
    { path: "optimizer.schedule.every", label: "Step after", control: "number", min: 1, step: 1, unit: "epochs", advanced: true, when: when("step") },
    {
      path: "optimizer.schedule.patience",
      label: "Plateau after",
      control: "number",
      min: 1,
      step: 1,
      unit: "epochs",
      advanced: true,
      when: when("plateau"),
      help: "Epochs without a better validation loss",
    },
    {
      path: "optimizer.schedule.factor",
      label: "Times",
      control: "number",
      min: 0,
      max: 1,
      advanced: true,
      when: when("step", "plateau"),
      help: "What the rate is multiplied by: 0.1 for step, 0.5 for plateau when left out",
    },
    {
      path: "optimizer.schedule.floor",
      label: "Floor",
      control: "number",
      min: 0,
      max: 1,
      advanced: true,
      when: when("cosine", "plateau"),
      help: "Share of the first rate that it never falls below: 0 for cosine, 0.001 for plateau when left out",
    },
    {
      path: "optimizer.warmup",
      label: "Warm-up",
      control: "number",
      min: 0,
      unit: "epochs",
      advanced: true,
      help: "Epochs in which the rate rises from 0",
    },
    {
      path: "loss",
      label: "Loss",
      control: "choice",
      advanced: true,
      choices: losses.map((value) => ({ value, label: value })),
      help: "Log for classes, squared for numbers (absolute when judged by MAE) when left out",
    },
    { path: "classWeights", label: "Class weights", control: "choice", advanced: true, choices: [{ value: "balanced", label: "balanced" }] },
    { path: "weight", label: "Row weight", control: "column", of: "split", advanced: true },
    {
      path: "task.kind",
      label: "Task",
      control: "choice",
      advanced: true,
      choices: ["binary", "multiclass", "regression", "forecast"].map((value) => ({ value, label: value })),
      help: "That of the baseline when left out",
    },
    { path: "task.target", label: "Target", control: "column", of: "split", advanced: true },
    { path: "seed", label: "Seed", control: "number", step: 1, advanced: true, help: "From the notebook's seed and the cell when left out" },
  ],
  toSource(scope) {
    const features = scope.findLast((name) => name.type === "features")?.name ?? '"identity"';
    return `const model = await train({
  split: ${nearest(scope, ["split"], "parts")},
  against: ${nearest(scope, ["baseline"], "floor")},
  features: ${features},
  model: "mlp",
  epochs: 20,
})`;
  },
};
