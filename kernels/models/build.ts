/** Builds the networks that `train` and `distill` offer, and splits one that a person wrote, into what is trained (logits) and what answers. */
import type { LayersModel, SymbolicTensor } from "@tensorflow/tfjs";
import type { Tf } from "../tensors/backend.js";
import { generator, seeded } from "../tensors/seeds.js";

export type Outcome = "regression" | "binary" | "multiclass";
export type ModelSpec = "linear" | "mlp" | "cnn" | number | number[] | ((shape: number[]) => LayersModel);

export interface BuildOptions {
  /** a number or list: hidden units of an MLP */
  model: ModelSpec;
  /** length of the vector */
  width: number;
  outcome: Outcome;
  /** classes of a multiclass outcome */
  classes: number;
  /** of a regression: the answer is `mean + sd * output`, so that the net itself learns numbers of order one */
  scale?: { mean: number; sd: number };
  seed: number;
}

export interface Network {
  /** [n, width or the model's own shape] to logits (binary: 1, multiclass: one a class) or the scaled number */
  logits: LayersModel;
  /** same weights; gives a probability (binary), probabilities, or the number itself */
  answer: LayersModel;
  /** shape of one input, [width] but for a model of a person's own */
  shape: number[];
  /** numbers that `logits` gives a row */
  outputs: number;
  /** trainable weights */
  params: number;
  /** "mlp 64-32" */
  label: string;
}

/** Throws where the spec does not fit the vector or the outcome, saying what to change. */
export function buildNetwork(tf: Tf, options: BuildOptions): Network {
  // names are counted within this call, so that the same model always has the same bytes
  return seeded(generator(options.seed), () => build(tf, options));
}

function build(tf: Tf, { model, width, outcome, classes, scale }: BuildOptions): Network {
  const outputs = outcome === "multiclass" ? classes : 1;
  const own = typeof model === "function";
  const body = own ? custom(tf, model, width, outputs) : stock(tf, model, width, outputs);
  const { input, logits } = body;
  let answer = logits;
  if (outcome === "binary") answer = apply(tf.layers.activation({ activation: "sigmoid", name: "probability" }), answer);
  else if (outcome === "multiclass") answer = apply(tf.layers.softmax({ name: "probabilities" }), answer);
  else if (scale) {
    const rescale = tf.layers.dense({ units: 1, trainable: false, name: "rescale" });
    answer = apply(rescale, answer);
    tf.tidy(() => rescale.setWeights([tf.tensor2d([scale.sd], [1, 1]), tf.tensor1d([scale.mean])]));
  }
  const trained = tf.model({ inputs: input, outputs: logits, name: "logits_model" });
  const whole = tf.model({ inputs: input, outputs: answer, name: "model" });
  return {
    logits: trained,
    answer: whole,
    shape: input.shape.slice(1) as number[],
    outputs,
    params: trained.trainableWeights.reduce((sum, w) => sum + w.shape.reduce<number>((a, b) => a * (b as number), 1), 0),
    label: body.label,
  };
}

interface Body {
  input: SymbolicTensor;
  logits: SymbolicTensor;
  label: string;
}

function stock(tf: Tf, model: Exclude<ModelSpec, (shape: number[]) => LayersModel>, width: number, outputs: number): Body {
  const input = tf.input({ shape: [width], name: "vector" });
  const dense = (units: number, i: number) => tf.layers.dense({ units, activation: "relu", kernelInitializer: "heNormal", name: `dense_${i + 1}` });
  const out = () => tf.layers.dense({ units: outputs, name: "logits" });
  if (model === "linear") return { input, logits: apply(out(), input), label: "linear" };
  if (model === "cnn") {
    const side = Math.sqrt(width);
    if (!Number.isInteger(side) || side < 8) {
      throw new RangeError(
        `a cnn needs square images of at least 8 x 8 pixels as vectors; this vector has ${width} numbers. Take model "mlp", or write the model yourself`,
      );
    }
    let x = apply(tf.layers.reshape({ targetShape: [side, side, 1], name: "image" }), input);
    // without a border nothing is left of 8 x 8 or 9 x 9 after the second pool
    const padding = side < 10 ? "same" : "valid";
    for (const [i, filters] of [8, 16].entries()) {
      x = apply(tf.layers.conv2d({ filters, kernelSize: 3, padding, activation: "relu", kernelInitializer: "heNormal", name: `conv_${i + 1}` }), x);
      x = apply(tf.layers.maxPooling2d({ poolSize: 2, name: `pool_${i + 1}` }), x);
    }
    x = apply(tf.layers.flatten({ name: "flatten" }), x);
    return { input, logits: apply(out(), apply(dense(64, 0), x)), label: "cnn 8-16-64" };
  }
  const hidden = model === "mlp" ? [64, 32] : typeof model === "number" ? [model] : model;
  if (!Array.isArray(hidden) || hidden.length === 0 || !hidden.every((n) => Number.isInteger(n) && n >= 1 && n <= 100_000)) {
    throw new RangeError(`Expected \`model\` to be "linear", "mlp", "cnn", a list of layer sizes or a function, got \`${JSON.stringify(model)}\``);
  }
  let x: SymbolicTensor = input;
  for (const [i, units] of hidden.entries()) x = apply(dense(units, i), x);
  return { input, logits: apply(out(), x), label: `mlp ${hidden.join("-")}` };
}

