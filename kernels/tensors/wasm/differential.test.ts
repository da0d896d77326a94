/* eslint-disable @typescript-eslint/no-explicit-any -- ops and ranks are drawn, not known to TFJS's types */
/**
 * wasm against cpu on drawn cases: values and gradients of operations over random shapes (empty ones, broadcasting, up to rank 6), dtypes and special values.
 * A failure names its seed; DIFFERENTIAL_SEED and DIFFERENTIAL_CASES look further.
 */
import { beforeAll, expect, test } from "vitest";
import type { Tensor } from "@tensorflow/tfjs";
import { watchHeap } from "../../../test/support/heap.js";
import { loadBackend, type Tf } from "../backend.js";
import { generator, type Generator } from "../seeds.js";

let tf: Tf;
let trampled: () => number;
beforeAll(async () => {
  tf = (await loadBackend("cpu")).tf;
  await loadBackend("wasm");
  trampled = watchHeap(tf.backend());
});

type DType = "float32" | "int32" | "bool";
interface Given {
  shape: number[];
  dtype: DType;
  values: number[];
}
interface Case {
  told: string;
  inputs: Given[];
  run: (...x: any[]) => Tensor | Tensor[];
  /** gradients by the float inputs are compared too */
  grads: boolean;
  tolerance?: number;
}

class Draw {
  readonly random: Generator;
  constructor(random: Generator) {
    this.random = random;
  }
  int(from: number, to: number): number {
    return from + Math.floor(this.random() * (to - from + 1));
  }
  chance(p: number): boolean {
    return this.random() < p;
  }
  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.random() * list.length)]!;
  }
  shape(least: number, most: number, zero = 0.05): number[] {
    const rank = this.int(least, most);
    const top = rank > 4 ? 3 : 5;
    return Array.from({ length: rank }, () => (this.chance(zero / Math.max(1, rank)) ? 0 : this.int(1, top)));
  }
  /** a shape that broadcasts with this one */
  against(shape: number[]): number[] {
    const cut = this.chance(0.4) ? this.int(0, shape.length) : 0;
    return shape.slice(cut).map((n) => (this.chance(0.3) ? 1 : n));
  }
  values(n: number, dtype: DType, kind: "plain" | "special" | "positive" | "wide"): number[] {
    return Array.from({ length: n }, () => {
      if (dtype === "bool") return this.int(0, 1);
      if (dtype === "int32") return kind === "positive" ? this.int(1, 9) : this.chance(0.1) ? this.int(-100000, 100000) : this.int(-6, 6);
      if (kind === "special" && this.chance(0.25)) return this.pick([NaN, Infinity, -Infinity, 0, -0, 1e38, -1e38, 1e-37, 88.9, -88.9, 1e9]);
      if (kind === "wide") return (this.random() * 2 - 1) * 10 ** this.int(-6, 6);
      const v = this.random() * 4 - 2;
      return kind === "positive" ? Math.abs(v) + 0.1 : v;
    });
  }
  given(shape: number[], dtype: DType = "float32", kind: "plain" | "special" | "positive" | "wide" = "plain"): Given {
    return {
      shape,
      dtype,
      values: this.values(
        shape.reduce((a, b) => a * b, 1),
        dtype,
        kind,
      ),
    };
  }
}

type Maker = (d: Draw) => Case;

