/* eslint-disable @typescript-eslint/no-explicit-any -- operations by name, on any dtype */
/** Truth values, whole numbers and floats through every operation: the values of the cpu back end, and nothing written behind a block of the heap. */
import { expect, test } from "vitest";
import { watchHeap } from "../../../test/support/heap.js";
import { binaries, reductions, unaries } from "../../../test/support/operations.js";
import { loadBackend } from "../backend.js";

test.each(["bool", "int32", "float32"])("operations on %s give on wasm what they give on cpu", async (dtype) => {
  const tf: any = (await loadBackend("cpu")).tf;
  await loadBackend("wasm");
  const trampled = watchHeap(tf.backend());
  const ops: Record<string, (x: any, y: any) => any> = {};
  for (const op of [...binaries, "floorDiv", "logicalAnd", "logicalOr", "logicalXor"]) ops[op] = (x, y) => tf[op](x, y);
  for (const op of [...unaries, "logicalNot", "clone"]) ops[op] = (x) => tf[op](x);
  for (const op of reductions) {
    ops[op] = (x) => tf[op](x);
    ops[op + "0"] = (x) => tf[op](x, 0);
    ops[op + "1"] = (x) => tf[op](x, 1);
  }
  const more: Record<string, (x: any, y: any) => any> = {
    reverse: (x) => tf.reverse(x, [0]),
    reverseNone: (x) => tf.reverse(x, []),
    reverse1: (x) => tf.reverse(x, [1]),
    clip: (x) => tf.clipByValue(x, 0, 1),
    slice: (x) => tf.slice(x, [1, 2], [3, 4]),
    strided: (x) => tf.stridedSlice(x, [0, 0], [9, 9], [2, 2]),
    pad: (x) =>
      tf.pad(
        x,
        [
          [1, 1],
          [2, 0],
        ],
        1,
      ),
    mirror: (x) =>
      tf.mirrorPad(
        x,
        [
          [1, 1],
          [2, 0],
        ],
        "reflect",
      ),
    concat: (x, y) => tf.concat([x, y], 1),
    stack: (x, y) => tf.stack([x, y]),
    tile: (x) => tf.tile(x, [2, 2]),
    transpose: (x) => x.transpose(),
    gather: (x) => tf.gather(x, tf.tensor1d([1, 3, 0], "int32"), 1),
    gatherB: (x) => tf.gather(x, tf.zeros([20, 3], "int32"), 1, 1),
    gatherND: (x) =>
      tf.gatherND(
        x,
        tf.tensor2d(
          [
            [1, 2],
            [0, 0],
          ],
          [2, 2],
          "int32",
        ),
      ),
    scatter: (x) => tf.scatterND(tf.range(0, 20, 1, "int32").reshape([20, 1]), x, [25, 30]),
    where: (x, y) => tf.where(tf.ones(x.shape, "bool"), x, y),
    topk: (x) => tf.topk(x, 3).values,
    cast_f: (x) => x.toFloat(),
    cast_i: (x) => x.toInt(),
    cast_b: (x) => x.toBool(),
    broadcast: (x) => tf.broadcastTo(x, [3, 20, 30]),
    expand: (x) => x.expandDims(1),
    segment: (x) => tf.unsortedSegmentSum(x, tf.zeros([20], "int32"), 4),
    fill: (x) => tf.fill([20, 30], 1, x.dtype),
    unique: (x) => tf.unique(x.flatten()).values,
    addN: (x, y) => tf.addN([x, y]),
    matMul: (x, y) => tf.matMul(x, y, false, true),
    dense: (x) => tf.oneHot(x.toInt(), 3),
    split: (x) => tf.split(x, 2, 0)[1],
    unstack: (x) => tf.unstack(x)[1],
    roll: (x) => x,
    bincount: (x) => tf.denseBincount(x.toInt(), tf.zeros(x.shape), 2),
    variable: (x) => tf.variable(x),
    cumB: (x) => tf.cumsum(x, 1, true, true),
    s2b: (x) =>
      tf.spaceToBatchND(
        x.reshape([1, 20, 30]),
        [2, 3],
        [
          [0, 0],
          [0, 0],
        ],
      ),
    resize: (x) => tf.image.resizeBilinear(x.reshape([1, 20, 30, 1]), [7, 7]),
    resizeN: (x) => tf.image.resizeNearestNeighbor(x.reshape([1, 20, 30, 1]), [7, 7]),
    tensorScatter: (x) => tf.tensorScatterUpdate(x, tf.tensor2d([[1]], [1, 1], "int32"), x.slice([0, 0], [1, 30])),
    rot: (x) => tf.image.flipLeftRight(x.reshape([1, 20, 30, 1])),
    maxPool: (x) => tf.maxPool(x.reshape([1, 20, 30, 1]), 2, 2, "same"),
    conv: (x) => tf.conv2d(x.reshape([1, 20, 30, 1]), tf.ones([2, 2, 1, 1], x.dtype), 1, "same"),
    bandPart: (x) => tf.linalg.bandPart(x, 1, 1),
    d2s: (x) => tf.depthToSpace(x.reshape([1, 5, 30, 4]), 2),
    sparse: (x) => tf.sparseToDense(tf.range(0, 600, 1, "int32"), x.flatten(), [700]),
    where1: (x, y) => tf.where(tf.ones([20], "bool"), x, y),
    batchToSpace: (x) => tf.batchToSpaceND(x.reshape([4, 5, 30]), [4], [[0, 0]]),
  };
  Object.assign(ops, more);
  const found: string[] = [];
  for (const [name, f] of Object.entries(ops)) {
    const values = Array.from({ length: 600 }, (_, i) => (dtype === "bool" ? i % 2 : dtype === "int32" ? ((i * 7) % 23) - 11 : Math.sin(i) * 2));
    const others = values.map((_, i) => (dtype === "bool" ? (i % 3 === 0 ? 1 : 0) : (i % 5) + 1));
    const compute = () =>
      tf.tidy(() => {
        const r = f(tf.tensor2d(values, [20, 30], dtype), tf.tensor2d(others, [20, 30], dtype));
        return { dtype: r.dtype, shape: r.shape, values: Array.from(r.dataSync()) as number[] };
      });
    let cpu: any, wasm: any;
    await tf.setBackend("cpu");
    try {
      cpu = compute();
    } catch (e) {
      cpu = (e as Error).message;
    }
    await tf.setBackend("wasm");
    try {
      wasm = compute();
    } catch (e) {
      wasm = (e as Error).message;
    }
    const broken = trampled();
    const told: string[] = [];
    if (broken) told.push(`HEAP OVERWRITTEN ${broken}`);
    if ((typeof cpu === "string") !== (typeof wasm === "string"))
      told.push(`cpu ${typeof cpu === "string" ? cpu : "ok"} wasm ${typeof wasm === "string" ? wasm : "ok"}`);
    else if (typeof cpu !== "string") {
      if (cpu.dtype !== wasm.dtype) told.push(`dtype ${cpu.dtype} ${wasm.dtype}`);
      const at = cpu.values.findIndex(
        (v: number, i: number) => !(Object.is(v, wasm.values[i]) || Math.abs(v - wasm.values[i]) <= 1e-4 * (1 + Math.abs(v))),
      );
      if (at >= 0) told.push(`[${at}] cpu ${cpu.values[at]} wasm ${wasm.values[at]}`);
    }
    if (told.length > 0) found.push(`${name}: ${told.join("; ")}`);
  }
  // TFJS gives no two answers alike for these: cpu makes whole numbers of a floored quotient, floats of sums of whole numbers, and refuses counts below 0
  expect(found.filter((one) => !/^(floorDiv|segment|bincount):/.test(one))).toEqual([]);
});
