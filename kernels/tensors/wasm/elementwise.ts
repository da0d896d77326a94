/**
 * Element by element, on SIMD: arithmetic, comparison, logic, choice by a mask, tanh. The stock kernels set up an operator a call, or look up the place of
 * every element by its coordinates, or call the C library number by number: much for the small tensors of a recurrent cell.
 */
import type { TensorInfo } from "@tensorflow/tfjs";
import { kernelOf, replace, type Kernel, type Tf } from "./kernel.js";
import { arithmetic, comparison, logical } from "./simd/elementwise.js";
import { simdOf } from "./simd/module.js";

/** Registers all of them. */
export function fastElementwise(tf: Tf): void {
  for (const name of Object.keys(arithmetic)) replace(tf, name, binary(name, kernelOf(tf, name), "float32"));
  for (const name of Object.keys(comparison)) replace(tf, name, binary(name, kernelOf(tf, name), "bool"));
  for (const name of Object.keys(logical)) replace(tf, name, logic(name, kernelOf(tf, name)));
  replace(tf, "Select", select(kernelOf(tf, "Select")));
  replace(tf, "Tanh", tanh(kernelOf(tf, "Tanh")));
}

const size = ({ shape }: TensorInfo) => shape.reduce((all, n) => all * n, 1);
const alike = (a: TensorInfo, b: TensorInfo) => a.shape.length === b.shape.length && a.shape.every((n, axis) => n === b.shape[axis]);

/** Floats of one shape, or with a scalar; what else there is goes to `stock`. */
function binary(name: string, stock: Kernel, dtype: "float32" | "bool"): Kernel {
  return (args) => {
    const { inputs, backend } = args;
    const { a, b } = inputs as { a: TensorInfo; b: TensorInfo };
    const same = alike(a, b);
    const simd = a.dtype === "float32" && b.dtype === "float32" && (same || a.shape.length === 0 || b.shape.length === 0) ? simdOf(backend) : null;
    if (!simd) return stock(args);
    const [from, beside] = [simd.address(a), simd.address(b)];
    const out = backend.makeOutput(a.shape.length === 0 ? b.shape : a.shape, dtype);
    const n = size(out);
    if (n > 0) simd.run(name, from, same || a.shape.length > 0 ? 1 : 0, beside, same || b.shape.length > 0 ? 1 : 0, simd.address(out), n);
    return out;
  };
}

function logic(name: string, stock: Kernel): Kernel {
  return (args) => {
    const { inputs, backend } = args;
    const { a, b } = inputs as { a: TensorInfo; b: TensorInfo };
    const simd = alike(a, b) && a.dtype === "bool" && b.dtype === "bool" ? simdOf(backend) : null;
    if (!simd) return stock(args);
    const [from, beside] = [simd.address(a), simd.address(b)];
    const out = backend.makeOutput(a.shape, "bool");
    simd.run(name, from, beside, simd.address(out), size(out));
    return out;
  };
}

function select(stock: Kernel): Kernel {
  return (args) => {
    const { inputs, backend } = args;
    const { condition, t, e } = inputs as { condition: TensorInfo; t: TensorInfo; e: TensorInfo };
    const fits = alike(condition, t) && alike(t, e) && condition.dtype === "bool" && t.dtype === "float32" && e.dtype === "float32";
    const simd = fits ? simdOf(backend) : null;
    if (!simd) return stock(args);
    const places = [condition, t, e].map((x) => simd.address(x));
    const out = backend.makeOutput(t.shape, "float32");
    simd.run("select", ...places, simd.address(out), size(out));
    return out;
  };
}

function tanh(stock: Kernel): Kernel {
  return (args) => {
    const { inputs, backend } = args;
    const x = inputs["x"] as TensorInfo;
    const simd = x.dtype === "float32" ? simdOf(backend) : null;
    if (!simd) return stock(args);
    const from = simd.address(x);
    const out = backend.makeOutput(x.shape, "float32");
    simd.run("tanh", from, simd.address(out), size(x));
    return out;
  };
}