const binaries = [
  "add",
  "sub",
  "mul",
  "div",
  "maximum",
  "minimum",
  "pow",
  "squaredDifference",
  "mod",
  "equal",
  "notEqual",
  "less",
  "greater",
  "lessEqual",
  "greaterEqual",
  "atan2",
  "divNoNan",
  "prelu",
] as const;
const unaries = [
  "abs",
  "acos",
  "acosh",
  "asin",
  "asinh",
  "atan",
  "atanh",
  "ceil",
  "cos",
  "cosh",
  "elu",
  "erf",
  "exp",
  "expm1",
  "floor",
  "isFinite",
  "isInf",
  "isNaN",
  "leakyRelu",
  "log",
  "log1p",
  "logSigmoid",
  "neg",
  "reciprocal",
  "relu",
  "relu6",
  "round",
  "rsqrt",
  "selu",
  "sigmoid",
  "sign",
  "sin",
  "sinh",
  "softplus",
  "sqrt",
  "square",
  "step",
  "tan",
  "tanh",
  "softmax",
  "logSoftmax",
  "zerosLike",
  "onesLike",
] as const;
const reductions = [
  "sum",
  "mean",
  "max",
  "min",
  "prod",
  "any",
  "all",
  "argMax",
  "argMin",
  "logSumExp",
  "norm",
  "cumsum",
  "cumprod",
  "moments",
] as const;

