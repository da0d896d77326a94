/** Kernels that only move numbers. */
import type { TensorInfo } from "@tensorflow/tfjs";
import type { Inputs, Kernel, Tf, WasmBackend } from "./kernel.js";

interface Counted {
  incRef(id: object): void;
}

/** Shares the buffer, as the cpu back end does: no kernel writes into its inputs. The stock one copies, several times a layer and step. */
export function sharedIdentity(stock: Kernel): Kernel {
  return (args) => {
    const { inputs, backend } = args;
    const x = inputs["x"] as TensorInfo;
    if (x.dtype === "string") return stock(args);
    // moved here first, should another back end hold it
    backend.dataIdMap.get(x.dataId);
    (backend as unknown as Counted).incRef(x.dataId);
    return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
  };
}

/** Parts along an axis by the repaired slice; the stock one calls its own. */
export function split(tf: Tf, slice: Kernel): (args: { inputs: Inputs; backend: WasmBackend; attrs: Record<string, unknown> }) => TensorInfo[] {
  return ({ inputs, backend, attrs }) => {
    const x = inputs["x"] as TensorInfo;
    const [axis] = tf.util.parseAxisParam(attrs["axis"] as number, x.shape) as [number];
    const sizes = tf.backend_util.prepareSplitSize(x as never, attrs["numOrSizeSplits"] as number[], axis);
    const begin = x.shape.map(() => 0);
    return sizes.map((part) => {
      const size = x.shape.map((n, i) => (i === axis ? part : n));
      const out = slice({ inputs: { x }, backend, attrs: { begin: [...begin], size } });
      begin[axis]! += part;
      return out;
    });
  };
}

/** Repeats from the last axis to the first, whole runs at once. */
export function tile(stock: Kernel): Kernel {
  return (args) => {
    const { inputs, backend, attrs } = args;
    const x = inputs["x"] as TensorInfo;
    const reps = attrs["reps"] as number[];
    if (x.dtype === "string") return stock(args);
    backend.dataIdMap.get(x.dataId);
    const out = backend.makeOutput(
      x.shape.map((n, axis) => n * reps[axis]!),
      x.dtype,
    );
    const to = backend.typedArrayFromHeap(out);
    if (to.length === 0) return out;
    const from = backend.typedArrayFromHeap(x);
    // blocks of x from an axis on, each written at its first place, then copied along
    const write = (axis: number, source: number, target: number): number => {
      if (axis === x.shape.length) {
        to[target] = from[source]!;
        return 1;
      }
      const inner = x.shape.slice(axis + 1).reduce((all, n) => all * n, 1);
      let length = 0;
      if (reps.slice(axis + 1).every((n) => n === 1)) {
        length = inner * x.shape[axis]!;
        to.set(from.subarray(source, source + length), target);
      } else for (let i = 0; i < x.shape[axis]!; i++) length += write(axis + 1, source + i * inner, target + length);
      // doubling: a scalar's thousand copies take ten calls
      const whole = length * reps[axis]!;
      for (let done = length; done < whole; done += Math.min(done, whole - done)) {
        to.copyWithin(target + done, target, target + Math.min(done, whole - done));
      }
      return whole;
    };
    write(0, 0, 0);
    return out;
  };
}
