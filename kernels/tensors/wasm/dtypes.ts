/**
 * What stock kernels get wrong outside float32: truth values have one byte each, and some kernels read and write four, which tramples the heap; some take
 * the bits of whole numbers for floats; some give back what was in the memory before. Such calls are computed by the cpu back end.
 */
import type { TensorInfo } from "@tensorflow/tfjs";
import { onCpu } from "./fallback.js";
import { kernelOf, replace, type Kernel, type Tf } from "./kernel.js";
import { simdOf } from "./simd/module.js";

/** Right for float32 alone. */
const floats = [
  ...["Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Atan2", "Ceil", "Cos", "Cosh", "Elu", "Erf", "Exp", "Expm1", "Floor", "IsFinite", "IsInf"],
  ...["IsNan", "LeakyRelu", "Log", "Log1p", "Prelu", "Reciprocal", "Relu6", "Round", "Rsqrt", "Selu", "Sigmoid", "Sin", "Sinh", "Softplus", "Sqrt"],
  ...["Step", "Tan", "Tanh", "BatchMatMul", "_FusedMatMul", "ClipByValue", "MaxPool", "AvgPool", "ResizeNearestNeighbor"],
  ...["StridedSlice"],
];
/** Right for float32 and int32. */
const numbers = ["Abs", "Neg", "Relu", "Sign", "Square", "Reverse", "TopK", "Cumsum", "Cumprod"];
const arithmetic = ["Add", "AddN", "Sub", "Multiply", "RealDiv", "FloorDiv", "Mod", "Pow", "SquaredDifference"];

/** Puts them behind a look at their inputs' dtypes. To be called after the other repairs. */
export function guardDtypes(tf: Tf): void {
  const guard = (names: readonly string[], safe: readonly string[]) => {
    const present = names.filter((name) => tf.getKernel(name, "wasm") !== undefined);
    for (const name of present) replace(tf, name, guarded(kernelOf(tf, name), onCpu(tf, name), safe));
  };
  guard(floats, ["float32"]);
  guard([...numbers, ...arithmetic], ["float32", "int32"]);
  // XNNPACK divides by the number of channels
  const [prelu, preluOnCpu] = [kernelOf(tf, "Prelu"), onCpu(tf, "Prelu")];
  replace(tf, "Prelu", (args) => (args.inputs["x"]!.shape.includes(0) ? preluOnCpu : prelu)(args));
  const [select, selectOnCpu] = [kernelOf(tf, "Select"), onCpu(tf, "Select")];
  replace(tf, "Select", (args) => (args.inputs["t"]!.dtype === "bool" ? selectOnCpu : select)(args));
  replace(tf, "Cast", cast(kernelOf(tf, "Cast")));
  replace(tf, "ClipByValue", clip(kernelOf(tf, "ClipByValue")));
}

function guarded(stock: Kernel, cpu: Kernel, safe: readonly string[]): Kernel {
  return (args) => (Object.values(args.inputs).every((x) => x == null || safe.includes(x.dtype)) ? stock : cpu)(args);
}

/** True is every number but 0; the stock kernel keeps the last eight bits of the whole part, so that 0.5 was false. */
function cast(stock: Kernel): Kernel {
  return (args) => {
    const { inputs, backend, attrs } = args;
    const x = inputs["x"] as TensorInfo;
    if (attrs["dtype"] !== "bool" || x.dtype === "bool" || x.dtype === "string") return stock(args);
    const out = backend.makeOutput(x.shape, "bool");
    const [from, to] = [backend.typedArrayFromHeap(x), backend.typedArrayFromHeap(out)];
    for (let i = 0; i < to.length; i++) to[i] = from[i] === 0 ? 0 : 1;
    return out;
  };
}

/** NaN stays NaN, as everywhere else; the stock kernel makes it the lower bound, and a training that diverged looks well. */
function clip(stock: Kernel): Kernel {
  return (args) => {
    const { inputs, backend, attrs } = args;
    const x = inputs["x"] as TensorInfo;
    const simd = x.dtype === "float32" ? simdOf(backend) : null;
    if (!simd) return stock(args);
    const from = simd.address(x);
    const out = backend.makeOutput(x.shape, "float32");
    const bounds = backend.makeOutput([2], "float32");
    backend.typedArrayFromHeap(bounds).set([attrs["clipValueMin"] as number, attrs["clipValueMax"] as number]);
    const n = x.shape.reduce((all, size) => all * size, 1);
    const [to, low] = [simd.address(out), simd.address(bounds)];
    if (n > 0) {
      simd.run("Maximum", from, 1, low, 0, to, n);
      simd.run("Minimum", to, 1, low + 4, 0, to, n);
    }
    backend.disposeData(bounds.dataId);
    return out;
  };
}
