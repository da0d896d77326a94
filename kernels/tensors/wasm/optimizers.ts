/**
 * `tf.train.*` on wasm: one pass over each variable in the heap. TFJS's own takes up to fourteen kernels a variable, which is most of a small network's
 * step. Formulas, state and settings are those of the optimiser itself, so its weights can be saved, restored and carried to another back end; Adam runs four elements
 * at a time in float32, as the stock step does, the others in double precision. On another back end, or with another dtype, the stock step runs.
 */
import type { NamedTensorMap, Optimizer, Scalar, Tensor, TensorInfo, Variable } from "@tensorflow/tfjs";
import type { Tf, WasmBackend } from "./kernel.js";
import { simdOf, type Simd } from "./simd/module.js";

/** One variable: value, gradient and states as they are, then the new value and the new states. */
type Update = (w: Float32Array, g: Float32Array, old: Float32Array[], to: Float32Array, next: Float32Array[]) => void;

interface State {
  /** the optimiser's own list, one entry a variable */
  list: string;
  suffix: string;
  initial?: number;
}

interface Rule<O> {
  states: (optimizer: O) => State[];
  /** made once a step */
  update: (optimizer: O, epsilon: number) => Update;
  /** the same by the SIMD kernel: `from` are the addresses of value, gradient and states, `to` those of the new value and states */
  simd?: (optimizer: O, epsilon: number) => (simd: Simd, n: number, from: number[], to: number[]) => void;
  /** what else moves on with a step */
  after?: (optimizer: O, tf: Tf) => void;
}

type Grads = NamedTensorMap | { name: string; tensor: Tensor }[];
type Patched = Optimizer & Record<string, { originalName: string; variable: Variable }[]> & { incrementIterations(): void };
type Class = { prototype: { applyGradients(gradients: Grads): void } };
const value = (scalar: Scalar) => scalar.dataSync()[0]!;

interface Sgd {
  c: Scalar;
}
const sgd: Rule<Sgd> = {
  states: () => [],
  update: (optimizer) => {
    const c = value(optimizer.c);
    return (w, g, _, to) => {
      for (let i = 0; i < to.length; i++) to[i] = w[i]! + c * g[i]!;
    };
  },
};

const momentum: Rule<Sgd & { m: Scalar; useNesterov: boolean }> = {
  states: () => [{ list: "accumulations", suffix: "momentum" }],
  update: (optimizer) => {
    const [c, m, nesterov] = [value(optimizer.c), value(optimizer.m), optimizer.useNesterov];
    return (w, g, [a], to, [b]) => {
      for (let i = 0; i < to.length; i++) {
        const moved = (b![i] = m * a![i]! + g[i]!);
        to[i] = w[i]! + c * (nesterov ? g[i]! + m * moved : moved);
      }
    };
  },
};

const adagrad: Rule<{ learningRate: number; initialAccumulatorValue: number }> = {
  states: ({ initialAccumulatorValue: initial }) => [{ list: "accumulatedGrads", suffix: "accumulator", initial }],
  update:
    ({ learningRate: rate }, epsilon) =>
    (w, g, [a], to, [b]) => {
      for (let i = 0; i < to.length; i++) {
        const sum = (b![i] = a![i]! + g[i]! * g[i]!);
        to[i] = w[i]! - (rate * g[i]!) / Math.sqrt(sum + epsilon);
      }
    },
};

const adadelta: Rule<{ learningRate: number; rho: number; epsilon: number }> = {
  states: () => [
    { list: "accumulatedGrads", suffix: "accum_grad" },
    { list: "accumulatedUpdates", suffix: "accum_var" },
  ],
  update:
    ({ learningRate: rate, rho, epsilon }) =>
    (w, g, [a, u], to, [b, v]) => {
      for (let i = 0; i < to.length; i++) {
        const [gi, ai, ui] = [g[i]!, a![i]!, u![i]!];
        b![i] = rho * ai + (1 - rho) * gi * gi;
        // by the sum before this gradient, as the stock step has it
        const move = (Math.sqrt(ui + epsilon) / Math.sqrt(ai + epsilon)) * gi;
        v![i] = rho * ui + (1 - rho) * move * move;
        to[i] = w[i]! - rate * move;
      }
    },
};

interface RmsProp {
  learningRate: number;
  decay: number;
  momentum: number;
  epsilon: number;
  centered: boolean;
}
const rmsprop: Rule<RmsProp> = {
  states: ({ centered }) => [
    { list: "accumulatedMeanSquares", suffix: "rms" },
    { list: "accumulatedMoments", suffix: "momentum" },
    ...(centered ? [{ list: "accumulatedMeanGrads", suffix: "mg" }] : []),
  ],
  update:
    ({ learningRate: rate, decay, momentum: m, epsilon, centered }) =>
    (w, g, [s, a, mean], to, [t, b, next]) => {
      for (let i = 0; i < to.length; i++) {
        const gi = g[i]!;
        const square = (t![i] = decay * s![i]! + (1 - decay) * gi * gi);
        let under = square + epsilon;
        if (centered) {
          const average = (next![i] = decay * mean![i]! + (1 - decay) * gi);
          under = square - (average * average + epsilon);
        }
        const moved = (b![i] = m * a![i]! + (rate * gi) / Math.sqrt(under));
        to[i] = w[i]! - moved;
      }
    },
};

