/** Products of matrices: our own kernel for batches and for transposed operands, which the stock kernel computes 20 times slower than plain ones. */
import type { TensorInfo } from "@tensorflow/tfjs";
import type { Kernel, Tools } from "./kernel.js";
import { simdOf, type Simd } from "./simd/module.js";

/** Below so many rows the stock product is taken: it keeps its weights packed from call to call, which is most of the work of a small product. */
const FEW = 8;

type Args = Parameters<Kernel>[0];

/** The product, with bias and relu where the call has them; other activations and what is not a batch of float32 go to `stock`. */
export function product(transpose: Tools["transpose"], stock: Kernel): Kernel {
  const plain = untransposed(transpose, stock);
  return (args) => {
    const simd = simdOf(args.backend);
    return (simd && bySimd(simd, args)) ?? plain(args);
  };
}

/** The stock kernel reads one number a column for bias and prelu, whatever their shape, and so past the end of shorter ones: others are left to `cpu`. */
export function plainBias(fused: Kernel, cpu: Kernel): Kernel {
  return (args) => {
    const { bias, preluActivationWeights: prelu, b } = args.inputs as Record<string, TensorInfo | null | undefined>;
    const n = args.attrs["transposeB"] === true ? b!.shape.at(-2) : b!.shape.at(-1);
    const fits = (!bias || (bias.shape.length === 1 && bias.shape[0] === n)) && (!prelu || count(prelu.shape) === n);
    return (fits ? fused : cpu)(args);
  };
}

function bySimd(simd: Simd, { inputs, backend, attrs }: Args): TensorInfo | null {
  const { a, b, bias } = inputs as { a: TensorInfo; b: TensorInfo; bias?: TensorInfo | null };
  const transposed = { a: attrs["transposeA"] === true, b: attrs["transposeB"] === true };
  const activation = attrs["activation"] ?? "linear";
  if (a.dtype !== "float32" || b.dtype !== "float32" || (activation !== "linear" && activation !== "relu")) return null;
  const outer = a.shape.length >= b.shape.length ? a.shape.slice(0, -2) : b.shape.slice(0, -2);
  const [batchA, batchB] = [count(a.shape.slice(0, -2)), count(b.shape.slice(0, -2))];
  const batch = Math.max(batchA, batchB);
  const [m, k] = ends(a, transposed.a);
  const [inner, n] = ends(b, transposed.b);
  // one batch for all of the other operand's is all of broadcasting that a network has
  const simple = (batchA === batchB || batchA === 1 || batchB === 1) && count(outer) === batch;
  if (!simple || k !== inner || m * n * k === 0 || (m < FEW && !transposed.a && !transposed.b)) return null;
  if (bias && (bias.shape.length !== 1 || bias.shape[0] !== n || bias.dtype !== "float32")) return null;
  const places = { a: simd.address(a), b: simd.address(b), bias: bias ? simd.address(bias) : 0 };
  const out = backend.makeOutput([...outer, m, n], "float32");
  const c = simd.address(out);
  for (let i = 0; i < batch; i++) {
    const atA = places.a + (batchA === 1 ? 0 : i * m * k * 4);
    const atB = places.b + (batchB === 1 ? 0 : i * k * n * 4);
    simd.gemm(
      transposed.a ? { at: atA, row: 4, column: m * 4 } : { at: atA, row: k * 4, column: 4 },
      transposed.b ? { at: atB, row: 4, column: k * 4 } : { at: atB, row: n * 4, column: 4 },
      ...([c + i * m * n * 4, m, n, k] as const),
    );
  }
  if (bias || activation === "relu") simd.finish(c, places.bias, batch * m, n, activation === "relu");
  return out;
}

const count = (sizes: number[]) => sizes.reduce((all, size) => all * size, 1);

/** Rows and columns as the product sees them. */
function ends({ shape }: TensorInfo, transposed: boolean): [number, number] {
  const [rows, columns] = shape.slice(-2) as [number, number];
  return transposed ? [columns, rows] : [rows, columns];
}

/** A product whose transposed operands are laid out first: the way without SIMD, and for what `bySimd` leaves. */
function untransposed(transpose: Tools["transpose"], stock: Kernel): Kernel {
  return (args) => {
    const { inputs, backend, attrs } = args;
    if (!attrs["transposeA"] && !attrs["transposeB"]) return stock(args);
    const { a, b } = inputs as { a: TensorInfo; b: TensorInfo };
    const flipped: TensorInfo[] = [];
    const flip = (x: TensorInfo, wanted: unknown) => {
      if (!wanted) return x;
      const rank = x.shape.length;
      const perm = [...Array(rank).keys()].slice(0, -2).concat(rank - 1, rank - 2);
      const out = transpose(x, perm, backend);
      flipped.push(out);
      return out;
    };
    const plain = { ...inputs, a: flip(a, attrs["transposeA"]), b: flip(b, attrs["transposeB"]) };
    const out = stock({ inputs: plain, backend, attrs: { ...attrs, transposeA: false, transposeB: false } });
    for (const x of flipped) backend.disposeData(x.dataId);
    return out;
  };
}
