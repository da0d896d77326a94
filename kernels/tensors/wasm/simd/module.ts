/** The SIMD kernels of this folder, running on the heap of TFJS's wasm back end. */
import type { TensorInfo } from "@tensorflow/tfjs";
import type { WasmBackend } from "../kernel.js";
import { adam } from "./adam.js";
import { elementwise } from "./elementwise.js";
import { assemble } from "./encode.js";
import { gemm, MR, NR } from "./gemm.js";
import { tanh } from "./tanh.js";

/** A matrix by address and strides, in bytes. */
export interface Matrix {
  at: number;
  row: number;
  column: number;
}

export interface Simd {
  /** address of a tensor's values */
  address(tensor: TensorInfo): number;
  /** c[m, n], row-major at an address, = a[m, k] b[k, n] */
  gemm(a: Matrix, b: Matrix, c: number, m: number, n: number, k: number): void;
  /** adds the bias at an address (0: none) to each row, then cuts off what is below 0 */
  finish(c: number, bias: number, m: number, n: number, relu: boolean): void;
  /** a function of `elementwise.ts`, `adam.ts` or `tanh.ts` by its name */
  run(name: string, ...args: number[]): void;
}

/** Bytes of the blocks that are packed at once: a's stay in the second cache, one panel of b's in the first. */
const [DEPTH, ROWS, COLUMNS] = [256, 128, 2048];
const aBytes = ROWS * DEPTH * 4;
const bBytes = COLUMNS * DEPTH * 4;

interface Heap {
  asm?: { memory?: WebAssembly.Memory };
  _malloc?(bytes: number): number;
}

let compiled: WebAssembly.Module | null = null;
const instances = new WeakMap<object, Simd | null>();

/** Null where the processor or the binary lacks SIMD, or the heap is not to be had: callers then take TFJS's own kernels. */
export function simdOf(backend: WasmBackend): Simd | null {
  const heap = backend.wasm as unknown as Heap;
  let simd = instances.get(heap);
  if (simd === undefined) instances.set(heap, (simd = instantiate(backend, heap)));
  return simd;
}

function instantiate(backend: WasmBackend, heap: Heap): Simd | null {
  const memory = heap.asm?.memory;
  if (!(memory instanceof WebAssembly.Memory) || !heap._malloc) return null;
  const bytes = compiled ? null : assemble([...gemm, ...elementwise, adam, tanh]);
  if (bytes && !WebAssembly.validate(bytes)) return null;
  compiled ??= new WebAssembly.Module(bytes!);
  const native = new WebAssembly.Instance(compiled, { env: { memory } }).exports as Record<string, (...args: number[]) => void>;
  const packedA = heap._malloc(aBytes + bBytes + MR * NR * 4);
  const packedB = packedA + aBytes;
  const spare = packedB + bBytes;
  return {
    address: (tensor) => backend.dataIdMap.get(tensor.dataId).memoryOffset,
    gemm(a, b, c, m, n, k) {
      const row = n * 4;
      for (let j = 0; j < n; j += COLUMNS) {
        const columns = Math.min(COLUMNS, n - j);
        for (let p = 0; p < k; p += DEPTH) {
          const depth = Math.min(DEPTH, k - p);
          native["packB"]!(b.at + p * b.row + j * b.column, b.column, b.row, columns, depth, packedB);
          for (let i = 0; i < m; i += ROWS) {
            const rows = Math.min(ROWS, m - i);
            native["packA"]!(a.at + i * a.row + p * a.column, a.row, a.column, rows, depth, packedA);
            native["tiles"]!(packedA, packedB, c + i * row + j * 4, row, rows, columns, depth, p > 0 ? 1 : 0, spare);
          }
        }
      }
    },
    finish: (c, bias, m, n, relu) => native["finish"]!(c, bias, m, n, relu ? 1 : 0),
    run: (name, ...args) => native[name]!(...args),
  };
}