/**
 * A person's own model. Its last activation is taken off (softmax and sigmoid are put back behind the logits), its input may have any shape that holds `width`
 * numbers.
 */
function custom(tf: Tf, make: (shape: number[]) => LayersModel, width: number, outputs: number): Body {
  const side = Math.sqrt(width);
  const made = make([width]);
  if (typeof made?.predict !== "function" || !Array.isArray(made.layers)) {
    throw new TypeError(`Expected \`model\` to return a tf.LayersModel, got \`${made === null ? "null" : typeof made}\``);
  }
  const input = made.inputs[0];
  const end = made.outputs[0];
  if (made.inputs.length !== 1 || made.outputs.length !== 1 || !input || !end) throw new RangeError("Expected a model with one input and one output");
  const shape = input.shape.slice(1) as (number | null)[];
  const size = shape.reduce<number>((a, b) => a * (b ?? NaN), 1);
  if (size !== width) {
    throw new RangeError(
      `the model takes [${shape.join(", ")}], the features give ${width} numbers a row${Number.isInteger(side) ? ` (as an image [${side}, ${side}, 1])` : ""}: give the first layer inputShape ${JSON.stringify([width])} (it is the function's argument)`,
    );
  }
  const empty = made.layers.find(({ output }) => [output].flat().some((one) => one.shape.includes(0)));
  if (empty)
    throw new RangeError(
      `layer \`${empty.name}\` of the model gives [${[empty.output].flat()[0]!.shape.slice(1).join(", ")}], which is no number at all: pool less, or set padding: "same"`,
    );
  const last = made.layers[made.layers.length - 1]!;
  let logits = end;
  const config = last.getConfig() as { activation?: string };
  const type = last.getClassName();
  if (["Activation", "Softmax"].includes(type)) {
    if (type === "Softmax" || config.activation === "softmax" || config.activation === "sigmoid") logits = last.input as SymbolicTensor;
  } else if (config.activation === "softmax" || config.activation === "sigmoid") {
    // the same layer without its activation, with the same weights
    const bare = (tf.layers as unknown as Record<string, (config: object) => typeof last>)[type[0]!.toLowerCase() + type.slice(1)]?.({
      ...config,
      activation: "linear",
      name: "logits",
    });
    if (!bare) throw new RangeError(`the model ends in a ${type} layer with ${config.activation}: put the activation in a layer of its own`);
    logits = apply(bare, last.input as SymbolicTensor);
    bare.setWeights(last.getWeights());
    last.dispose();
  }
  const given = logits.shape[logits.shape.length - 1];
  if (logits.shape.length !== 2 || given !== outputs) {
    throw new RangeError(
      `the model ends in [${end.shape.slice(1).join(", ")}], the task needs ${outputs} ${outputs === 1 ? "output" : "outputs, one a class"}: make the last layer dense({ units: ${outputs} })`,
    );
  }
  const sizes = made.layers.flatMap((layer) => {
    const { units, filters } = layer.getConfig() as { units?: number; filters?: number };
    return units ?? filters ?? [];
  });
  return { input, logits, label: `own ${sizes.slice(0, -1).join("-") || "model"}` };
}

function apply(layer: { apply(input: SymbolicTensor): unknown }, input: SymbolicTensor): SymbolicTensor {
  return layer.apply(input) as SymbolicTensor;
}
