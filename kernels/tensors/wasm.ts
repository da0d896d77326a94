/**
 * Repairs of the wasm back end, so that a notebook trains on it.
 *
 * - `BatchMatMul` and `_FusedMatMul` with a transposed operand run 20 times slower than without (measured: 1-2 against 27 GFLOPS):
 *   the operand is transposed first, by the Transpose kernel, and the plain product taken. Every training step needs it.
 * - `Slice` copies its whole input out of the heap first; here it reads in place.
 * - `Conv2DBackpropFilter` is missing: built from im2col and the fast product. `Conv2DBackpropInput` is a plain loop: built from the fast Conv2D.
 * - Other kernels that gradients reach and wasm lacks are computed by the cpu back end's kernel on copies.
 */
import type { KernelConfig, TensorInfo } from "@tensorflow/tfjs";
import type { Tf } from "./backend.js";
import { backpropFilter, backpropInput } from "./conv.js";

/** What is used of TFJS's BackendWasm. */
export interface WasmBackend {
  readonly wasm: { HEAPU8: Uint8Array };
  readonly dataIdMap: { get(id: object): { memoryOffset: number; dtype: string; shape: number[] } };
  makeOutput(shape: number[], dtype: string, offset?: number, values?: ArrayBufferView): TensorInfo;
  typedArrayFromHeap(info: TensorInfo): Float32Array;
  readSync(id: object): Float32Array | Int32Array | Uint8Array;
  disposeData(id: object): boolean;
}

type Inputs = Record<string, TensorInfo>;
type Attrs = Record<string, unknown>;
export type Kernel = (args: { inputs: Inputs; backend: WasmBackend; attrs: Attrs }) => TensorInfo;

const done = new WeakSet<object>();

/** Registers the repairs, once a process. May be called before or after the back end is initialised. */
export function repairWasm(tf: Tf): void {
  if (done.has(tf)) return;
  done.add(tf);
  const stock = (name: string): Kernel => kernelOf(tf, name);
  const transpose = stock("Transpose");
  const tools: Tools = {
    tf,
    transpose: (x, perm, backend) => transpose({ inputs: { x }, backend, attrs: { perm } }),
    matMul: stock("BatchMatMul"),
    conv2d: stock("Conv2D"),
    add: stock("Add"),
  };
  replace(tf, "BatchMatMul", untransposed(tools, stock("BatchMatMul")));
  replace(tf, "_FusedMatMul", untransposed(tools, stock("_FusedMatMul")));
  replace(tf, "Slice", inPlaceSlice(tf, stock("Slice")));
  replace(tf, "Conv2DBackpropFilter", (args) => backpropFilter(tools, args));
  replace(
    tf,
    "Conv2DBackpropInput",
    (
      (slow) => (args) =>
        backpropInput(tools, args, slow)
    )(stock("Conv2DBackpropInput")),
  );
  for (const name of ["DepthwiseConv2dNativeBackpropFilter", "DepthwiseConv2dNativeBackpropInput", "UnsortedSegmentSum", "Einsum"]) {
    replace(tf, name, onCpu(tf, name));
  }
}

/** Stock kernels that the repairs are built from. */
export interface Tools {
  tf: Tf;
  transpose(x: TensorInfo, perm: number[], backend: WasmBackend): TensorInfo;
  matMul: Kernel;
  conv2d: Kernel;
  add: Kernel;
}

function kernelOf(tf: Tf, name: string): Kernel {
  const config = tf.getKernel(name, "wasm");
  if (!config) throw new Error(`the wasm back end has no kernel ${name}`);
  return config.kernelFunc as unknown as Kernel;
}

/** Keeps the stock kernel's set-up, which binds the C functions when the back end is initialised. */
function replace(tf: Tf, kernelName: string, kernelFunc: Kernel): void {
  const stock = tf.getKernel(kernelName, "wasm") as KernelConfig | undefined;
  if (stock) tf.unregisterKernel(kernelName, "wasm");
  tf.registerKernel({ ...stock, kernelName, backendName: "wasm", kernelFunc: kernelFunc as unknown as KernelConfig["kernelFunc"] });
}

/** A product whose transposed operands are laid out first. */
function untransposed(tools: Tools, product: Kernel): Kernel {
  return (args) => {
    const { inputs, backend, attrs } = args;
    if (!attrs["transposeA"] && !attrs["transposeB"]) return product(args);
    const { a, b } = inputs as { a: TensorInfo; b: TensorInfo };
    const flipped: TensorInfo[] = [];
    const flip = (x: TensorInfo, wanted: unknown) => {
      if (!wanted) return x;
      const rank = x.shape.length;
      const perm = [...Array(rank).keys()].slice(0, -2).concat(rank - 1, rank - 2);
      const out = tools.transpose(x, perm, backend);
      flipped.push(out);
      return out;
    };
    const plain = { ...inputs, a: flip(a, attrs["transposeA"]), b: flip(b, attrs["transposeB"]) };
    const out = product({ inputs: plain, backend, attrs: { ...attrs, transposeA: false, transposeB: false } });
    for (const x of flipped) backend.disposeData(x.dataId);
    return out;
  };
}

/** Copies runs of the last axes straight inside the heap. */
function inPlaceSlice(tf: Tf, stock: Kernel): Kernel {
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

/** Runs the cpu back end's kernel on copies of the inputs. */
function onCpu(tf: Tf, name: string): Kernel {
  return ({ inputs, backend, attrs }) => {
    const cpu = tf.findBackend("cpu") as unknown as {
      firstUse: boolean;
      makeTensorInfo(shape: number[], dtype: string, values: unknown): TensorInfo;
      readSync(id: object): ArrayBufferView;
      disposeData(id: object, force?: boolean): boolean;
    };
    cpu.firstUse = false;
    const copy = (x: TensorInfo) => cpu.makeTensorInfo(x.shape, x.dtype, backend.readSync(x.dataId));
    // einsum's inputs are a list
    const copies = (
      Array.isArray(inputs) ? (inputs as TensorInfo[]).map(copy) : Object.fromEntries(Object.entries(inputs).map(([key, x]) => [key, copy(x)]))
    ) as Inputs;
    const kernel = tf.getKernel(name, "cpu").kernelFunc as unknown as (args: { inputs: Inputs; backend: unknown; attrs: Attrs }) => TensorInfo;
    const result = kernel({ inputs: copies, backend: cpu, attrs });
    const out = backend.makeOutput(result.shape, result.dtype, undefined, cpu.readSync(result.dataId));
    for (const x of [...Object.values(copies), result]) cpu.disposeData(x.dataId);
    return out;
  };
}
