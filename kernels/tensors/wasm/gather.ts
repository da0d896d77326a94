/** GatherV2 in place: the stock kernel takes 13 ms a batch of 128 rows of 784, as it copies through index arithmetic a value at a time. */
import type { TensorInfo } from "@tensorflow/tfjs";
import type { Kernel, Tf } from "./kernel.js";

/** Copies the run of values behind each index as one block; the stock kernel reads beyond its heap when the first axes are batches. */
export function blockGather(tf: Tf, stock: Kernel): Kernel {
  return (args) => {
    const { inputs, backend, attrs } = args;
    const { x, indices } = inputs as { x: TensorInfo; indices: TensorInfo };
    if (x.dtype === "string" || indices.dtype !== "int32") return stock(args);
    const [axis] = tf.util.parseAxisParam(attrs["axis"] as number, x.shape) as [number];
    const batchDims = (attrs["batchDims"] as number | undefined) ?? 0;
    const shapes = tf.backend_util.segment_util.collectGatherOpShapeInfo(x as never, indices as never, axis, batchDims);
    const { batchSize, outerSize, dimSize: length, sliceSize: inner } = shapes;
    const out = backend.makeOutput(shapes.outputShape, x.dtype);
    // views after the allocation: growing the heap detaches older ones
    const index = backend.typedArrayFromHeap(indices);
    const source = backend.typedArrayFromHeap(x);
    const target = backend.typedArrayFromHeap(out);
    for (let i = 0; i < index.length; i++) {
      const at = index[i] as number;
      if (!(at >= 0 && at < length)) {
        backend.disposeData(out.dataId);
        throw new Error(`GatherV2: the index value ${at} is not in [0, ${length - 1}]`);
      }
    }
    const each = batchSize === 0 ? 0 : index.length / batchSize;
    for (let o = 0; o < batchSize * outerSize; o++) {
      const first = Math.floor(o / outerSize) * each;
      for (let i = 0; i < each; i++) {
        const from = (o * length + (index[first + i] as number)) * inner;
        const to = (o * each + i) * inner;
        if (inner === 1) target[to] = source[from] as number;
        else target.set(source.subarray(from, from + inner), to);
      }
    }
    return out;
  };
}

/** dy's rows summed at their index: the gradient of gather, so of an embedding. */
export const segmentSum: Kernel = ({ inputs, backend, attrs }) => {
  const { x, segmentIds } = inputs as { x: TensorInfo; segmentIds: TensorInfo };
  const segments = attrs["numSegments"] as number;
  const rank = segmentIds.shape.length;
  const inner = x.shape.slice(rank).reduce((a, b) => a * b, 1);
  const out = backend.makeOutput([segments, ...x.shape.slice(rank)], x.dtype);
  const ids = backend.typedArrayFromHeap(segmentIds);
  const source = backend.typedArrayFromHeap(x);
  const target = backend.typedArrayFromHeap(out);
  target.fill(0);
  for (let i = 0; i < ids.length; i++) {
    const segment = ids[i] as number;
    // as on the other back ends: a row of no segment is dropped
    if (segment < 0 || segment >= segments) continue;
    const to = segment * inner;
    for (let j = 0, from = i * inner; j < inner; j++, from++) target[to + j] = (target[to + j] as number) + (source[from] as number);
  }
  return out;
};
