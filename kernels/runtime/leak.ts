/** Tensors that a cell made and that no name leads to: TensorFlow.js frees none of them by itself, `unheld.ts` only after a while. */
import { types } from "node:util";
import type { Tensor } from "@tensorflow/tfjs";
import type { Tf } from "../tensors/backend.js";
import { isTensor } from "./display.js";

/** Fewer are not spoken of: closures, settings of an optimiser and the like hold some where they cannot be seen. */
const few = 10;
/** objects looked at while searching for tensors */
const most = 100_000;

export interface Holding {
  tensors: number;
  bytes: number;
  variables: number;
}

/** What the engine holds now. */
export function holding(tf: Tf): Holding {
  const { numTensors: tensors, numBytes: bytes } = tf.memory();
  const { registeredVariables } = (tf.engine() as unknown as { state: { registeredVariables: object } }).state;
  return { tensors, bytes, variables: Object.keys(registeredVariables).length };
}

const sizeText = (bytes: number): string => (bytes < 1e5 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

/** A sentence when a run left tensors behind that nothing in `values` holds; null when it did not. Variables belong to models and are not counted. */
export function leakOf(before: Holding, after: Holding, values: Iterable<unknown>): string | null {
  const made = after.tensors - before.tensors - (after.variables - before.variables);
  if (made < few) return null;
  const held = tensorsIn(values);
  const left = made - held.count;
  if (left < few) return null;
  const bytes = Math.max(0, after.bytes - before.bytes - held.bytes);
  return `${left.toLocaleString("en")} tensors (${sizeText(bytes)}) that this cell made are held by no name: they take memory until they are found and freed behind it. Put the computation into tf.tidy(() => ...), or dispose of what is not needed`;
}

function tensorsIn(values: Iterable<unknown>): { count: number; bytes: number } {
  const seen = new Set<object>();
  const queue: unknown[] = [...values];
  let [count, bytes] = [0, 0];
  while (queue.length > 0 && seen.size < most) {
    const value = queue.pop();
    if (typeof value !== "object" || value === null || types.isProxy(value) || seen.has(value)) continue;
    seen.add(value);
    if (isTensor(value)) {
      const tensor = value as Tensor;
      if (tensor.isDisposed || "assign" in tensor) continue;
      count++;
      bytes += tensor.size * (tensor.dtype === "bool" ? 1 : 4);
    } else if (value instanceof Map || value instanceof Set) queue.push(...value.values());
    else if (!ArrayBuffer.isView(value)) {
      // getters are the cell's code: they are not called
      for (const property of Object.values(Object.getOwnPropertyDescriptors(value))) queue.push(property.value);
    }
  }
  return { count, bytes };
}
