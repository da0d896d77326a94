/** The cells of one notebook as they run: one at a time, each with its scope; how they are stopped, and how the kernel goes on after a strike. */
import { pathToFileURL } from "node:url";
import type { Variable } from "../protocol/document.js";
import type { FromKernel, ImportedFile, RunRequest } from "../protocol/kernel.js";
import type { CellError, Output } from "../protocol/output.js";
import { createAwaits } from "./awaits.js";
import type { Cache } from "./cache.js";
import { createBindings, read } from "./bindings.js";
import { createChance } from "./chance.js";
import { createCompiled } from "./compiled.js";
import type { Place } from "./errors.js";
import { createDrop } from "./drop.js";
import type { Gate } from "./gate.js";
import { handsOf } from "./hands.js";
import type { Held } from "./held.js";
import type { Imports } from "./imports.js";
import { createListing } from "./listing.js";
import { orElse, sentence } from "./own.js";
import { createPerform } from "./perform.js";
import { createRun, settled, type Injected, type Run } from "./run.js";
import { createScope } from "./scope.js";
import { word, type MainToControl } from "./shared.js";
import { inSteps, type Steps } from "./steps.js";
import type { Outputs } from "./streams.js";
import { createTurns } from "./turns.js";
import { sourceWith } from "./view.js";
import { createWatcher } from "./watch.js";

export interface EvaluatorOptions {
  shared: Int32Array;
  gate: Gate;
  outputs: Outputs;
  tell(message: FromKernel): void;
  control(message: MainToControl): void;
  seed(cell: string, purpose: string): number;
  injected: Injected;
  imports: Imports;
  /** values on show that the page may unfold */
  held: Held;
  notebook: string;
  /** a frame's file when it is not a cell's: null hides it */
  filePlace(file: string, line: number, column: number): Place | null;
  /** richer forms of values that need an engine (relations); undefined = not one of them */
  displayLater(value: unknown, run: Run): Promise<Output & { kind: "display" }> | undefined;
  /** called before a run: returns what puts the engines back in order when it was stopped */
  savepoint(run: Run): (stopped: boolean, values: () => Iterable<unknown>) => Promise<string[]>;
  /** tells the engines to stop what they do */
  halt(run: Run): void;
  /** these names are gone: their tables may be dropped */
  dropped(names: string[]): void;
  /** no run holds these any more, but as far as the names of cells do: their tensors and models may be freed */
  free(values: Iterable<unknown>, kept: () => Iterable<unknown>): void;
  /** results on disk; null: none are taken or kept */
  cache: Cache | null;
  /** the files of code that it imported */
  imported(run: Run): ImportedFile[];
  /** after each run: memory of the back end, files to watch; gives the hashes of what it read */
  after(run: Run): Promise<string[]>;
}

export interface Evaluator {
  enqueue(request: RunRequest): void;
  /** from the control worker: stop, or (`keep`) only set the signal */
  soft(stop: { run: string; keep: boolean; struck: boolean }): void;
  /** from the control worker: a strike has landed */
  landed(): void;
  /** may a stop of this run strike what runs now? */
  meant(run: string): boolean;
  forget(cells: string[]): void;
  /** disposes of every scope */
  close(): void;
  variables(): Variable[];
  current(): Run | null;
  /** the run that a name given to `run` acts for: `run`, or the one that calls its functions later */
  acting(run: Run): Run;
  /** that run, or the last one: what unattributed output belongs to */
  recent(): Run | null;
  report(error: unknown): void;
  /** the compiler's parameters for an imported file */
  wrappers(file: string): Record<string, unknown>;
  /** a name as a cell or a console would find it; null: nothing of ours */
  find(name: string): { value: unknown } | null;
  /** all names of cells and consoles */
  scope(): string[];
  /** which cells' last runs read this file */
  readers(path: string): string[];
  sourceOf(cell: string): string | undefined;
  /** cell that defines a name now */
  owner(name: string): string | undefined;
  /** value of a name that this cell defines; undefined also where it has none */
  value(cell: string, name: string): unknown;
  /** sources of the run's cell and of those whose names it reads, directly or not, by name of the cell */
  sources(run: Run): string[];
}

type Outcome = { result: "ok" } | { result: "error"; error: unknown } | { result: "interrupted" };

/** library calls of a stopped run get so long to put things in order; less when their stack is gone */
const grace = 400;
const struckGrace = 60;
/** ms after which the control worker hears that a run is over, unless the next one tells it: a message to a thread costs as much as a small cell */
const leaveAfter = 30;

