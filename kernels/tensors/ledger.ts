/**
 * Which tensors live, so that books torn by a termination can be put right.
 *
 * TFJS counts tensors and references in several places, one after the other; a stop between two of them leaves a buffer without an owner, a reference too many,
 * or a variable whose old value is freed and whose new one is not yet set. With the set of living tensors every count can be taken again.
 * Kept only where the wasm back end is loaded: on cpu an undisposed tensor is left to the garbage collector.
 */
import { readComplex } from "./wasm/complex.js";
import type { Tensor, Variable } from "@tensorflow/tfjs";
import type { Tf } from "./backend.js";
import { countHeap } from "./torn.js";

interface DataInfo {
  refCount: number;
  memoryOffset: number;
  id: number;
  dtype: string;
}
interface Backend {
  wasm: { _free(offset: number): void; tfjs: { disposeData(id: number): void } };
  dataIdMap: { data: Map<object, DataInfo>; dataIdsCount: number; get(id: object): DataInfo; has(id: object): boolean; delete(id: object): boolean };
  incRef(id: object): void;
  disposeData(id: object, force?: boolean): boolean;
}
interface Info {
  backend: Backend;
  dtype: string;
  shape: number[];
  bytes: number;
}
interface Engine {
  state: {
    numTensors: number;
    numBytes: number;
    numDataBuffers: number;
    numStringTensors: number;
    tensorInfo: WeakMap<object, Info>;
    scopeStack: { id: number }[];
    registeredVariables: Record<string, Variable>;
  };
  trackTensor(tensor: Tensor, backend: unknown): void;
  disposeTensor(tensor: Tensor): void;
  removeDataId(id: object, backend: unknown): void;
}

/** id of the outermost tidy that was open when the tensor was made */
const outermost = Symbol("outermost");
type Marked = Tensor & { [outermost]?: number | undefined; kept?: boolean };

/** What the engine needs of a tensor to dispose of it. */
export type Remains = Pick<Tensor, "id" | "dataId" | "dtype" | "size" | "shape">;
/** a tensor that the books do not keep from being collected */
interface Weak {
  ref: WeakRef<Tensor>;
  remains: Remains;
}

/** living tensors by id */
const ledgers = new WeakMap<object, Map<number, Tensor | Weak>>();
const held = (entry: Tensor | Weak): Tensor | undefined => ("ref" in entry ? entry.ref.deref() : entry);

/** From here on the books do not hold this tensor: when it is collected, `remains` must be disposed of. Not for variables, whose data change. */
export function weaken(tf: Tf, tensor: Tensor, remains: Remains): void {
  const live = ledgers.get(tf.engine());
  if (live?.has(tensor.id)) live.set(tensor.id, { ref: new WeakRef(tensor), remains });
}

/** Tensors that the books hold though no scope that is open will end them: a stop came before `weaken`. */
export function heldByBooks(tf: Tf): Tensor[] {
  const { scopeStack } = (tf.engine() as unknown as Engine).state;
  const open = (tensor: Marked) => scopeStack.some(({ id }) => id === tensor[outermost]);
  return [...(ledgers.get(tf.engine())?.values() ?? [])].filter((entry): entry is Tensor => !("ref" in entry) && !open(entry));
}

/** Starts the books of this engine. Idempotent. To be called as soon as the wasm back end is set. */
export function keepLedger(tf: Tf): void {
  const engine = tf.engine() as unknown as Engine;
  if (ledgers.has(engine)) return;
  const live = new Map<number, Tensor | Weak>();
  ledgers.set(engine, live);
  const { trackTensor, disposeTensor } = engine;
  const older = firstId(tf);
  engine.trackTensor = (tensor, backend) => {
    trackTensor.call(engine, tensor, backend);
    (tensor as Marked)[outermost] = engine.state.scopeStack[0]?.id;
    live.set(tensor.id, tensor);
  };
  engine.disposeTensor = (tensor) => {
    // half disposed before a stop: a second reference must not be taken from those who share the buffer
    if (!live.delete(tensor.id) && tensor.id >= older) return;
    disposeTensor.call(engine, tensor);
  };
  // the new value is taken before the old one is let go: a variable always has a value, wherever the stop falls
  tf.Variable.prototype.assign = function (this: Variable, value: Tensor) {
    if (value.dtype !== this.dtype) throw new Error(`dtype of the new value (${value.dtype}) and previous value (${this.dtype}) must match`);
    if (!tf.util.arraysEqual(value.shape, this.shape))
      throw new Error(`shape of the new value (${value.shape}) and previous value (${this.shape}) must match`);
    const old = this.dataId as object;
    const info = engine.state.tensorInfo.get(old);
    engine.state.tensorInfo.get(value.dataId)?.backend.incRef(value.dataId);
    this.dataId = value.dataId;
    if (info?.backend.disposeData(old)) engine.removeDataId(old, info.backend);
  };
}

