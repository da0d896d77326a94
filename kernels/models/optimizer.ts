/** Optimisers by name, their rate, and their state as numbers that can be kept. */
import type { NamedTensorMap, Tensor, Variable } from "@tensorflow/tfjs";
import type { Tf } from "../tensors/backend.js";
import type { Checkpoint } from "./checkpoint.js";

const rates: Record<string, number> = { adam: 0.001, sgd: 0.01, momentum: 0.01, rmsprop: 0.001, adagrad: 0.01 };

export interface Stepper {
  /** the rate that was asked for, or the usual one */
  rate: number;
  setRate(rate: number): void;
  applyGradients(gradients: NamedTensorMap): void;
  state(): Promise<Checkpoint["optimizer"]>;
  restore(state: Checkpoint["optimizer"]): Promise<void>;
  dispose(): void;
}

interface NamedTensor {
  name: string;
  tensor: Tensor;
}

/** What is used of an optimiser of tf.train. */
interface Own {
  learningRate: number;
  setLearningRate?(rate: number): void;
  c?: Tensor;
  accBeta1?: Variable;
  accBeta2?: Variable;
  applyGradients(gradients: NamedTensorMap): void;
  getWeights(): Promise<NamedTensor[]>;
  setWeights(weights: NamedTensor[]): Promise<void>;
  dispose(): void;
}

export function makeOptimizer(tf: Tf, asked: string | { name?: string; learningRate?: number } | undefined): Stepper {
  const { name = "adam", learningRate } = typeof asked === "object" ? asked : { name: asked, learningRate: undefined };
  const rate = learningRate ?? rates[name.toLowerCase()];
  if (rate === undefined || !(rate > 0) || !Number.isFinite(rate)) {
    throw new RangeError(
      rates[name.toLowerCase()] === undefined
        ? `Expected \`optimizer\` to be one of ${Object.keys(rates).join(", ")}, got \`${name}\``
        : `Expected \`optimizer.learningRate\` to be above 0, got \`${learningRate}\``,
    );
  }
  const train = tf.train as unknown as Record<string, (rate: number, momentum?: number) => Own>;
  const own = name.toLowerCase() === "momentum" ? train["momentum"]!(rate, 0.9) : train[name.toLowerCase()]!(rate);
  // powers that tf.train would compute anew from the count of steps, rounding them otherwise
  const powers = () => [own.accBeta1, own.accBeta2].filter((one) => one !== undefined);
  return {
    rate,
    setRate: (next) => (own.setLearningRate ? own.setLearningRate(next) : void (own.learningRate = next)),
    applyGradients: (gradients) => own.applyGradients(gradients),
    async state() {
      const list = [...(await own.getWeights()), ...powers().map((tensor, i) => ({ name: `power${i}`, tensor }))];
      const read = list.map(async (one) => ({ name: one.name, shape: one.tensor.shape, values: Float32Array.from(await one.tensor.data()) }));
      const state = await Promise.all(read);
      // the count of steps is a tensor made for the answer
      list[0]?.tensor.dispose();
      return state;
    },
    async restore(state) {
      const named = state.map(({ name: called, shape, values }, i): NamedTensor => {
        // the count of steps comes first, a whole number
        return { name: called, tensor: i === 0 ? tf.scalar(values[0]!, "int32") : tf.tensor(values, shape) };
      });
      const count = powers().length;
      const weights = count > 0 ? named.slice(0, -count) : named;
      await own.setWeights(weights);
      for (const [i, power] of powers().entries()) power.assign(named[named.length - count + i]!.tensor as never);
      for (const { tensor } of named) tensor.dispose();
    },
    dispose() {
      own.dispose();
      // tf.train.momentum forgets its rate
      if (own.c && !own.c.isDisposed) own.c.dispose();
    },
  };
}
