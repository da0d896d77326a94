/**
 * No async hook may be enabled in a kernel: with one, Node aborts when a cell is terminated, on 20 even with `--no-force-async-hooks-checks`.
 * Any package may enable one (AsyncLocalStorage does on Node 20), so enabling is made to do nothing. On Node 20 an AsyncLocalStorage then loses
 * its store over an `await`; 22 and 24 keep it in V8's own slot and are not affected.
 */
import { createHook } from "node:async_hooks";

const prototype = Object.getPrototypeOf(createHook({})) as { enable(): unknown };
prototype.enable = function () {
  return this;
};