const makers: Record<string, Maker> = {
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
    const op = d.pick(reductions);
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
  shape(d) {
    const op = d.pick([
      "slice",
      "stridedSlice",
      "pad",
      "mirrorPad",
      "concat",
      "stack",
      "unstack",
      "split",
      "tile",
      "reverse",
      "transpose",
      "gather",
      "gatherND",
      "scatterND",
      "oneHot",
      "topk",
      "broadcastTo",
      "expandDims",
      "reshape",
      "where",
      "booleanMask",
      "unsortedSegmentSum",
      "batchGather",
      "spaceToBatch",
      "depthToSpace",
      "cast",
      "clip",
      "logical",
      "fill",
      "range",
      "tensorScatterUpdate",
      "bincount",
      "einsum",
      "resize",
      "lrn",
      "addN",
      "cropAndResize",
      "unique",
      "searchSorted",
      "gather",
      "batchGather",
    ]);
    const dtype: DType = d.pick(["float32", "float32", "int32", "bool"]);
    const shape = d.shape(1, 6, 0.1);
    const g = d.given(shape, dtype);
    const fl = dtype === "float32";
    const t = `${op} ${dtype}[${shape}]`;
    switch (op) {
      case "slice": {
        const begin = shape.map((n) => d.int(0, n));
        const size = shape.map((n, i) => (d.chance(0.3) ? -1 : d.int(0, n - begin[i]!)));
        return { told: `${t} ${begin}; ${size}`, inputs: [g], run: (x) => tf.slice(x, begin, size), grads: fl };
      }
      case "stridedSlice": {
        const s = d.shape(1, 4, 0);
        const step = s.map(() => d.pick([1, 2, -1, -2, 3]));
        const begin = s.map((n, i) => (step[i]! > 0 ? d.int(0, n - 1) : n - 1 - d.int(0, n - 1)));
        const end = s.map((n, i) => (step[i]! > 0 ? d.int(begin[i]!, n) : d.int(-n - 1, -1)));
        return {
          told: `${op}[${s}] ${begin};${end};${step}`,
          inputs: [d.given(s, dtype)],
          run: (x) => tf.stridedSlice(x, begin, end, step),
          grads: false,
        };
      }
      case "pad": {
        const s = d.shape(1, 5, 0);
        const p = s.map(() => [d.int(0, 2), d.int(0, 2)] as [number, number]);
        const v = fl ? 1.5 : 1;
        return { told: `pad ${dtype}[${s}] ${JSON.stringify(p)}`, inputs: [d.given(s, dtype)], run: (x) => tf.pad(x, p, v), grads: fl };
      }
      case "mirrorPad": {
        const s = d.shape(1, 4, 0);
        const p = s.map((n) => [d.int(0, n - 1), d.int(0, n - 1)] as [number, number]);
        const m = d.pick(["reflect", "symmetric"] as const);
        return {
          told: `mirrorPad ${dtype}[${s}] ${JSON.stringify(p)} ${m}`,
          inputs: [d.given(s, dtype)],
          run: (x) => tf.mirrorPad(x, p, m),
          grads: false,
        };
      }
      case "concat": {
        const axis = d.int(0, shape.length - 1);
        const n = d.int(1, 4);
        const inputs = Array.from({ length: n }, () =>
          d.given(
            shape.map((v, i) => (i === axis ? d.int(0, 4) : v)),
            dtype,
          ),
        );
        return { told: `${t} axis ${axis} ${inputs.map((i) => i.shape[axis])}`, inputs, run: (...x) => tf.concat(x, axis), grads: fl };
      }
      case "stack": {
        const s = d.shape(0, 5);
        const axis = d.int(0, s.length);
        const n = d.int(1, 3);
        return {
          told: `stack [${s}] ${axis} ${n}`,
          inputs: Array.from({ length: n }, () => d.given(s, dtype)),
          run: (...x) => tf.stack(x, axis),
          grads: fl,
        };
      }
      case "unstack": {
        const s = d.shape(1, 5, 0);
        const axis = d.int(0, s.length - 1);
        return { told: `unstack [${s}] ${axis}`, inputs: [d.given(s, dtype)], run: (x) => tf.unstack(x, axis), grads: fl };
      }
      case "split": {
        const s = d.shape(1, 5, 0);
        const axis = d.int(0, s.length - 1);
        const n = s[axis]!;
        const c = d.int(0, n);
        const sizes = [c, n - c];
        return { told: `split [${s}] ${axis} ${sizes}`, inputs: [d.given(s, dtype)], run: (x) => tf.split(x, sizes, axis), grads: fl };
      }
      case "tile": {
        const s = d.shape(1, 5);
        const reps = s.map(() => d.int(d.chance(0.05) ? 0 : 1, 3));
        return {
          told: `tile [${s}] ${reps}`,
          inputs: [d.given(s, dtype)],
          run: (x) => tf.tile(x, reps),
          grads: fl && s.length <= 4 && !reps.includes(0) && !s.includes(0),
        };
      }
      case "reverse": {
        const axis = shape.map((_, i) => i).filter(() => d.chance(0.5));
        return { told: `${t} ${axis}`, inputs: [g], run: (x) => tf.reverse(x, axis), grads: fl };
      }
      case "transpose": {
        const perm = shape.map((_, i) => i).sort(() => d.random() - 0.5);
        return { told: `${t} ${perm}`, inputs: [g], run: (x) => tf.transpose(x, perm), grads: fl };
      }
      case "gather": {
        const s = d.shape(1, 5, 0);
        const axis = d.int(0, s.length - 1);
        const ind = d.shape(0, 2);
        const idx: Given = {
          shape: ind,
          dtype: "int32",
          values: Array.from({ length: ind.reduce((a, b) => a * b, 1) }, () => d.int(0, s[axis]! - 1)),
        };
        return { told: `gather ${dtype}[${s}] [${ind}] ${axis}`, inputs: [d.given(s, dtype), idx], run: (x, i) => tf.gather(x, i, axis), grads: fl };
      }
      case "batchGather": {
        const b = d.int(1, 3);
        const s = [b, d.int(1, 4), ...d.shape(0, 2, 0)];
        const idx: Given = { shape: [b, 3], dtype: "int32", values: Array.from({ length: b * 3 }, () => d.int(0, s[1]! - 1)) };
        return { told: `gather batch ${dtype}[${s}]`, inputs: [d.given(s, dtype), idx], run: (x, i) => tf.gather(x, i, 1, 1), grads: fl };
      }
      case "gatherND": {
        const s = d.shape(2, 4, 0);
        const r = d.int(1, s.length);
        const n = d.int(1, 4);
        return {
          told: `gatherND [${s}] ${r}`,
          inputs: [
            d.given(s, dtype === "bool" ? "int32" : dtype),
            { shape: [n, r], dtype: "int32", values: Array.from({ length: n * r }, (_, i) => d.int(0, s[i % r]! - 1)) },
          ],
          run: (x, i) => tf.gatherND(x, i),
          grads: false,
        };
      }
      case "scatterND": {
        const n = d.int(1, 5);
        const inner = d.shape(0, 2, 0);
        return {
          told: `scatterND ${dtype} ${n} [${inner}]`,
          inputs: [
            { shape: [n, 1], dtype: "int32", values: Array.from({ length: n }, () => d.int(0, 3)) },
            d.given([n, ...inner], dtype === "bool" ? "int32" : dtype),
          ],
          run: (i, u) => tf.scatterND(i, u, [4, ...inner]),
          grads: false,
        };
      }
      case "oneHot": {
        const s = d.shape(0, 4);
        return { told: `oneHot [${s}]`, inputs: [d.given(s, "int32")], run: (x) => tf.oneHot(x, 5, 2, -1), grads: false };
      }
      case "topk": {
        const s = d.shape(1, 4, 0);
        return {
          told: `topk ${dtype}[${s}]`,
          inputs: [d.given(s, dtype === "bool" ? "int32" : dtype)],
          run: (x) => {
            const { values, indices } = tf.topk(x, Math.min(2, s.at(-1)!));
            return [values, indices];
          },
          grads: false,
        };
      }
      case "broadcastTo": {
        const s = d.shape(1, 5, 0);
        const from = s.map((n) => (d.chance(0.4) ? 1 : n));
        return { told: `broadcastTo [${from}] [${s}]`, inputs: [d.given(from, dtype)], run: (x) => tf.broadcastTo(x, s), grads: fl };
      }
      case "expandDims": {
        const axis = d.int(0, Math.min(5, shape.length));
        return { told: `${t} ${axis}`, inputs: [g], run: (x) => tf.expandDims(x, axis), grads: fl && shape.length < 6 };
      }
      case "reshape":
        return { told: t, inputs: [g], run: (x) => x.reshape([...shape].reverse()).add(0), grads: fl };
      case "where": {
        const o = d.against(shape);
        return {
          told: `${t} [${o}]`,
          inputs: [d.given(d.chance(0.5) ? shape : o, "bool"), g, d.given(d.chance(0.5) ? shape : o, dtype)],
          run: (c, x, y) => tf.where(c, x, y),
          grads: fl,
        };
      }
      case "booleanMask": {
        const s = d.shape(1, 4, 0);
        return { told: `where indices`, inputs: [d.given(s, "bool")], run: (x) => tf.logicalNot(x), grads: false };
      }
      case "unsortedSegmentSum": {
        const n = d.int(1, 5);
        const inner = d.shape(0, 2);
        return {
          told: `segmentSum ${dtype} ${n} [${inner}]`,
          inputs: [d.given([n, ...inner]), { shape: [n], dtype: "int32", values: Array.from({ length: n }, () => d.int(-1, 4)) }],
          run: (x, i) => tf.unsortedSegmentSum(x, i, 4),
          grads: fl,
        };
      }
      case "spaceToBatch": {
        const s = [d.int(1, 2), 4, 6, d.int(1, 3)];
        return {
          told: `spaceToBatch [${s}]`,
          inputs: [d.given(s)],
          run: (x) => {
            const y = tf.spaceToBatchND(
              x,
              [2, 3],
              [
                [0, 2],
                [0, 0],
              ],
            );
            return [
              y,
              tf.batchToSpaceND(
                y,
                [2, 3],
                [
                  [0, 1],
                  [0, 0],
                ],
              ),
            ];
          },
          grads: true,
        };
      }
      case "depthToSpace":
        return { told: op, inputs: [d.given([2, 3, 2, 8])], run: (x) => tf.depthToSpace(x, 2), grads: false };
      case "cast": {
        const to = d.pick(["float32", "int32", "bool"] as const);
        return {
          told: `${t} ${to}`,
          inputs: [d.given(shape, dtype, "special")].map((q) => ({
            ...q,
            values: q.values.map((v) => (to === "int32" && (!Number.isFinite(v) || Math.abs(v) > 2e9) ? 3.7 : v)),
          })),
          run: (x) => tf.cast(x, to),
          grads: false,
        };
      }
      case "clip":
        return {
          told: `clip ${t}`,
          inputs: [d.given(shape, dtype === "bool" ? "float32" : dtype, "special")],
          run: (x) => tf.clipByValue(x, -1, 1),
          grads: false,
        };
      case "logical": {
        const o = d.against(shape);
        const f = d.pick(["logicalAnd", "logicalOr", "logicalXor"] as const);
        return { told: `${f} ${shape} ${o}`, inputs: [d.given(shape, "bool"), d.given(o, "bool")], run: (a, b) => tf[f](a, b), grads: false };
      }
      case "fill":
        return { told: t, inputs: [], run: () => tf.fill(shape, 1, dtype), grads: false };
      case "range":
        return { told: op, inputs: [], run: () => [tf.range(5, -3, -2), tf.linspace(0, 1, 7)], grads: false };
      case "tensorScatterUpdate":
        return {
          told: op,
          inputs: [d.given([5, 2]), { shape: [2, 1], dtype: "int32", values: [3, 1] }, d.given([2, 2])],
          run: (x, i, u) => (tf as any).tensorScatterUpdate(x, i, u),
          grads: false,
        };
      case "bincount":
        return {
          told: op,
          inputs: [{ shape: [7], dtype: "int32", values: Array.from({ length: 7 }, () => d.int(0, 4)) }, d.given([7])],
          run: (x, w) => [tf.bincount(x, w, 5), tf.bincount(x, tf.tensor1d([]), 5)],
          grads: false,
        };
      case "einsum": {
        const eq = d.pick(["ij,jk->ik", "bij,bjk->bik", "bqhd,bkhd->bhqk", "ij->ji", "i,j->ij", "bij->b", "abc,cd->abd"]);
        const dims: Record<string, number> = {};
        const inputs = eq
          .split("->")[0]!
          .split(",")
          .map((p) => d.given([...p].map((c) => (dims[c] ??= d.int(1, 4)))));
        return { told: `einsum ${eq}`, inputs, run: (...x) => tf.einsum(eq, ...x), grads: true };
      }
      case "resize": {
        const s = [d.int(1, 2), d.int(1, 5), 0, d.int(1, 3)];
        s[2] = s[1]!;
        const al = d.chance(0.5);
        const f = d.pick(["resizeBilinear", "resizeNearestNeighbor"] as const);
        const half = !al && d.chance(0.5);
        const to: [number, number] = [d.int(1, 7), d.int(1, 7)];
        return {
          told: `${f} [${s}] ${to} ${al} ${half}`,
          inputs: [d.given(s)],
          run: (x) => tf.image[f](x, to, al, half),
          grads: !half && !(al && (to[0] === 1 || to[1] === 1)),
        };
      }
      case "lrn":
        return { told: op, inputs: [d.given([1, 2, 3, 6])], run: (x) => tf.localResponseNormalization(x, 2, 1.5, 0.7, 0.6), grads: true };
      case "addN":
        return { told: op, inputs: [d.given(shape), d.given(shape), d.given(shape)], run: (...x) => tf.addN(x), grads: true };
      case "cropAndResize":
        return {
          told: op,
          inputs: [
            d.given([2, 5, 4, 2]),
            { shape: [2, 4], dtype: "float32", values: [0.1, 0, 0.9, 1.2, 0, 0.2, 0.5, 0.6] },
            { shape: [2], dtype: "int32", values: [1, 0] },
          ],
          run: (x, b, i) => tf.image.cropAndResize(x, b, i, [3, 3]),
          grads: false,
        };
      case "unique":
        return {
          told: op,
          inputs: [{ shape: [9], dtype: dtype === "bool" ? "int32" : dtype, values: Array.from({ length: 9 }, () => d.int(0, 3)) }],
          run: (x) => {
            const { values, indices } = tf.unique(x);
            return [values, indices];
          },
          grads: false,
        };
      case "searchSorted":
        return {
          told: op,
          inputs: [{ shape: [6], dtype: "float32", values: [-1, 0, 0, 1, 2, 5] }, d.given([7])],
          run: (s, x) => [tf.lowerBound(s, x), tf.upperBound(s, x)],
          grads: false,
        };
      default:
        throw new Error(op);
    }
  },
  conv2d(d) {
    const depthwise = d.chance(0.4);
    const kind = depthwise ? "depthwise" : d.pick(["conv2d", "conv2d", "conv1d", "separable", "transpose", "conv3d"]);
    const [h, w, ci, co, b] = [d.int(1, 9), d.int(1, 9), d.int(1, 5), d.int(1, 6), d.int(1, 3)];
    const pads: any = d.pick([
      "same",
      "valid",
      "same",
      d.int(0, 2),
      [
        [0, 0],
        [d.int(0, 2), d.int(0, 2)],
        [d.int(0, 2), d.int(0, 2)],
        [0, 0],
      ],
    ]);
    const span = pads === "same" ? 9 : 0;
    const kh = d.int(1, Math.min(4, h + span)),
      kw = d.int(1, Math.min(4, w + span));
    const dil = d.chance(0.2) && pads === "same" ? d.int(2, 3) : 1;
    const s: [number, number] = dil > 1 ? [1, 1] : d.chance(0.5) ? [1, 1] : [d.int(1, 5), d.int(1, 5)];
    const info = `x[${b},${h},${w},${ci}] k[${kh},${kw}] co ${co} s ${s} pad ${JSON.stringify(pads)} dil ${dil}`;
    if (kind === "depthwise") {
      const m = d.int(1, 3);
      const ss: any = d.chance(0.7) ? s[0] : s;
      return {
        told: `depthwise m${m} ${info} ${ss}`,
        inputs: [d.given([b, h, w, ci]), d.given([kh, kw, ci, m])],
        run: (x, f) => tf.depthwiseConv2d(x, f, ss, pads, "NHWC", dil, typeof pads === "string" ? undefined : "floor"),
        grads: dil === 1,
      };
    }
    if (kind === "separable") {
      const m = d.int(1, 3);
      const pp = d.pick(["same", "valid"] as const);
      const q = pp === "valid" ? [Math.min(kh, h), Math.min(kw, w)] : [kh, kw];
      return {
        told: `separable m${m} ${info} ${pp}`,
        inputs: [d.given([b, h, w, ci]), d.given([q[0]!, q[1]!, ci, m]), d.given([1, 1, ci * m, co])],
        run: (x, f, p) => tf.separableConv2d(x, f, p, s[0], pp),
        grads: true,
      };
    }
    if (kind === "conv1d") {
      const pp = d.pick(["same", "valid"] as const);
      const kk = pp === "valid" ? Math.min(kw, w) : kw;
      return {
        told: `conv1d ${info} ${pp}`,
        inputs: [d.given([b, w, ci]), d.given([kk, ci, co])],
        run: (x, f) => tf.conv1d(x, f, s[1], pp),
        grads: true,
      };
    }
    if (kind === "transpose") {
      const pp = d.pick(["same", "valid"] as const);
      const oh = pp === "same" ? h * s[0] : (h - 1) * s[0] + kh;
      const ow = pp === "same" ? w * s[0] : (w - 1) * s[0] + kw;
      return {
        told: `transposed ${info} ${pp}`,
        inputs: [d.given([b, h, w, ci]), d.given([kh, kw, co, ci])],
        run: (x, f) => tf.conv2dTranspose(x, f, [b, oh, ow, co], s[0], pp),
        grads: true,
      };
    }
    if (kind === "conv3d") {
      const pp = d.pick(["same", "valid"] as const);
      const q = pp === "valid" ? [Math.min(kh, h), Math.min(kw, w)] : [kh, kw];
      return {
        told: `conv3d ${info} ${pp}`,
        inputs: [d.given([b, 3, h, w, ci]), d.given([2, q[0]!, q[1]!, ci, co])],
        run: (x, f) => tf.conv3d(x, f, s[0], pp),
        grads: true,
      };
    }
    return {
      told: `conv2d ${info}`,
      inputs: [d.given([b, h, w, ci]), d.given([kh, kw, ci, co])],
      run: (x, f) => tf.conv2d(x, f, s, pads, "NHWC", dil, typeof pads === "string" ? undefined : "floor"),
      grads: dil === 1,
    };
  },
  fusedConv(d) {
    const [h, w, ci, co, b] = [d.int(3, 9), d.int(3, 9), d.int(1, 5), d.int(1, 6), d.int(1, 3)];
    const act = d.pick(["linear", "relu", "relu6", "elu", "sigmoid", "leakyrelu"] as const);
    const dw = d.chance(0.5);
    const s = d.int(1, 2),
      pad = d.pick(["same", "valid"] as const),
      m = d.int(1, 2);
    return {
      told: `fused conv dw ${dw} ${act} ${s} ${pad}`,
      inputs: [d.given([b, h, w, ci]), d.given(dw ? [3, 2, ci, m] : [3, 2, ci, co]), d.given([dw ? ci * m : co])],
      run: (x, filter, bias) =>
        (dw ? tf.fused.depthwiseConv2d : tf.fused.conv2d)({ x, filter, strides: s, pad, bias, activation: act, leakyreluAlpha: 0.3 } as any),
      grads: false,
    };
  },
  pool(d) {
    const kind = d.pick(["maxPool", "avgPool", "maxPool3d", "avgPool3d", "maxPoolWithArgmax", "pool"]);
    const [h, w, c, b] = [d.int(1, 8), d.int(1, 8), d.int(1, 5), d.int(1, 3)];
    const pad: any = d.pick(["same", "valid", 1]);
    const f: [number, number] = [d.int(1, Math.min(4, h)), d.int(1, Math.min(4, w))];
    if (kind === "pool" && pad === "valid") [f[0], f[1]] = [1, 1];
    if (pad === 1) {
      f[0] = Math.max(2, f[0]);
      f[1] = Math.max(2, f[1]);
    }
    const s: [number, number] = [d.int(1, 4), d.int(1, 4)];
    const ties = d.chance(0.4);
    const x = d.given([b, h, w, c]);
    if (ties) x.values = x.values.map((v) => Math.round(v));
    const told = `${kind} [${b},${h},${w},${c}] f ${f} s ${s} ${pad} ties ${ties}`;
    const q = pad === 1 ? "same" : pad;
    if (kind.endsWith("3d"))
      return { told, inputs: [d.given([b, 3, h, w, c])], run: (v) => (tf as any)[kind](v, [2, ...f], [1, ...s], q), grads: true };
    if (kind === "maxPoolWithArgmax")
      return {
        told,
        inputs: [x],
        run: (v) => {
          const r = tf.maxPoolWithArgmax(v, f, s, q);
          return [r.result, r.indexes];
        },
        grads: false,
      };
    if (kind === "pool") {
      const dl = d.int(1, 2);
      const t = d.pick(["avg", "max"] as const);
      return { told: `${told} ${t} dil ${dl}`, inputs: [x], run: (v) => tf.pool(v, f, t, q, dl, dl > 1 ? 1 : s), grads: false };
    }
    return {
      told,
      inputs: [x],
      run: (v) => (tf as any)[kind](v, f, s, pad, pad === 1 ? "floor" : undefined),
      grads: !x.values.some((v) => !Number.isFinite(v)),
    };
  },
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
};