interface Moments {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  accBeta1: Variable;
}
const moments = [
  { list: "accumulatedFirstMoment", suffix: "m" },
  { list: "accumulatedSecondMoment", suffix: "v" },
];
const adam: Rule<Moments & { accBeta2: Variable }> = {
  states: () => moments,
  simd: ({ learningRate: rate, beta1, beta2, epsilon, accBeta1, accBeta2 }) => {
    const step = rate / (1 - value(accBeta1 as never));
    const correct = 1 / (1 - value(accBeta2 as never));
    return (simd, n, from, to) => simd.run("adam", n, ...from, ...to, beta1, 1 - beta1, beta2, 1 - beta2, step, correct, epsilon);
  },
  update: ({ learningRate: rate, beta1, beta2, epsilon, accBeta1, accBeta2 }) => {
    const step = rate / (1 - value(accBeta1 as never));
    const correct = 1 / (1 - value(accBeta2 as never));
    return (w, g, [m, v], to, [mm, vv]) => {
      for (let i = 0; i < to.length; i++) {
        const gi = g[i]!;
        const mi = (mm![i] = beta1 * m![i]! + (1 - beta1) * gi);
        const vi = (vv![i] = beta2 * v![i]! + (1 - beta2) * gi * gi);
        to[i] = w[i]! - (step * mi) / (Math.sqrt(vi * correct) + epsilon);
      }
    };
  },
  after: ({ accBeta1, accBeta2, beta1, beta2 }, tf) => {
    accBeta1.assign(tf.mul(accBeta1, beta1));
    accBeta2.assign(tf.mul(accBeta2, beta2));
  },
};

const adamax: Rule<Moments & { iteration: Variable; decay: number }> = {
  states: () => [moments[0]!, { list: "accumulatedWeightedInfNorm", suffix: "v" }],
  update: ({ learningRate: rate, beta1, beta2, epsilon, decay, accBeta1, iteration }) => {
    const step = rate / (value(iteration as never) * decay + 1) / (1 - value(accBeta1 as never));
    return (w, g, [m, v], to, [mm, vv]) => {
      for (let i = 0; i < to.length; i++) {
        const gi = g[i]!;
        const mi = (mm![i] = beta1 * m![i]! + (1 - beta1) * gi);
        const vi = (vv![i] = Math.max(beta2 * v![i]!, Math.abs(gi)));
        to[i] = w[i]! - (step * mi) / (vi + epsilon);
      }
    };
  },
  after: ({ accBeta1, beta1, iteration }, tf) => {
    iteration.assign(tf.add(iteration, 1));
    accBeta1.assign(tf.mul(accBeta1, beta1));
  },
};

/** Puts the one-pass steps in place of the stock ones. To be called once an engine. */
export function fastOptimizers(tf: Tf): void {
  const rules: [Class, Rule<never>][] = [
    [tf.SGDOptimizer as unknown as Class, sgd],
    [tf.MomentumOptimizer as unknown as Class, momentum],
    [tf.AdagradOptimizer as unknown as Class, adagrad],
    [tf.AdadeltaOptimizer as unknown as Class, adadelta],
    [tf.RMSPropOptimizer as unknown as Class, rmsprop],
    [tf.AdamOptimizer as unknown as Class, adam],
    [tf.AdamaxOptimizer as unknown as Class, adamax],
  ];
  for (const [{ prototype }, rule] of rules) {
    const stock = prototype.applyGradients;
    prototype.applyGradients = function (this: Patched, gradients) {
      if (!onePass(tf, this, rule, gradients)) stock.call(this, gradients);
    };
  }
}

/** False, with nothing done, where the stock step is needed. */
function onePass(tf: Tf, optimizer: Patched, rule: Rule<never>, gradients: Grads): boolean {
  if (tf.getBackend() !== "wasm") return false;
  const engine = tf.engine() as unknown as {
    state: { registeredVariables: Record<string, Variable> };
    makeTensorFromTensorInfo(info: TensorInfo): Tensor;
  };
  const pairs: [string, Tensor | null][] = Array.isArray(gradients) ? gradients.map((g) => [g.name, g.tensor]) : Object.entries(gradients);
  const variables = pairs.map(([name]) => engine.state.registeredVariables[name]);
  if (!pairs.every(([, gradient], i) => variables[i]?.dtype === "float32" && (gradient == null || gradient.dtype === "float32"))) return false;
  tf.tidy(() => {
    const backend = tf.backend() as unknown as WasmBackend;
    const epsilon = (tf.backend() as { epsilon(): number }).epsilon();
    const update = rule.update(optimizer as never, epsilon);
    const simd = rule.simd ? simdOf(backend) : null;
    const native = simd && rule.simd!(optimizer as never, epsilon);
    const states = rule.states(optimizer as never);
    pairs.forEach(([name, gradient], at) => {
      const variable = variables[at]!;
      const own = states.map(({ list, suffix, initial = 0 }) => {
        const make = () => ({ originalName: `${name}/${suffix}`, variable: tf.fill(variable.shape, initial).variable(false) });
        return (optimizer[list]![at] ??= make()).variable;
      });
      if (gradient == null) return;
      const from = [variable, gradient, ...own];
      // moved here first, should another back end hold them: heap views end when the heap grows
      for (const tensor of from) backend.dataIdMap.get(tensor.dataId);
      // new buffers, not in place: XNNPACK keeps weights packed by their id, and a state may be shared with what getWeights gave
      const out = [variable, ...own].map((tensor) => backend.makeOutput(tensor.shape, "float32"));
      if (native) native(simd, variable.size, from.map(simd.address), out.map(simd.address));
      else {
        const [w, g, ...old] = from.map((tensor) => backend.typedArrayFromHeap(tensor));
        const [to, ...next] = out.map((info) => backend.typedArrayFromHeap(info));
        update(w!, g!, old, to!, next);
      }
      [variable, ...own].forEach((kept, i) => kept.assign(engine.makeTensorFromTensorInfo(out[i]!)));
    });
    rule.after?.(optimizer as never, tf);
  });
  optimizer.incrementIterations();
  return true;
}
