/** What the repairs know of TFJS's wasm back end and of its kernels. */
import type { KernelConfig, TensorInfo } from "@tensorflow/tfjs";

export type Tf = typeof import("@tensorflow/tfjs");

/** What is used of TFJS's BackendWasm. */
export interface WasmBackend {
  readonly wasm: { HEAPU8: Uint8Array };
  readonly dataIdMap: { get(id: object): { memoryOffset: number; dtype: string; shape: number[] } };
  makeOutput(shape: number[], dtype: string, offset?: number, values?: ArrayBufferView): TensorInfo;
  typedArrayFromHeap(info: TensorInfo): Float32Array;
  readSync(id: object): Float32Array | Int32Array | Uint8Array;
  disposeData(id: object): boolean;
}

export type Inputs = Record<string, TensorInfo>;
export type Attrs = Record<string, unknown>;
export type Kernel = (args: { inputs: Inputs; backend: WasmBackend; attrs: Attrs }) => TensorInfo;

/** Stock kernels that the repairs are built from. */
export interface Tools {
  tf: Tf;
  transpose(x: TensorInfo, perm: number[], backend: WasmBackend): TensorInfo;
  matMul: Kernel;
  conv2d: Kernel;
  add: Kernel;
}

/** The kernel that is registered now. */
export function kernelOf(tf: Tf, name: string): Kernel {
  const config = tf.getKernel(name, "wasm");
  if (!config) throw new Error(`the wasm back end has no kernel ${name}`);
  return config.kernelFunc as unknown as Kernel;
}

/** Keeps the stock kernel's set-up, which binds the C functions when the back end is initialised. */
export function replace(tf: Tf, kernelName: string, kernelFunc: Kernel): void {
  const stock = tf.getKernel(kernelName, "wasm") as KernelConfig | undefined;
  if (stock) tf.unregisterKernel(kernelName, "wasm");
  tf.registerKernel({ ...stock, kernelName, backendName: "wasm", kernelFunc: kernelFunc as unknown as KernelConfig["kernelFunc"] });
}