const first = Number(process.env["DIFFERENTIAL_SEED"] ?? 1);
const cases = Number(process.env["DIFFERENTIAL_CASES"] ?? 30);

async function compute(
  backend: "cpu" | "wasm",
  { inputs, run, grads }: Case,
  seed: number,
): Promise<{ shape: number[]; dtype: string; values: number[] }[] | string> {
  await tf.setBackend(backend);
  const before = tf.memory().numTensors;
  const orphans = (tf.backend() as any).numDataIds();
  const out: { shape: number[]; dtype: string; values: number[] }[] = [];
  let error: string | null = null;
  try {
    tf.tidy(() => {
      const given = inputs.map(({ shape, dtype, values }) => tf.tensor(values, shape, dtype));
      const take = (x: Tensor) => out.push({ shape: x.shape, dtype: x.dtype, values: Array.from(x.dataSync()) });
      const list = (r: Tensor | Tensor[]) => (Array.isArray(r) ? r : [r]);
      const results = list(run(...given));
      results.forEach(take);
      const floats = given.map((x, i) => [x, i] as const).filter(([x]) => x.dtype === "float32");
      if (!grads || floats.length === 0) return;
      const random = generator(seed ^ 0x5bd1);
      const dys = results.map((r) =>
        tf.tensor(
          Float32Array.from({ length: r.size }, () => random() * 2 - 1),
          r.shape,
        ),
      );
      const f = (...x: Tensor[]) => {
        const full = [...given];
        floats.forEach(([, i], k) => (full[i] = x[k]!));
        return list(run(...full))
          .map((r, k) => r.mul(dys[k]!).sum())
          .reduce((a, b) => a.add(b));
      };
      tf.grads(f as any)(floats.map(([x]) => x)).forEach((g) => (g === null ? out.push({ shape: [], dtype: "none", values: [] }) : take(g)));
    });
  } catch (caught) {
    error = (caught as Error).message;
  }
  if (error === null) {
    const [now, ids] = [tf.memory().numTensors, (tf.backend() as any).numDataIds()];
    if (now !== before || ids !== orphans) return `leak on ${backend}: ${now - before} tensors, ${ids - orphans} data`;
  }
  return error ?? out;
}

