/** No kernel that a forward or backward pass of the layers API reaches is absent on wasm, and none on a hot path is computed by cpu. */
import { expect, test } from "vitest";
import { loadBackend } from "../backend.js";
import { fillFromCpu } from "./fallback.js";

test("wasm has every kernel of the cpu back end", async () => {
  const { tf } = await loadBackend("wasm");
  const names = (backend: string) => new Set(tf.getKernelsForBackend(backend).map((config) => config.kernelName));
  const wasm = names("wasm");
  const missing = [...names("cpu")].filter((name) => !wasm.has(name));
  expect(missing).toEqual([]);
  // nothing is left to fill: what the repairs register comes first
  expect(fillFromCpu(tf)).toEqual([]);
});

test("only these are computed by cpu: of layers' steps, those in three dimensions, which stock wasm gets wrong; and complex numbers", async () => {
  const { tf } = await loadBackend("wasm");
  const byCpu = tf.getKernelsForBackend("wasm").filter((config) => config.kernelFunc.name === "onCpuCopies");
  expect(byCpu.map((config) => config.kernelName).sort()).toEqual([
    "AvgPool3D",
    "AvgPool3DGrad",
    "Complex",
    "ComplexAbs",
    "Conv3DBackpropFilterV2",
    "Conv3DBackpropInputV2",
    "Draw",
    "Einsum",
    "FFT",
    "IFFT",
    "Imag",
    "MaxPool3D",
    "MaxPool3DGrad",
    "MaxPoolWithArgmax",
    "RaggedGather",
    "RaggedRange",
    "RaggedTensorToTensor",
    "Real",
    "StaticRegexReplace",
  ]);
});
