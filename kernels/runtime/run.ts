/** One run of one cell: its identity, its outputs, what it may leave open. */
import type { Control } from "../protocol/controls.js";
import type { CachedResult, Cell } from "../protocol/document.js";
import type { RunRequest, ValueChange } from "../protocol/kernel.js";
import type { Output } from "../protocol/output.js";
import { controlText } from "./controls.js";
import { toBundle } from "./display.js";
import type { Held } from "./held.js";
import { orElse } from "./own.js";
import type { Scope } from "./scope.js";
import type { Outputs, Sink } from "./streams.js";
import type { Watch } from "./watch.js";

export interface Run {
  id: string;
  number: number;
  cell: Cell;
  request: RunRequest;
  sink: Sink;
  scope: Scope;
  warnings: string[];
  /** why its result would not be the same another time, where that is known */
  volatile: string | null;
  /** its result was on disk */
  cached: CachedResult | null;
  /** names of other cells that it read */
  uses: Set<string>;
  /** names that it defines itself, not by an import */
  own: ReadonlySet<string>;
  /** its code, as stacks name it */
  file: string;
  /** of what its code can reach of other cells, while it runs */
  watch: Watch | null;
  changed: ValueChange[];
  /** absolute paths of files that it read or imported */
  reads: Set<string>;
  stopped: boolean;
  /** by force: the stack was unwound without `finally` */
  struck: boolean;
  over: boolean;
  displayed: number;
  /** what `view` has shown, in order */
  controls: Control[];
  /** displays on their way: tables have to ask DuckDB first */
  pending: Promise<void>[];
  /** library calls in progress: they are given a moment to put things in order when the run is stopped */
  calls: Set<Promise<unknown>>;
  emit(output: Output, clear?: boolean): void;
  /** drops what was shown so far; `wait`: when the next output comes */
  clear(wait: boolean): void;
  /** shows a control: beside the outputs, or in a console as text */
  control(control: Control): void;
  display(value: unknown, options?: { id?: string; update?: boolean; result?: boolean }): Promise<void> | undefined;
}

/** What nothing has happened to yet. */
export const untouched = (): Pick<
  Run,
  | "warnings"
  | "volatile"
  | "cached"
  | "own"
  | "file"
  | "watch"
  | "changed"
  | "reads"
  | "stopped"
  | "struck"
  | "over"
  | "displayed"
  | "controls"
  | "pending"
  | "calls"
> => ({
  ...{ own: new Set(), file: "", watch: null, changed: [] },
  ...{ warnings: [], volatile: null, cached: null, reads: new Set(), stopped: false, struck: false },
  ...{ over: false, displayed: 0, controls: [], pending: [], calls: new Set() },
});

/** What the library gives a cell: name -> its value for this run, made when the cell mentions it. */
export type Injected = Record<string, (run: Run) => unknown>;

export interface RunOptions {
  number: number;
  outputs: Outputs;
  /** values on show that the page may unfold */
  held: Held;
  scope(run: () => Run): Scope;
  /** tells the server of a control */
  control(run: Run, control: Control): void;
  /** richer forms of values that need an engine (relations); undefined = not one of them */
  displayLater(value: unknown, run: Run): Promise<Output & { kind: "display" }> | undefined;
}

export function createRun(request: RunRequest, options: RunOptions): Run {
  const { outputs, held } = options;
  const sink: Sink = { run: request.run, cell: request.cell.id, count: 0 };
  const run: Run = {
    id: request.run,
    number: options.number,
    cell: request.cell,
    request,
    sink,
    clear: (wait) => outputs.clear(sink, wait),
    scope: options.scope(() => run),
    ...untouched(),
    uses: new Set(request.uses),
    control(control) {
      run.controls.push(control);
      if (request.console) run.emit({ kind: "display", id: `c${run.controls.length}`, data: { "text/plain": controlText(control) } });
      else options.control(run, control);
    },
    emit: (output, clear) => outputs.emit(sink, output, clear),
    display: (value, { id, update, result } = {}) => {
      const name = id ?? `d${++run.displayed}`;
      const as = result ? "result" : update ? "update" : id !== undefined ? "named" : undefined;
      const how = request.console && as !== undefined ? { as } : {};
      const later = orElse(() => options.displayLater(value, run), undefined);
      if (!later) {
        run.emit({
          kind: "display",
          id: name,
          data: orElse(() => held.hold(run.id, name, value, toBundle(value)), { "text/plain": "(a value that cannot be read)" }),
          ...how,
        } as Output);
        return undefined;
      }
      // keeps its place among the outputs while DuckDB is asked; a console shows a value once
      if (!request.console) run.emit({ kind: "display", id: name, data: { "text/plain": "..." } });
      const shown = later.then((output) => run.emit({ ...output, id: name, ...how } as Output));
      shown.catch(() => undefined);
      run.pending.push(shown);
      return shown;
    },
  };
  return run;
}

/** `$$show`: the last expression of a cell, or what its promise gives. */
export function showResult(run: Run): (value: unknown) => Promise<void> | undefined {
  return (value) => {
    if (typeof (value as PromiseLike<unknown> | null | undefined)?.then === "function" && typeof value === "object") {
      return Promise.resolve(value as PromiseLike<unknown>).then((result) =>
        result === undefined || run.stopped ? undefined : run.display(result, { result: true }),
      );
    }
    return value === undefined ? undefined : run.display(value, { result: true });
  };
}

/** Resolves when all have settled, or after `most()` ms, which may shrink meanwhile. */
export async function settled(promises: Promise<unknown>[], most: () => number): Promise<void> {
  if (promises.length === 0) return;
  const since = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setInterval(() => {
      if (performance.now() - since < most()) return;
      // here: what follows an await may be dropped by a strike
      clearInterval(timer);
      resolve();
    }, 10);
  });
  await Promise.race([Promise.allSettled(promises), late]);
  clearInterval(timer);
}
