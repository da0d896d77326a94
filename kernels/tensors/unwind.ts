/**
 * Puts TensorFlow.js back in order after a cell was terminated.
 *
 * `terminateExecution` skips `finally`: tidy scopes stay open, gradientDepth stays at 1 and the tape alive, so that every later op leaks and, after a few stops,
 * every training step throws (measured: 20 stops left 58 scopes and 31,939 tensors). A stop inside a wasm kernel also leaves C++ frames on the wasm stack and
 * an output that no tensor knows. All of it is undone down to a savepoint taken when the cell began. A back end whose C code was cut, or that no longer computes
 * a product with a known answer, is started afresh.
 */
import type { Tensor } from "@tensorflow/tfjs";
import type { Tf } from "./backend.js";
import { dataIds, recount, sweep, walkable } from "./ledger.js";
import { restoreRandom } from "./seeds.js";
import { torn } from "./torn.js";

export interface Savepoint {
  /** open tidy scopes */
  scopes: number;
  gradientDepth: number;
  /** top of the wasm stack, null on other back ends */
  stack: number | null;
}

export interface Unwound {
  /** scopes that the cell had left open */
  scopes: number;
  /** tensors of the tape and of those scopes, now disposed; negative when the torn books had counted too few */
  disposed: number;
  /** the back end was cut in its C code or gave a wrong product, and was started afresh */
  reset: boolean;
  /** tensors whose values could not be carried over to the fresh back end: shape and, for variables, name */
  lost: string[];
}

interface EngineState {
  scopeStack: { id: number; track: Tensor[] }[];
  activeScope: unknown;
  gradientDepth: number;
  kernelDepth: number;
  activeTape: { saved?: Tensor[] }[] | null;
  numDataMovesStack: unknown[];
  profiling: boolean;
  tensorInfo: WeakMap<object, { backend: object; shape: number[]; dtype: string }>;
  numTensors: number;
  registeredVariables: Record<string, Tensor & { name: string }>;
}
interface Engine {
  state: EngineState;
  endScope(): void;
  backendName: string;
  registryFactory: Record<string, unknown>;
}
interface WasmLike {
  wasm?: { stackSave?(): number; stackRestore?(at: number): void };
  dataIdMap?: { get(id: object): { dtype: string; shape: number[]; refCount: number }; has(id: object): boolean };
  readSync(id: object): ArrayBufferView;
  disposeData(id: object, force?: boolean): boolean;
  move(id: object, values: unknown, shape: number[], dtype: string, refCount: number): void;
}

const engineOf = (tf: Tf): Engine => tf.engine() as unknown as Engine;
const backendOf = (tf: Tf): WasmLike => tf.backend() as unknown as WasmLike;

/** To be taken before a cell's code runs. */
export function savepoint(tf: Tf): Savepoint {
  const { state } = engineOf(tf);
  return { scopes: state.scopeStack.length, gradientDepth: state.gradientDepth, stack: backendOf(tf).wasm?.stackSave?.() ?? null };
}

/** To be called from a fresh stack after a hard stop, before any other tensor work. Does nothing harmful when nothing was left open. */
export async function unwind(tf: Tf, to: Savepoint): Promise<Unwound> {
  restoreRandom();
  if (rescue) return { scopes: 0, disposed: 0, reset: true, lost: await carryOver(tf, rescue) };
  const engine = engineOf(tf);
  const { state } = engine;
  const before = state.numTensors;
  const backend = backendOf(tf);
  const broken = torn(backend);
  if (to.stack !== null) backend.wasm?.stackRestore?.(to.stack);
  const inGradient = state.gradientDepth > to.gradientDepth || state.activeTape !== null;
  for (const node of state.activeTape ?? []) for (const tensor of node.saved ?? []) dispose(tensor);
  // a scope open at the savepoint is older than the cell: what was made inside it is told apart by the scopes above it alone
  const outer = to.scopes === 0 ? state.scopeStack[0] : undefined;
  if (outer) sweep(tf, outer.id, inGradient);
  let scopes = 0;
  while (state.scopeStack.length > to.scopes) {
    const top = state.scopeStack[state.scopeStack.length - 1];
    // saved for the backward pass but not yet on the tape: kept, and nobody's
    if (inGradient) for (const tensor of top?.track ?? []) if ((tensor as unknown as { kept?: boolean }).kept) dispose(tensor);
    engine.endScope();
    scopes++;
  }
  state.gradientDepth = 0;
  state.kernelDepth = 0;
  state.activeTape = null;
  state.profiling = false;
  state.numDataMovesStack.length = 0;
  const lost = recount(tf).map((tensor) => describe(tensor));
  const disposed = before - state.numTensors;
  if (!broken && canary(tf)) return { scopes, disposed, reset: false, lost };
  return { scopes, disposed, reset: true, lost: [...lost, ...(await reset(tf))] };
}

