/** The cell's own part of a run: its code compiled with the names that it reads, called from a fresh stack, and what it leaves settled. */
import * as vm from "node:vm";
import { settle, type Settling } from "../protocol/values.js";
import { read, type Bindings } from "./bindings.js";
import type { Cache } from "./cache.js";
import type { Chance } from "./chance.js";
import type { Compiled } from "./compiled.js";
import type { Importer } from "./imports.js";
import { createKeeper, type KeptOptions } from "./kept.js";
import { orElse } from "./own.js";
import { showResult, type Injected, type Run } from "./run.js";
import { Shown } from "./shown.js";
import type { Outputs } from "./streams.js";
import type { Turns } from "./turns.js";

export interface PerformOptions extends Pick<KeptOptions, "definer"> {
  bindings: Bindings;
  compiled: Compiled;
  turns: Turns;
  outputs: Outputs;
  chance: Chance;
  importer: Importer;
  injected: Injected;
  /** what must not be cut in the middle */
  own<T>(work: () => T): T;
  seed(cell: string, purpose: string): number;
  /** the compiler's parameters for a file */
  wrappers(file: string): Record<string, unknown>;
  /** looks at what the run may change of other cells, right before its code; `free`: the names that it reads */
  watch(run: Run, free: readonly string[]): void;
  /** results on disk; null: none are taken or kept */
  cache: Cache | null;
}

/** Gives what performs a run. It throws what the cell throws. */
export function createPerform(options: PerformOptions): (run: Run) => Promise<void> {
  const { bindings, compiled, turns, outputs, chance, injected, own } = options;
  const { names } = bindings;
  const importer = chance.aside(options.importer);

  const perform = async (run: Run): Promise<void> => {
    if (run.cell.kind === "markdown") {
      const text = run.cell.source;
      run.emit({ kind: "display", id: "d1", data: { "text/markdown": text, "text/plain": text } });
      return;
    }
    const { console } = run.request;
    const isLive = (name: string) => bindings.known(name, run) !== undefined || !(Object.hasOwn(injected, name) || name in globalThis);
    const translation = await compiled.compile(run, isLive);
    run.file = translation.file;
    run.own = new Set(translation.exports.filter((name) => !translation.imports.has(name)));
    const mine = console ? bindings.own : names;
    const parameters: Record<string, unknown> = {
      ...options.wrappers(translation.file),
      ...(console && { $$n: bindings.live }),
      // whole: a name that is not known to be the cell's would outlive it
      $$x: (getters: object) => own(() => bindings.define(run, getters)),
      $$show: showResult(run),
      $$imp: importer,
    };
    for (const name of translation.free) {
      const other = names.get(name);
      if (other && other.cell !== run.cell.id) {
        const value = read(other);
        if (value) parameters[name] = value.value;
        run.uses.add(name);
      } else if (Object.hasOwn(injected, name)) {
        const value = await injected[name]!(run);
        if (value !== undefined) parameters[name] = value;
      }
    }
    if (run.stopped) return;
    const shelf = (await keeper?.open(run, translation.free)) ?? null;
    const kept = (await shelf?.find()) ?? null;
    if (run.stopped) return;
    if (kept !== null) return keeper!.restore(run, kept);
    if (shelf !== null) run.sink.record = new Shown();
    const began = performance.now();
    const reads = [...translation.free, ...translation.live.filter((name) => !bindings.own.has(name))];
    if (console) bindings.replace(run, translation.exports);
    const body = vm.compileFunction(translation.code, Object.keys(parameters), { filename: translation.file });
    // from a fresh stack: a termination unwinds everything below it
    await new Promise<void>((resolve, reject) => {
      turns.soon(() => {
        if (run.stopped) return;
        chance.draw(() => options.seed(run.cell.id, "random"));
        own(() => options.watch(run, reads));
        turns.call(run, () => void (body(...Object.values(parameters)) as Promise<void>).then(resolve, reject));
      });
    });
    for (const name of translation.exports) {
      const value = read(mine.get(name))?.value as Settling | undefined;
      const lazy = typeof value === "object" && value !== null && orElse(() => typeof value[settle] === "function", false);
      // in SQL the notebook's table keeps its name
      if (lazy) await value[settle]!(console && names.has(name) ? undefined : name);
      if (run.stopped) return;
    }
    const result = translation.exports.at(-1);
    if (run.cell.kind === "sql" && run.displayed === 0 && result !== undefined) run.display(read(mine.get(result))?.value);
    for (const shown of run.pending) await shown;
    if (shelf === null || run.stopped) return;
    outputs.flush();
    const values = keeper!.values(run, translation.exports);
    const why = await shelf.keep(values, run.sink.record!, Math.round(performance.now() - began));
    if (why !== null) run.warnings.push(why);
  };
  const keeper =
    options.cache &&
    createKeeper({
      cache: options.cache,
      value: (name) => read(names.get(name)),
      definer: options.definer,
      define: (name, run, value) => bindings.set(name, { cell: run.cell.id, get: () => value }),
      perform,
    });
  return perform;
}