function difference(cpu: number[], wasm: number[]): string | null {
  const finite = cpu.filter(Number.isFinite).map(Math.abs);
  const scale = finite.reduce((a, b) => Math.max(a, b), 1e-6);
  for (const [i, e] of cpu.entries()) {
    const a = wasm[i]!;
    if (Object.is(e, a) || e === a) continue;
    if (Number.isNaN(e) || Number.isNaN(a) || !Number.isFinite(e) || !Number.isFinite(a)) return `[${i}] cpu ${e} wasm ${a}`;
    // of its own size, or of the largest: sums in another order
    if (Math.abs(e - a) > 2e-5 * scale && Math.abs(e - a) > 1e-4 * Math.abs(e)) return `[${i}] cpu ${e} wasm ${a} (scale ${scale})`;
  }
  return null;
}

test.each(Object.keys(makers))("%s", async (name) => {
  const found: string[] = [];
  for (let seed = first; seed < first + cases; seed++) {
    const d = new Draw(generator(seed * 7919 + name.length));
    const one = makers[name]!(d);
    const cpu = await compute("cpu", one, seed);
    const wasm = await compute("wasm", one, seed);
    const told = `seed ${seed}: ${one.told}`;
    if (trampled() > 0) found.push(`${told}: wrote behind its block of the heap`);
    if (typeof cpu === "string" || typeof wasm === "string") {
      if (typeof cpu === "string" && typeof wasm === "string") continue;
      found.push(`${told}: cpu ${typeof cpu === "string" ? cpu : "ok"}; wasm ${typeof wasm === "string" ? wasm : "ok"}`);
      continue;
    }
    for (const [i, c] of cpu.entries()) {
      const w = wasm[i]!;
      const wrong =
        c.dtype !== w.dtype
          ? `dtype ${c.dtype} ${w.dtype}`
          : String(c.shape) !== String(w.shape)
            ? `shape [${c.shape}] [${w.shape}]`
            : difference(c.values, w.values);
      if (wrong) {
        found.push(`${told}: result ${i}: ${wrong}`);
        break;
      }
    }
  }
  expect(found).toEqual([]);
});
