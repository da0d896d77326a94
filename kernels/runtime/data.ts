/** DuckDB as the kernel holds it: started on first use, its relations shown as tables, its queries stopped with their run. */
import type { KernelQuery } from "../protocol/document.js";
import type { KernelConfig } from "../protocol/kernel.js";
import type { Output } from "../protocol/output.js";
import type { Relation } from "../protocol/values.js";
import type { Engine } from "../data/engine.js";
import { createFiles } from "../data/files.js";
import type { Calls } from "./calls.js";
import type { Injected, Run } from "./evaluate.js";

export interface Data {
  names: Injected;
  open(): Promise<{ engine: Engine; relation(text: string): Promise<Relation> }>;
  display(value: unknown, run: Run): Promise<Output & { kind: "display" }> | undefined;
  answer(query: KernelQuery): Promise<unknown>;
  interrupt(): void;
  forget(names: string[]): void;
  close(): Promise<void>;
}

export function createData(config: KernelConfig, _calls: Calls): Data {
  let opening: ReturnType<Data["open"]> | null = null;
  let engine: Engine | null = null;
  const open = () => {
    opening ??= (async () => {
      const { createEngine } = await import("../data/engine.js");
      engine = createEngine({ ...config.duckdb, workspace: config.workspace, root: config.root });
      return { engine, relation: () => Promise.reject(new Error("not yet")) };
    })();
    return opening;
  };
  return {
    names: {
      file: (run) => {
        const files = createFiles(config.workspace);
        return (path: string) => {
          const found = files.resolve(path);
          run.reads.add(found);
          return found;
        };
      },
    },
    open,
    display: () => undefined,
    async answer(query) {
      return (await open()).engine.answer(query);
    },
    interrupt: () => engine?.interrupt(),
    forget(names) {
      for (const name of names) void engine?.forget(name).catch(() => undefined);
    },
    close: async () => engine?.close(),
  };
}