function dispose(tensor: Tensor): void {
  if (!tensor.isDisposed) tensor.dispose();
}

function describe(tensor: { name?: string | undefined; dtype: string; shape: number[] }): string {
  return `${tensor.name ?? "tensor"} ${tensor.dtype}[${tensor.shape.join(",")}]`;
}

/** True when products, a sum, a convolution and a transposed product have their known values. Leaves no tensor behind. */
export function canary(tf: Tf): boolean {
  try {
    return tf.tidy(() => {
      const n = 40;
      // small integers: exact in float32 in any order of summation
      const a = tf.tensor2d(
        Int32Array.from({ length: n * n }, (_, i) => ((i * 7) % 11) - 5),
        [n, n],
        "float32",
      );
      const eye = tf.eye(n) as typeof a;
      const same = tf.matMul(a, eye).sub(a).abs().sum().dataSync()[0];
      const norm = tf.matMul(a, a, true, false).mul(eye).sum().dataSync()[0];
      const squares = a.square().sum().dataSync()[0];
      const image = a.reshape([1, n, n, 1]) as import("@tensorflow/tfjs").Tensor4D;
      const shifted = tf
        .conv2d(image, tf.tensor4d([0, 0, 0, 0, 1, 0, 0, 0, 0], [3, 3, 1, 1]), 1, "same")
        .sub(image)
        .abs()
        .sum()
        .dataSync()[0];
      let expected = 0;
      for (let i = 0; i < n * n; i++) expected += (((i * 7) % 11) - 5) ** 2;
      return same === 0 && shifted === 0 && norm === expected && squares === expected;
    });
  } catch {
    return false;
  }
}

/** What is carried over to a fresh back end, until it is there. */
interface Rescue {
  name: string;
  factory: () => object;
  kept: { id: object; values: ArrayBufferView; shape: number[]; dtype: string; refCount: number }[];
  lost: string[];
}
let rescue: Rescue | null = null;
let tries = 0;

/** Starts the back end afresh and carries over what can be read of the old one. Returns a description of what cannot. */
export function reset(tf: Tf): Promise<string[]> {
  const engine = engineOf(tf);
  const old = backendOf(tf);
  const names = new Map(Object.values(engine.state.registeredVariables).map((v) => [v.dataId as object, v.name]));
  const name = tf.getBackend();
  const taken: Rescue = { name, factory: tf.findBackendFactory(name) as Rescue["factory"], kept: [], lost: [] };
  for (const id of dataIds(old)) {
    const info = engine.state.tensorInfo.get(id);
    if (!info) continue;
    try {
      const { shape, dtype, refCount } = old.dataIdMap!.get(id);
      taken.kept.push({ id, values: old.readSync(id), shape, dtype, refCount });
    } catch {
      taken.lost.push(describe({ ...info, name: names.get(id) }));
    }
  }
  rescue = taken;
  return carryOver(tf, taken);
}

/** May be begun again at any time: a later stop drops what this waits for. */
async function carryOver(tf: Tf, { name, factory, kept, lost }: Rescue): Promise<string[]> {
  const mine = ++tries;
  if (tf.findBackendFactory(name)) tf.removeBackend(name);
  tf.registerBackend(name, factory as never);
  await tf.setBackend(name);
  if (mine !== tries) return lost;
  const engine = engineOf(tf);
  const fresh = backendOf(tf);
  if (name === "wasm") walkable(fresh);
  for (const { id, values, shape, dtype, refCount } of kept) {
    const info = engine.state.tensorInfo.get(id);
    // disposed of meanwhile
    if (!info) continue;
    fresh.move(id, values, shape, dtype, refCount);
    info.backend = fresh;
  }
  rescue = null;
  if (!canary(tf)) throw new Error(`the "${name}" back end computes wrongly even after a restart: restart the kernel`);
  return lost;
}
