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

/** Registers a fallback for every kernel of the cpu back end that wasm lacks. Returns their names. */
export function fillFromCpu(tf: Tf): string[] {
  const present = new Set(tf.getKernelsForBackend("wasm").map((config) => config.kernelName));
  const missing = tf
    .getKernelsForBackend("cpu")
    .map((config) => config.kernelName)
    .filter((name) => !present.has(name));
  for (const name of missing) replace(tf, name, onCpu(tf, name));
  return missing;
}

/** Complex numbers come as pairs of their parts, of which the cpu back end keeps two tensors. */
function copyTo(tf: Tf, cpu: CpuBackend, { shape, dtype }: TensorInfo, values: ArrayLike<number> & ArrayBufferView): TensorInfo {
  if (dtype !== "complex64") return cpu.makeTensorInfo(shape, dtype, values);
  const part = (at: number) =>
    cpu.makeTensorInfo(
      shape,
      "float32",
      Float32Array.from({ length: values.length / 2 }, (_, i) => values[2 * i + at]!),
    );
  const [real, imag] = [part(0), part(1)];
  const complex = tf.getKernel("Complex", "cpu").kernelFunc as unknown as (args: { inputs: Inputs; backend: CpuBackend }) => TensorInfo;
  const made = complex({ inputs: { real, imag }, backend: cpu });
  // it has copies of its own of them
  for (const { dataId } of [real, imag]) cpu.disposeData(dataId, true);
  return made;
}

/** name of each function that `onCpu` gives */
export const onCpuName = "onCpuCopies";

/** The kernel of the cpu back end on copies of the inputs. */
export function onCpu(tf: Tf, name: string): Kernel {
  return function onCpuCopies({ inputs, backend, attrs }) {
    const cpu = tf.findBackend("cpu") as unknown as CpuBackend;
    // else it prints an advertisement to the console
    cpu.firstUse = false;
    const copy = (x: TensorInfo) => copyTo(tf, cpu, x, backend.readSync(x.dataId));
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
