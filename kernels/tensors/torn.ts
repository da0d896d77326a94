/**
 * Tells whether a stop has cut TFJS's own C code. Its allocator and its tables are changed in steps, and a stop between two of them leaves a heap on which a
 * later call traps ("memory access out of bounds"), though its products are still right. The kernels of `wasm/simd` keep nothing and may be cut.
 */
interface Heap {
  _malloc(bytes: number): number;
  _free(offset: number): void;
  tfjs: { registerTensor(id: number, size: number, offset: number): void; disposeData(id: number): void; dispose(): void };
}

/** calls of C code on the stack; those that a stop has cut are never counted back */
let depth = 0;

/** The same function, counted while it runs. */
export function counted<A extends unknown[], R>(work: (...args: A) => R): (...args: A) => R {
  return (...args) => {
    depth++;
    try {
      return work(...args);
    } finally {
      depth--;
    }
  };
}

/** Counts what the back end itself calls. To be called once an instance. */
export function countHeap(backend: object): void {
  const { wasm } = backend as { wasm: Heap };
  wasm._malloc = counted(wasm._malloc);
  wasm._free = counted(wasm._free);
  wasm.tfjs.registerTensor = counted(wasm.tfjs.registerTensor);
  wasm.tfjs.disposeData = counted(wasm.tfjs.disposeData);
}

/**
 * From a fresh stack after a stop: was C code cut? Then nothing is freed on this instance any more, so that its books can be put in order and its values be read;
 * it has to be replaced.
 */
export function torn(backend: object): boolean {
  if (depth === 0) return false;
  depth = 0;
  const { wasm } = backend as { wasm?: Heap };
  if (!wasm) return false;
  wasm._free = () => undefined;
  wasm.tfjs.disposeData = () => undefined;
  wasm.tfjs.dispose = () => undefined;
  return true;
}
