/** Kernels that wasm lacks or computes wrongly, computed by the cpu back end on copies of the inputs. None of them is on a training's hot path. */
import type { TensorInfo } from "@tensorflow/tfjs";
import { replace, type Inputs, type Kernel, type Tf } from "./kernel.js";

interface CpuBackend {
  firstUse: boolean;
  makeTensorInfo(shape: number[], dtype: string, values: unknown): TensorInfo;
  data: { get(id: object): { values: unknown; complexTensorInfos?: unknown } };
  readSync(id: object): ArrayBufferView;
  disposeData(id: object, force?: boolean): boolean;
}

/** wasm has no complex tensors: kernels on them stay absent, and say so by TFJS's own error. */
const complex = new Set(["Complex", "ComplexAbs", "FFT", "IFFT", "Imag", "Real"]);

/** Registers a fallback for every kernel of the cpu back end that wasm lacks. Returns their names. */
export function fillFromCpu(tf: Tf): string[] {
  const present = new Set(tf.getKernelsForBackend("wasm").map((config) => config.kernelName));
  const missing = tf
    .getKernelsForBackend("cpu")
    .map((config) => config.kernelName)
    .filter((name) => !present.has(name) && !complex.has(name));
  for (const name of missing) replace(tf, name, onCpu(tf, name));
  return missing;
}

/** The kernel of the cpu back end on copies of the inputs. */
export function onCpu(tf: Tf, name: string): Kernel {
  return function onCpuCopies({ inputs, backend, attrs }) {
    const cpu = tf.findBackend("cpu") as unknown as CpuBackend;
    // else it prints an advertisement to the console
    cpu.firstUse = false;
    const copy = (x: TensorInfo) => cpu.makeTensorInfo(x.shape, x.dtype, backend.readSync(x.dataId));
    const given = Object.entries(inputs).filter(([, x]) => x != null);
    // einsum's inputs are a list
    const copies = (
      Array.isArray(inputs) ? (inputs as TensorInfo[]).map(copy) : Object.fromEntries(given.map(([key, x]) => [key, copy(x)]))
    ) as Inputs;
    const kernel = tf.getKernel(name, "cpu").kernelFunc as unknown as (args: {
      inputs: Inputs;
      backend: CpuBackend;
      attrs: typeof attrs;
    }) => TensorInfo | TensorInfo[];
    const results = kernel({ inputs: copies, backend: cpu, attrs });
    const list = Array.isArray(results) ? results : [results];
    const out = list.map((one) => {
      const values = cpu.readSync(one.dataId);
      // places of the largest come as floats that are called whole numbers
      const whole = one.dtype === "int32" && !(values instanceof Int32Array);
      return backend.makeOutput(one.shape, one.dtype, undefined, whole ? Int32Array.from(values as Float32Array) : values);
    });
    // an output may be one of the copies
    for (const id of new Set([...Object.values(copies), ...list].map((x) => x.dataId))) cpu.disposeData(id, true);
    return (Array.isArray(results) ? out : out[0]) as TensorInfo;
  };
}
