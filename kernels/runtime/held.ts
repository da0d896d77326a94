/** Values that are on show, so that the page can ask for more of them: let go when their cell runs again. */
import { open } from "node:fs/promises";
import type { KernelQuery } from "../protocol/document.js";
import { mime, type MimeBundle, type ValueView } from "../protocol/output.js";
import { childrenAt, nodeOf } from "./tree.js";

export interface Held {
  /** the bundle with a way to the whole value, where the bundle does not say all */
  hold(run: string, id: string, value: unknown, data: MimeBundle): MimeBundle;
  /** the values of a run are no longer on show */
  release(run: string): void;
  answer(query: Extract<KernelQuery, { query: "value.children" | "value.export" }>): Promise<unknown>;
}

/** values of one run that are kept alive; those past them live as long as something else holds them */
const strong = 50;
const piece = 1 << 20;

export function createHeld(): Held {
  const runs = new Map<string, Map<string, { value: unknown } | WeakRef<object>>>();
  const find = (handle: string): unknown => {
    const at = handle.lastIndexOf("/");
    const found = runs.get(handle.slice(0, at))?.get(handle.slice(at + 1));
    const value = found instanceof WeakRef ? found.deref() : found?.value;
    if (value === undefined) throw new Error("this value is gone: its cell ran again, or the kernel was restarted; run the cell again");
    return value;
  };
  return {
    hold(run, id, value, data) {
      const text = data[mime.text];
      const long = typeof value === "string" && typeof text === "string" && text.length < value.length;
      const deep =
        typeof value === "object" &&
        value !== null &&
        typeof text === "string" &&
        Object.keys(data).length === 1 &&
        /\n|\[\w+\]| more /.test(text) &&
        nodeOf(value).size > 0;
      if (!long && !deep) return data;
      let own = runs.get(run);
      if (own === undefined) runs.set(run, (own = new Map()));
      const key = id.replaceAll("/", "_");
      if (own.size < strong) own.set(key, { value });
      else if (typeof value === "object" && value !== null) own.set(key, new WeakRef(value));
      else return data;
      const view: ValueView = {
        handle: `${run}/${key}`,
        node: long ? { text: "string", size: 0 } : nodeOf(value),
        ...(long && { length: value.length }),
      };
      return { ...data, [mime.value]: view };
    },
    release: (run) => void runs.delete(run),
    async answer(query) {
      const value = find(query.handle);
      if (query.query === "value.children") {
        const found = childrenAt(value, query.path, query.offset, Math.min(query.limit, 1000));
        if (found === null) throw new Error("this part of the value is gone; run the cell again");
        return found;
      }
      if (typeof value !== "string") throw new Error("only text can be downloaded");
      const file = await open(query.path, "w", 0o600);
      try {
        for (let at = 0; at < value.length; at += piece) await file.write(value.slice(at, at + piece));
      } finally {
        await file.close();
      }
      return { characters: value.length };
    },
  };
}