/** Ids from here on belong to tensors made after the books were opened. */
function firstId(tf: Tf): number {
  const probe = tf.scalar(0);
  probe.dispose();
  return probe.id;
}

/** Lets the wasm back end's data be walked, and makes freeing safe against a second try. To be called right after it is initialised. */
export function walkable(instance: object): void {
  const backend = instance as Backend;
  if (backend.dataIdMap.data instanceof Map) return;
  countHeap(backend);
  readComplex(backend);
  backend.dataIdMap.data = new Map();
  backend.disposeData = (id, force = false) => {
    const data = backend.dataIdMap.get(id);
    if (data === undefined) return true;
    data.refCount--;
    if (!force && data.refCount > 0) return false;
    // forgotten first: a stop in between then leaks one block, where the stock order would free it twice
    backend.dataIdMap.delete(id);
    backend.wasm.tfjs.disposeData(data.id);
    if (data.memoryOffset !== null) backend.wasm._free(data.memoryOffset);
    return true;
  };
}

/** Every data id that the back end holds; empty where it cannot be walked. */
export function dataIds(backend: object): object[] {
  const table = (backend as Partial<Backend>).dataIdMap?.data;
  return table instanceof Map ? [...table.keys()] : [];
}

/**
 * Disposes of what was made inside a tidy that was never finished: no one can hold it but by `keep` or as a variable.
 * `kept` ones too when a gradient was being taken: they were saved for its backward pass.
 */
export function sweep(tf: Tf, scope: number, kept: boolean): void {
  for (const entry of ledgers.get(tf.engine())?.values() ?? []) {
    // what has outlived its outermost tidy was not made inside this one
    if ("ref" in entry) continue;
    const tensor = entry;
    if ((tensor as Marked)[outermost] === scope && !("assign" in tensor) && !tensor.isDisposed && (kept || !(tensor as Marked).kept))
      tensor.dispose();
  }
}

/** Takes every count again, frees buffers without an owner. Returns tensors whose buffer is gone. */
export function recount(tf: Tf): Tensor[] {
  const engine = tf.engine() as unknown as Engine;
  const live = ledgers.get(engine);
  const backend = tf.backend() as unknown as Backend;
  if (!live || !(backend.dataIdMap?.data instanceof Map)) return [];
  const { state } = engine;
  const owners = new Map<object, number>();
  const lost: Tensor[] = [];
  let bytes = 0;
  let strings = 0;
  for (const [key, entry] of live) {
    const tensor = held(entry);
    const { dataId, dtype, size } = tensor ?? (entry as Weak).remains;
    const id = dataId as object;
    const info = state.tensorInfo.get(id);
    if (tensor?.isDisposed || !info || (info.backend === backend && !backend.dataIdMap.has(id))) {
      if (tensor?.isDisposed === false) lost.push(tensor);
      live.delete(key);
      continue;
    }
    if (dtype === "string") {
      strings++;
      bytes += info.bytes;
    } else bytes += size * tf.util.bytesPerElement(dtype);
    owners.set(id, (owners.get(id) ?? 0) + 1);
  }
  // made halfway: no one holds it
  for (const [name, variable] of Object.entries(state.registeredVariables)) if (!live.has(variable.id)) delete state.registeredVariables[name];
  for (const [id, data] of [...backend.dataIdMap.data]) {
    const count = owners.get(id);
    if (count !== undefined) data.refCount = count;
    else {
      backend.disposeData(id, true);
      state.tensorInfo.delete(id);
    }
  }
  backend.dataIdMap.dataIdsCount = backend.dataIdMap.data.size;
  state.numTensors = live.size;
  state.numStringTensors = strings;
  state.numBytes = bytes;
  state.numDataBuffers = owners.size;
  return lost;
}
