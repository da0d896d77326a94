/**
 * No async hook may be enabled in a kernel: with one, Node aborts when a cell is terminated, on 20 even with `--no-force-async-hooks-checks`.
 * Any package may enable one (AsyncLocalStorage does on Node 20), so enabling is made to do nothing. On Node 20 an AsyncLocalStorage then loses
 * its store over an `await`; 22 and 24 keep it in V8's own slot and are not affected.
 * Packages get the kernel's own immediates, as cells do: a strike in one of Node's takes the rest of its batch along.
 */
import { createHook } from "node:async_hooks";
import { promisify } from "node:util";
import { immediate } from "./immediates.js";

const prototype = Object.getPrototypeOf(createHook({})) as { enable(): unknown };
prototype.enable = function () {
  return this;
};

/** What `setImmediate` of Node gives, as far as anybody uses it. */
class Immediate {
  readonly clear: () => void;
  constructor(work: () => void) {
    this.clear = immediate(work);
  }
  hasRef(): boolean {
    return true;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}

const later = (callback: (...args: unknown[]) => void, ...args: unknown[]): Immediate => {
  if (typeof callback !== "function") throw new TypeError(`Expected \`callback\` to be a function, got \`${String(callback)}\``);
  return new Immediate(() => callback(...args));
};
Object.defineProperty(later, promisify.custom, { value: (value: unknown) => new Promise((resolve) => void later(resolve, value)) });
globalThis.setImmediate = later as unknown as typeof setImmediate;
globalThis.clearImmediate = ((given?: unknown) => {
  if (given instanceof Immediate) given.clear();
}) as typeof clearImmediate;
