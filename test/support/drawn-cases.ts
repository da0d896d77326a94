/* eslint-disable @typescript-eslint/no-explicit-any -- ops and ranks are drawn, not known to TFJS's types */
/** Drawn cases of all operations, by kind. */
import type { Tf } from "../../kernels/tensors/backend.js";
import { binaries, reductions, unaries } from "./operations.js";
import type { DType, Maker } from "./drawn.js";
import { shapeCases } from "./drawn-shapes.js";
import { windowCases } from "./drawn-windows.js";

export const drawnCases = (tf: Tf): Record<string, Maker> => ({
  binary(d) {
    const op = d.pick(binaries);
    const dtype: DType = d.chance(0.7) ? "float32" : d.pick(["int32", "bool"]);
    const other: DType = d.chance(0.8) ? dtype : d.pick(["float32", "int32"]);
    const whole = d.shape(0, 6);
    const odd = dtype === "bool" && other === "bool" && !/qual|less|great/.test(op);
    let [a, b] = [whole, d.chance(0.5) ? whole : d.against(whole)];
    if (d.chance(0.5)) [a, b] = [b, a];
    if (op === "prelu") [a, b] = [whole, whole];
    const special = op !== "pow" && op !== "atan2" && op !== "prelu" && d.chance(0.3);
    const positive = op === "pow" || op === "mod" || op === "div";
    const kind = positive ? "positive" : special ? "special" : d.chance(0.2) ? "wide" : "plain";
    const smooth =
      ["add", "sub", "mul", "div", "pow", "squaredDifference", "maximum", "minimum", "divNoNan", "prelu"].includes(op) && kind !== "special";
    return {
      told: `${op} ${dtype}[${a}] ${other}[${b}] ${kind}`,
      inputs: [d.given(a, op === "prelu" || odd ? "float32" : dtype, kind), d.given(b, op === "prelu" ? "float32" : other, kind)],
      run: (x, y) => (tf as any)[op](x, y),
      grads: smooth,
    };
  },
  unary(d) {
    const op = d.pick(unaries);
    const soft = /oftmax/.test(op);
    const shape = d.shape(soft ? 1 : 0, 6);
    const dtype: DType =
      !soft && ["abs", "neg", "sign", "square", "relu", "zerosLike", "onesLike"].includes(op) && d.chance(0.3) ? "int32" : "float32";
    const kind = ["acosh"].includes(op) ? "positive" : d.chance(0.3) ? "special" : "plain";
    return {
      told: `${op} ${dtype}[${shape}] ${kind}`,
      inputs: [d.given(shape, dtype, kind)],
      run: (x) => (tf as any)[op](op === "acosh" ? x.add(1) : x),
      grads: dtype === "float32" && kind === "plain" && !/^is|zeros|ones|step|sign|ceil|floor|round/.test(op),
    };
  },
  reduce(d) {
    const op = d.pick([...reductions, "moments"] as const);
    const shape = d.shape(1, 6, 0);
    const dtype: DType =
      op === "any" || op === "all" ? "bool" : ["sum", "max", "min", "prod", "argMax"].includes(op) && d.chance(0.3) ? "int32" : "float32";
    const one = /arg|cum/.test(op);
    const axes = shape
      .map((_, i) => i)
      .filter(() => d.chance(0.5))
      .map((i) => (d.chance(0.3) ? i - shape.length : i));
    const axis = one ? d.int(0, shape.length - 1) : axes.length === 0 ? undefined : axes;
    const keep = d.chance(0.4);
    const rev = d.chance(0.5),
      ex = d.chance(0.5);
    const kind = dtype === "float32" && !/norm|moments/.test(op) && d.chance(0.2) ? "special" : "plain";
    const run = (x: any): any => {
      if (/^cum/.test(op)) return (tf as any)[op](x, axis, ex, rev);
      if (/^arg/.test(op)) return (tf as any)[op](x, axis);
      if (op === "norm") return tf.norm(x, 2, axis as any, keep);
      if (op === "moments") {
        const { mean, variance } = tf.moments(x, axis as any, keep);
        return [mean, variance];
      }
      return (tf as any)[op](x, axis, keep);
    };
    return {
      told: `${op} ${dtype}[${shape}] axis ${String(axis)} keep ${keep} ${ex}${rev} ${kind}`,
      inputs: [d.given(shape, dtype, kind)],
      run,
      grads: dtype === "float32" && kind === "plain" && ["sum", "mean", "max", "min", "logSumExp", "norm", "cumsum", "moments"].includes(op),
    };
  },
  matmul(d) {
    const [m, k, n] = d.chance(0.3) ? [d.int(1, 70), d.int(1, 300), d.int(1, 40)] : [d.int(1, 9), d.int(1, 9), d.int(1, 9)];
    const batch = d.shape(0, 3, 0);
    const [ta, tb] = [d.chance(0.5), d.chance(0.5)];
    const other = d.chance(0.5) ? batch : d.chance(0.5) ? [] : d.against(batch);
    const [ba, bb] = d.chance(0.5) ? [batch, other] : [other, batch];
    const a = [...ba, ...(ta ? [k, m] : [m, k])],
      b = [...bb, ...(tb ? [n, k] : [k, n])];
    const dtype: DType = d.chance(0.08) ? "int32" : "float32";
    return {
      told: `matMul ${dtype} [${a}] [${b}] ${ta} ${tb}`,
      inputs: [d.given(a, dtype), d.given(b, dtype)],
      run: (x, y) => tf.matMul(x, y, ta, tb),
      grads: dtype === "float32",
    };
  },
  fused(d) {
    const [m, k, n] = [d.int(1, 20), d.int(1, 20), d.int(1, 20)];
    const act = d.pick(["linear", "relu", "relu6", "elu", "sigmoid", "leakyrelu"] as const);
    const bias = d.pick([[n], [1, n], [m, n], [1]]);
    const [ta, tb] = [d.chance(0.5), d.chance(0.5)];
    const none = d.chance(0.2);
    return {
      told: `fused.matMul ${m} ${k} ${n} ${ta} ${tb} ${act} bias [${bias}] ${none}`,
      inputs: [d.given(ta ? [k, m] : [m, k]), d.given(tb ? [n, k] : [k, n]), d.given(bias)],
      run: (a, b, c) =>
        tf.fused.matMul({ a, b, transposeA: ta, transposeB: tb, ...(none ? {} : { bias: c }), activation: act, leakyreluAlpha: 0.3 } as any),
      grads: false,
    };
  },
  ...shapeCases(tf),
  ...windowCases(tf),
  norm(d) {
    const shape = d.shape(2, 4, 0);
    const c = shape.at(-1)!;
    return {
      told: `batchNorm [${shape}]`,
      inputs: [d.given(shape), d.given([c]), d.given([c], "float32", "positive"), d.given([c]), d.given([c])],
      run: (x, m, v, o, s) => tf.batchNorm(x, m, v, o, s, 1e-3),
      grads: true,
    };
  },
});
