/** Slice without the stock kernel's copy of its whole input. */
import type { TensorInfo } from "@tensorflow/tfjs";
import type { Kernel, Tf } from "./kernel.js";

/** Copies runs of the last axes straight inside the heap. */
export function inPlaceSlice(tf: Tf, stock: Kernel): Kernel {
  return (args) => {
    const { inputs, backend, attrs } = args;
    const x = inputs["x"] as TensorInfo;
    if (x.dtype === "string") return stock(args);
    const [begin, size] = tf.slice_util.parseSliceParams(x as never, attrs["begin"] as number[], attrs["size"] as number[]) as [number[], number[]];
    const out = backend.makeOutput(size, x.dtype);
    const rank = x.shape.length;
    const source = backend.typedArrayFromHeap(x);
    const target = backend.typedArrayFromHeap(out);
    if (rank === 0) {
      target.set(source);
      return out;
    }
    // axes after `run` are taken whole, so one copy spans them
    let run = rank - 1;
    while (run > 0 && begin[run] === 0 && size[run] === x.shape[run]) run--;
    const inner = x.shape.slice(run + 1).reduce((a, b) => a * b, 1);
    const length = (size[run] as number) * inner;
    const strides = tf.util.computeStrides(x.shape).concat(1);
    const at = begin.slice(0, run);
    let from = begin.reduce((sum, b, axis) => sum + b * (strides[axis] as number), 0);
    const count = size.slice(0, run).reduce((a, b) => a * b, 1);
    if (length === 0) return out;
    for (let i = 0; i < count; i++) {
      target.set(source.subarray(from, from + length), i * length);
      for (let axis = run - 1; axis >= 0; axis--) {
        from += strides[axis] as number;
        at[axis] = (at[axis] as number) + 1;
        if ((at[axis] as number) < (begin[axis] as number) + (size[axis] as number)) break;
        from -= (size[axis] as number) * (strides[axis] as number);
        at[axis] = begin[axis] as number;
      }
    }
    return out;
  };
}
