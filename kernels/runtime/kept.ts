/** How a run's result comes from disk and goes there: which values count as its inputs, and what stands for those that have no content. */
import type { Cell } from "../protocol/document.js";
import { settle, type Settling } from "../protocol/values.js";
import { analyse } from "../reactive/references.js";
import { parseCell } from "../reactive/tree.js";
import type { Cache, Kept, Shelf } from "./cache.js";
import type { Run } from "./run.js";

export interface KeptOptions {
  cache: Cache;
  /** value of a name of a cell; undefined where it has none */
  value(name: string): { value: unknown } | undefined;
  /** the run that defined the name */
  definer(name: string): Run | undefined;
  define(name: string, run: Run, value: unknown): void;
  /** runs the cell's code as it is */
  perform(run: Run): Promise<void>;
}

export interface Keeper {
  /** where the result of a cell with the option `cache` is kept; null: nowhere. `free`: the names that its code reads */
  open(run: Run, free: readonly string[]): Promise<Shelf | null>;
  /** the values that are kept of a run */
  values(run: Run, exports: readonly string[]): Map<string, unknown>;
  /** the result from disk, as if the cell had run */
  restore(run: Run, kept: Kept): Promise<void>;
}

export function createKeeper({ cache, value, definer, define, perform }: KeptOptions): Keeper {
  /** What a function of that name does: the code of its cell, and the content of what that reads. */
  const codeOf = async (name: string, seen: Set<string>): Promise<string> => {
    const of = definer(name);
    if (of === undefined || seen.has(of.cell.id)) return "";
    seen.add(of.cell.id);
    const parts = [of.cell.source];
    for (const used of [...of.uses].sort()) {
      const input = await inputOf(used);
      if (input !== undefined) parts.push(used, await cache.digest(input.value, used, (other) => codeOf(other, seen)));
    }
    return JSON.stringify(parts);
  };

  /** What counts of a name: its value, or for a module what was imported; the packages are part of the key. */
  const inputOf = async (name: string): Promise<{ value: unknown } | undefined> => {
    const of = definer(name);
    if (of === undefined) return undefined;
    const { names, text } = importsOf(of.cell);
    return names.has(name) ? { value: [text, await cache.files(of.reads)] } : (value(name) ?? { value: undefined });
  };

  return {
    async open(run, free) {
      const { cell, request } = run;
      if (cell.options.cache !== true || request.console || cell.kind === "promote") return null;
      if (request.fresh) await cache.drop(cell.id);
      const inputs = new Map<string, unknown>();
      // SQL reads tables that the code does not name
      for (const name of new Set([...free, ...request.uses])) {
        if (definer(name)?.cell.id === cell.id) continue;
        const input = await inputOf(name);
        if (input !== undefined) inputs.set(name, input.value);
      }
      const opened = await cache.open(run, inputs, (name) => codeOf(name, new Set()));
      if (typeof opened !== "string") return opened;
      run.warnings.push(opened);
      return null;
    },
    values(run, exports) {
      const { names } = importsOf(run.cell);
      return new Map(exports.flatMap((name) => (names.has(name) ? [] : [[name, value(name)?.value] as const])));
    },
    async restore(run, { values, outputs, controls, reads, savedMs, at }) {
      run.cached = { savedMs, at };
      for (const path of reads) run.reads.add(path);
      for (const control of controls) run.control(control);
      const { text } = importsOf(run.cell);
      if (text !== "") await perform({ ...run, cell: { ...run.cell, kind: "code", source: text, options: {} } });
      for (const [name, each] of values) {
        define(name, run, each);
        const lazy = each as Settling | undefined | null;
        if (typeof lazy === "object" && lazy !== null && typeof lazy[settle] === "function") await lazy[settle](name);
        if (run.stopped) return;
      }
      // a SQL cell shows its relation, which pages; all else is shown as it was
      const result = [...values.keys()].at(-1);
      const table = run.cell.kind === "sql" && result !== undefined;
      for (const output of outputs) if (!table || output.kind !== "display") run.emit(output);
      if (table) await run.display(values.get(result));
    },
  };
}

/** The import lines of a cell, and the names that they give. */
function importsOf({ id, kind, source }: Cell): { text: string; names: ReadonlySet<string> } {
  if (!source.includes("import")) return { text: "", names: new Set() };
  const lines = parseCell(source).body.filter((statement) => statement.type === "ImportDeclaration");
  const { bindings } = analyse({ id, kind, source });
  return {
    text: lines.map((line) => source.slice(line.start, line.end)).join("\n"),
    names: new Set(bindings.flatMap(({ name, how }) => (how === "import" ? [name] : []))),
  };
}
