/* eslint-disable @typescript-eslint/no-explicit-any -- ops and ranks are drawn, not known to TFJS's types */
/** Drawn cases of what moves, cuts and joins tensors. */
import type { Tf } from "../../kernels/tensors/backend.js";
import type { DType, Given, Maker } from "./drawn.js";

export const shapeCases = (tf: Tf): Record<string, Maker> => ({
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
});
