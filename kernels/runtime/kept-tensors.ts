/** Tensors and networks on their way to disk and back, without loading TensorFlow.js for what is neither. */
import type { LayersModel, Tensor } from "@tensorflow/tfjs";
import type { CacheOptions } from "./cache.js";
import type { Tensors } from "./tensors.js";

export function createKeptTensors(tensors: Tensors): CacheOptions["tensors"] {
  /** what is none was made without TensorFlow.js, too */
  const network = (value: object): LayersModel | null => {
    const tf = tensors.loaded()?.tf;
    return tf !== undefined && value instanceof tf.LayersModel ? value : null;
  };
  const of = <T>(value: object, work: (networks: typeof import("./networks.js"), model: LayersModel) => Promise<T>): Promise<T> | undefined => {
    const model = network(value);
    return model === null ? undefined : import("./networks.js").then((networks) => work(networks, model));
  };
  const tf = async () => (await tensors.load()).tf;
  return {
    backend: async (load) => (load ? await tensors.load() : tensors.loaded())?.name ?? null,
    async tensor({ shape, dtype, values, trainable }) {
      const { tensor, tidy, complex, variable } = await tf();
      const plain = (): Tensor => {
        if (dtype !== "complex64") return tensor(values as never, shape, dtype as never);
        const numbers = values as Float32Array;
        const part = (at: 0 | 1) =>
          tensor(
            Float32Array.from({ length: numbers.length / 2 }, (_, i) => numbers[2 * i + at]!),
            shape,
          );
        return complex(part(0), part(1));
      };
      return tidy(() => (trainable === undefined ? plain() : (variable(plain(), trainable) as never as Tensor)));
    },
    read: async (kept) => (await import("./networks.js")).readNetwork(await tf(), kept),
    isNetwork: (value) => network(value) !== null,
    keep: (value) => of(value, async (networks, model) => networks.keepNetwork(await tf(), model)),
    contentOf: (value) => of(value, async (networks, model) => networks.contentOfNetwork(await tf(), model)),
  };
}
