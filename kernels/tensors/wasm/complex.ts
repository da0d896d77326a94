/**
 * Complex numbers on wasm, which stock TFJS has none of there: pairs of floats in one block of the heap, as `data()` gives them. All that computes on them
 * is done by the cpu back end on copies.
 */
import { onCpu, onCpuName } from "./fallback.js";
import { replace, type Kernel, type Tf } from "./kernel.js";

/** They look at no value. */
const blind = new Set(["Reshape", "Identity"]);

/** Puts every kernel behind a look at its inputs: C code would take pairs for single floats. To be called after the other repairs. */
export function complexAside(tf: Tf): void {
  for (const { kernelName: name, kernelFunc } of tf.getKernelsForBackend("wasm")) {
    if (blind.has(name) || kernelFunc.name === onCpuName) continue;
    replace(tf, name, aside(kernelFunc as unknown as Kernel, onCpu(tf, name)));
  }
}

function aside(own: Kernel, cpu: Kernel): Kernel {
  return (args) => {
    // a list of inputs is walked likewise
    for (const key in args.inputs) if (args.inputs[key]?.dtype === "complex64") return cpu(args);
    return args.attrs?.["dtype"] === "complex64" ? cpu(args) : own(args);
  };
}

interface Reading {
  dataIdMap: { get(id: object): { dtype: string; memoryOffset: number; shape: number[] } };
  wasm: { HEAPU8: Uint8Array };
  readSync(id: object, start?: number, end?: number): ArrayBufferView;
}

/** Lets the back end's complex values be read: pairs of real and imaginary part. To be called right after it is initialised. */
export function readComplex(instance: object): void {
  const backend = instance as Reading;
  const stock = backend.readSync.bind(backend);
  backend.readSync = (id, start, end) => {
    const { dtype, memoryOffset, shape } = backend.dataIdMap.get(id);
    if (dtype !== "complex64") return stock(id, start, end);
    const size = shape.reduce((product, n) => product * n, 1);
    const [from, to] = [start ?? 0, end ?? size];
    return new Float32Array(backend.wasm.HEAPU8.slice(memoryOffset + 8 * from, memoryOffset + 8 * to).buffer);
  };
}
