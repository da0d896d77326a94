/**
 * Adam (Kingma, Ba 2015) as one pass over each variable in the wasm heap. TFJS's own takes some fourteen kernels a variable, which is most of a small
 * network's step. Same formula and the same epsilon as `tf.train.adam`, with the sums of one element in double precision.
 */
import type { NamedTensorMap, Tensor, TensorInfo, Variable } from "@tensorflow/tfjs";
import type { Tf } from "../tensors/backend.js";

export interface Stepper {
  applyGradients(gradients: NamedTensorMap): void;
  dispose(): void;
}

interface WasmBackend {
  makeOutput(shape: number[], dtype: string): TensorInfo;
  typedArrayFromHeap(info: { dataId: object; shape: number[]; dtype: string }): Float32Array;
}

const beta1 = 0.9;
const beta2 = 0.999;
const epsilon = 1e-7;

/** Variables are found by name, as the engine registers them. */
export function wasmAdam(tf: Tf, rate: number): Stepper {
  const state = new Map<string, { m: Float32Array; v: Float32Array }>();
  const registered = (tf.engine() as unknown as { registeredVariables?: unknown; state: { registeredVariables: Record<string, Variable> } }).state
    .registeredVariables;
  const make = (info: TensorInfo) =>
    (tf.engine() as unknown as { makeTensorFromTensorInfo(info: TensorInfo): Tensor }).makeTensorFromTensorInfo(info);
  let power1 = 1;
  let power2 = 1;
  return {
    applyGradients(gradients) {
      power1 *= beta1;
      power2 *= beta2;
      const step = rate / (1 - power1);
      const correct = 1 / (1 - power2);
      const backend = tf.backend() as unknown as WasmBackend;
      for (const [name, gradient] of Object.entries(gradients)) {
        const variable = registered[name]!;
        let own = state.get(name);
        if (!own) state.set(name, (own = { m: new Float32Array(variable.size), v: new Float32Array(variable.size) }));
        const { m, v } = own;
        // a new buffer, not in place: XNNPACK keeps weights packed by their id
        const out = backend.makeOutput(variable.shape, "float32");
        const w = backend.typedArrayFromHeap(variable as never);
        const g = backend.typedArrayFromHeap(gradient as never);
        const to = backend.typedArrayFromHeap(out as never);
        for (let i = 0; i < to.length; i++) {
          const gi = g[i]!;
          const mi = (m[i] = beta1 * m[i]! + (1 - beta1) * gi);
          const vi = (v[i] = beta2 * v[i]! + (1 - beta2) * gi * gi);
          to[i] = w[i]! - (step * mi) / (Math.sqrt(vi * correct) + epsilon);
        }
        const value = make(out);
        variable.assign(value);
        value.dispose();
      }
    },
    dispose: () => state.clear(),
  };
}