export function createEvaluator(options: EvaluatorOptions): Evaluator {
  const { shared, gate, outputs, tell, control } = options;
  const { own } = gate;
  const bindings = createBindings();
  const { names } = bindings;
  const runs = new Map<string, Run>();
  const queue: RunRequest[] = [];
  const stopped = new Set<number>();
  /** runs that were told to stop before they were heard of */
  const early = new Set<string>();
  let numbers = 0;
  let current: Run | null = null;
  let last: Run | null = null;
  let steps: Steps | null = null;
  /** the run that a strike on its way is for */
  let target: Run | null = null;
  /** ends the part of the current run in which its code runs; null before and after it */
  let end: ((outcome: Outcome) => void) | null = null;
  const chance = createChance();
  const listing = createListing(own, () => tell({ type: "variables", variables: bindings.variables() }));
  let leaving: NodeJS.Timeout | null = null;
  /** `Error.prepareStackTrace` as the current run found it */
  let stacks: PropertyDescriptor | undefined;
  const awaits = createAwaits(
    () => current?.number ?? 0,
    (number) => shared[word.stopped] === number || stopped.has(number),
  );
  const compiled = createCompiled({
    imports: options.imports,
    awaits,
    filePlace: options.filePlace,
    sourceOf: (cell) => runs.get(cell)?.cell.source,
    names: (run) => [...names.keys(), ...(run.request.console ? bindings.own.keys() : []), ...Object.keys(options.injected)],
    owner: (name, run) => bindings.known(name, run)?.cell,
  });
  const reportIn = (run: Run, error: unknown) => run.emit({ kind: "error", error: compiled.describe(error, run) });
  const turns = createTurns(own, reportIn);
  const drop = createDrop({
    ...{ bindings, runs, turns },
    release: (run) => options.held.release(run),
    dropped: options.dropped,
    free: options.free,
    failed(cell, error) {
      if (current?.cell.id !== cell) throw error;
      current.warnings.push(`a disposer of the run before failed: ${compiled.describe(error, current).message}`);
    },
  });

  const meta = Object.freeze({ url: pathToFileURL(options.notebook).href, filename: options.notebook });
  const wrappers = (file: string): Record<string, unknown> => ({
    $$w: (value: unknown, offset: number) => awaits.wait(value, file, offset),
    $$wi: (iterable: unknown, offset: number) => awaits.waitEach(iterable, file, offset),
    $$meta: meta,
  });

  const watcher = createWatcher({ names, runs, goesOn: (other) => awaits.waiting(other.file) });
  const perform = createPerform({
    ...{ bindings, compiled, turns, outputs, wrappers, chance, own },
    importer: options.imports.from(options.notebook),
    seed: options.seed,
    injected: options.injected,
    watch: (run, free) => void (run.watch = orElse(() => watcher.begin(run, free), null)),
    cache: options.cache,
    definer: (name) => runs.get(names.get(name)?.cell ?? ""),
  });

  const begin = (request: RunRequest) => {
    const started = performance.now();
    const run = createRun(request, {
      number: ++numbers,
      outputs,
      held: options.held,
      scope: (of) =>
        createScope((callback) => {
          // what a timer of another cell changes is not this run's doing
          if (current !== null && current !== of()) watcher.excuse(current, of());
          turns.call(of(), callback);
        }, own),
      control: (of, control) => tell({ type: "control", run: of.id, cell: of.cell.id, control }),
      displayLater: options.displayLater,
    });
    current = last = run;
    listing.hold();
    stacks = Object.getOwnPropertyDescriptor(Error, "prepareStackTrace");
    if (leaving) clearTimeout(leaving);
    control({ type: "run", run: run.id, number: run.number });
    chance.reset();
    let outcome: Outcome = { result: "ok" };
    let restore: ReturnType<typeof options.savepoint>;
    let error: CellError | undefined;
    let reads = [...run.reads];
    steps = inSteps(
      own,
      [
        { call: (next) => drop(run.cell.id, next) },
        {
          call(next) {
            runs.set(run.cell.id, run);
            restore = options.savepoint(run);
            // whole: a strike between its lines would leave a run that neither goes on nor ends
            end = (given) =>
              own(() => {
                if (end === null || current !== run) return;
                end = null;
                outcome = given;
                compare(run);
                next();
              });
            if (run.stopped) return end({ result: "interrupted" });
            const ending = end;
            perform(run).then(
              () => ending({ result: "ok" }),
              (thrown: unknown) => ending({ result: "error", error: thrown }),
            );
          },
        },
        { call: (next) => turns.each(run, run.stopped ? run.scope.listeners() : [], next) },
        { wait: () => (run.stopped ? settled([...run.calls], () => (run.struck ? struckGrace : grace)) : Promise.resolve()) },
        {
          wait: () =>
            restore(run.stopped, () => bindings.of(run.cell.id)).then(
              (warnings) => void run.warnings.push(...warnings),
              (failed) => void run.warnings.push(sentence(failed)),
            ),
        },
        {
          call(next) {
            if (run.stopped || outcome.result !== "error") return next();
            const { error: thrown } = outcome;
            error = { name: "Error", message: "The cell threw a value that never ends to be read.", cell: run.cell.id, frames: [] };
            turns.each(run, [() => (error = compiled.describe(thrown, run))], next);
          },
        },
        { wait: async () => (reads = await options.after(run)) },
      ],
      () => finish(run, run.stopped ? "interrupted" : outcome.result, error, started, reads),
      (thrown) => broken(request, thrown),
    );
  };

  /** What its code has changed of other cells, as soon as it is over. */
  const compare = (run: Run) => {
    run.changed = orElse(() => watcher.end(run), []);
    run.watch = null;
    // a console has no place in the notebook that could say it
    if (run.request.console) run.warnings.push(...run.changed.splice(0).map(({ message }) => message));
  };

  const finish = (run: Run, result: "ok" | "error" | "interrupted", error: CellError | undefined, started: number, reads: string[]) => {
    if (run.stopped) stopped.add(run.number);
    if (run.request.console) keepConsole(run);
    if (error) run.emit({ kind: "error", error });
    run.over = true;
    const count = outputs.finish(run.sink);
    current = null;
    steps = null;
    // one that has not ended would hold whatever makes an error next, also the kernel
    if (run.stopped) restoreStacks(stacks);
    tell({
      type: "done",
      run: run.id,
      cell: run.cell.id,
      result,
      ...(error && { error }),
      ...(run.cached && { cached: run.cached }),
      elapsedMs: Math.round(performance.now() - started),
      warnings: run.warnings,
      ...(run.changed.length > 0 && { changed: run.changed }),
      ...left(run),
      outputs: count,
      reads,
    });
    const leave = () => control({ type: "over", run: run.id });
    if (run.stopped) leave();
    else leaving = setTimeout(leave, leaveAfter);
    listing.ask();
    pump();
  };

  /** What later runs may change of what it leaves. */
  const left = (run: Run) => {
    const hands = orElse(() => handsOf(bindings.of(run.cell.id)), null);
    const files = options.imported(run);
    return { ...(hands !== null && { hands }), ...(files.length > 0 && { files }) };
  };

  /** A name whose definition failed keeps its older value; requests that left nothing behind are forgotten in time. */
  const keepConsole = (run: Run) => {
    bindings.restore(run);
    const holders = new Set([...bindings.own.values()].map((each) => each.cell));
    const done = [...runs.values()].filter((each) => each.request.console && each.scope.held === 0 && !holders.has(each.cell.id));
    for (const { cell } of done.slice(0, -200)) {
      runs.delete(cell.id);
      compiled.forget(cell.id);
    }
  };

  /** Whatever breaks around a cell ends its run in words: a run without its `done` would hold the queue for good. */
  const broken = (request: RunRequest, thrown: unknown) => {
    const { run, cell } = request;
    const mine = current?.id === run ? current : null;
    const message = `the kernel could not finish this cell: ${sentence(thrown)}`;
    const error: CellError = { name: "KernelError", message, cell: cell.id, frames: [] };
    const sink = mine?.sink ?? { run, cell: cell.id, count: 0 };
    if (mine) mine.over = true;
    current = null;
    steps = null;
    end = null;
    outputs.emit(sink, { kind: "error", error });
    tell({ type: "done", run, cell: cell.id, result: "error", error, elapsedMs: 0, warnings: [], outputs: outputs.finish(sink), reads: [] });
    control({ type: "over", run });
    pump();
  };

  const pump = () => {
    const request = current ? undefined : queue.shift();
    if (!request) return;
    try {
      begin(request);
    } catch (error) {
      broken(request, error);
    }
  };
  const cancel = ({ run, cell }: RunRequest) => {
    tell({ type: "done", run, cell: cell.id, result: "interrupted", elapsedMs: 0, warnings: [], outputs: 0, reads: [] });
  };

  const stop = (run: Run, struck: boolean) => {
    run.struck ||= struck;
    if (run.stopped) return;
    run.stopped = true;
    Atomics.store(shared, word.stopped, run.number);
    run.scope.stop();
    options.halt(run);
    end?.({ result: "interrupted" });
  };
  /** Stops what a run that is over has left: timers, listeners. */
  const quiet = (run: Run) => {
    run.scope.stop();
    turns.each(run, run.scope.listeners(), () => undefined);
  };

  return {
    enqueue(request) {
      if (early.delete(request.run)) return cancel(request);
      queue.push(request);
      pump();
    },
    soft({ run: id, keep, struck }) {
      control({ type: "ack", run: id });
      if (current?.id === id) {
        if (!keep) return stop(current, struck);
        current.scope.end();
        return turns.each(current, current.scope.listeners(), () => undefined);
      }
      const place = queue.findIndex((request) => request.run === id);
      if (place >= 0 && !keep) cancel(queue.splice(place, 1)[0]!);
      // finished, but its timers may go on
      const finished = [...runs.values()].filter((run) => run.id === id);
      if (!keep) for (const run of finished) quiet(run);
      // it came by another socket, before the run itself
      if (!keep && place < 0 && finished.length === 0) {
        early.add(id);
        if (early.size > 100) early.delete(early.values().next().value!);
      }
      control({ type: "over", run: id });
    },
    landed() {
      // first what is begun again, then what goes on with its next step
      const performing = end !== null;
      if (!performing) steps?.landed();
      const struck = turns.landed();
      if (struck && struck !== current) {
        reportIn(struck, new Error("A timer or listener of this cell did not end and was stopped. Run the cell again to set it up again."));
        quiet(struck);
      }
      // what its awaits would have gone on with may be lost
      if (performing && current && current === target) stop(current, true);
      target = null;
    },
    meant(run) {
      target = current;
      return current === null || current.id === run;
    },
    forget: (cells) => cells.forEach((cell) => drop(cell, () => undefined)),
    close() {
      for (const run of runs.values()) for (const dispose of run.scope.disposers()) turns.call(run, dispose);
    },
    variables: bindings.variables,
    current: () => current,
    acting: (run) => (run.over && current ? current : run),
    recent: () => current ?? last,
    report(error) {
      const run = current ?? last;
      // what a stopped run leaves behind has been said already
      if (!run || (run.stopped && isStop(error))) return;
      const described = compiled.describe(error, run);
      // whose code it was that failed stands in the stack: outermost the cell that set the timer or made the promise
      const cell = described.frames.findLast((frame) => frame.cell !== undefined)?.cell;
      const owner = (cell === undefined ? undefined : runs.get(cell)) ?? run;
      owner.emit({ kind: "error", error: described });
    },
    wrappers,
    find: bindings.find,
    scope: () => [...new Set([...bindings.own.keys(), ...names.keys()])],
    readers: (path) => [...runs.values()].filter((run) => run.reads.has(path)).map((run) => run.cell.id),
    sourceOf: (cell) => runs.get(cell)?.cell.source,
    owner: (name) => (current ? bindings.known(name, current) : names.get(name))?.cell,
    value(cell, name) {
      const found = [bindings.own.get(name), names.get(name)].find((each) => each?.cell === cell);
      return read(found)?.value;
    },
    sources(run) {
      const seen = new Map<string, string>();
      const visit = (each: Run) => {
        if (seen.has(each.cell.id)) return;
        seen.set(each.cell.id, sourceWith(each));
        for (const name of each.uses) {
          const owner = runs.get(names.get(name)?.cell ?? "");
          if (owner) visit(owner);
        }
      };
      visit(run);
      return [...seen].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, source]) => source);
    },
  };
}

function restoreStacks(before: PropertyDescriptor | undefined): void {
  if (before) Object.defineProperty(Error, "prepareStackTrace", before);
  else delete (Error as { prepareStackTrace?: unknown }).prepareStackTrace;
}

function isStop(error: unknown): boolean {
  const { name, type } = orElse(
    () => {
      const given = (error ?? {}) as { name?: unknown; type?: unknown };
      return { name: given.name, type: given.type };
    },
    {} as { name?: unknown; type?: unknown },
  );
  return name === "AbortError" || name === "Interrupted" || type === "Interrupt";
}
