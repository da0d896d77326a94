/** A repair of TensorFlow.js's cpu back end, from which others take what they lack. */
import type { KernelConfig, TensorInfo } from "@tensorflow/tfjs";

type Tf = typeof import("@tensorflow/tfjs");
interface Cpu {
  data: { get(id: object): { values: Float32Array } };
  makeTensorInfo(shape: number[], dtype: string, values: Float32Array): TensorInfo;
  disposeData(id: object): boolean;
}
type Kernel = (args: { inputs: Record<string, TensorInfo>; backend: Cpu; attrs: Record<string, unknown> }) => TensorInfo;

const name = "ResizeNearestNeighborGrad";
const done = new WeakSet<object>();

/** Takes the gradient of enlarging an image (UpSampling2D) image by image: 4.22 reads that of the first image for all of a batch. Once an engine. */
export function repairCpu(tf: Tf): void {
  if (done.has(tf)) return;
  done.add(tf);
  const stock = tf.getKernel(name, "cpu") as KernelConfig;
  const one = stock.kernelFunc as unknown as Kernel;
  const kernel: Kernel = ({ inputs, backend, attrs }) => {
    const { images, dy } = inputs as { images: TensorInfo; dy: TensorInfo };
    const batch = images.shape[0]!;
    const out = new Float32Array(images.shape.reduce((all, n) => all * n, 1));
    const part = (x: TensorInfo, i: number) => {
      const { values } = backend.data.get(x.dataId);
      const size = values.length / batch;
      return backend.makeTensorInfo([1, ...x.shape.slice(1)], x.dtype, values.subarray(i * size, (i + 1) * size));
    };
    for (let i = 0; i < batch; i++) {
      const given = { images: part(images, i), dy: part(dy, i) };
      const result = one({ inputs: given, backend, attrs });
      out.set(backend.data.get(result.dataId).values, (i * out.length) / batch);
      for (const x of [given.images, given.dy, result]) backend.disposeData(x.dataId);
    }
    return backend.makeTensorInfo(images.shape, "float32", out);
  };
  tf.unregisterKernel(name, "cpu");
  tf.registerKernel({ ...stock, kernelFunc: kernel as unknown as KernelConfig["kernelFunc"] });
}
