/** The cells of one notebook as they run: one at a time, each with its scope; the names that they leave; how they are stopped. */
import { pathToFileURL } from "node:url";
import * as vm from "node:vm";
import type { CachedResult, Cell, Variable } from "../protocol/document.js";
import type { FromKernel, RunRequest } from "../protocol/kernel.js";
import type { CellError, Output } from "../protocol/output.js";
import { settle, type Settling } from "../protocol/values.js";
import type { Cache } from "./cache.js";
import { preview, toBundle } from "./display.js";
import { position, toCellError, type Place } from "./errors.js";
import type { Held } from "./held.js";
import { createKeeper } from "./kept.js";
import type { Importer, Imports } from "./imports.js";
import { randomFrom } from "./random.js";
import { createScope, type Scope } from "./scope.js";
import { word, type MainToControl } from "./shared.js";
import type { Outputs, Sink } from "./streams.js";
import { translate, type Translation } from "./translate.js";

/** One run of one cell. */
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
  /** absolute paths of files that it read or imported */
  reads: Set<string>;
  stopped: boolean;
  /** by force: the stack was unwound without `finally` */
  struck: boolean;
  over: boolean;
  displayed: number;
  /** displays on their way: tables have to ask DuckDB first */
  pending: Promise<void>[];
  /** library calls in progress: they are given a moment to put things in order when the run is stopped */
  calls: Set<Promise<unknown>>;
  emit(output: Output, clear?: boolean): void;
  /** drops what was shown so far; `wait`: when the next output comes */
  clear(wait: boolean): void;
  display(value: unknown, options?: { id?: string; update?: boolean; result?: boolean }): Promise<void> | undefined;
}

/** What the library gives a cell: name -> its value for this run, made when the cell mentions it. */
export type Injected = Record<string, (run: Run) => unknown>;

export interface EvaluatorOptions {
  shared: Int32Array;
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
  /** the run's names are about to go: their tables and tensors may be freed */
  dropped(values: Map<string, unknown>, kept: () => Iterable<unknown>): void;
  /** results on disk; null: none are taken or kept */
  cache: Cache | null;
  /** hash of a value's content; throws an Opaque */
  digest(value: unknown, name: string, code: (name: string) => Promise<string>): Promise<string>;
  /** after each run: memory of the back end, files to watch; gives the hashes of what it read */
  after(run: Run): Promise<string[]>;
}

export interface Evaluator {
  enqueue(request: RunRequest): void;
  /** from the control worker: stop, or (`keep`) only set the signal */
  soft(stop: { run: string; keep: boolean; struck: boolean }): void;
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
  /** which cells' last runs read this file */
  /** a name as a cell or a console would find it; null: nothing of ours */
  find(name: string): { value: unknown } | null;
  /** all names of cells and consoles */
  scope(): string[];
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
interface Name {
  cell: string;
  get(): unknown;
  /** of a console's `let`: a later request may assign to it */
  set?(value: unknown): void;
}

const never = new Promise<never>(() => {});
/** library calls of a stopped run get so long to put things in order; less when their stack is gone */
const grace = 400;
const struckGrace = 60;
const leaveAfter = 30;
/** ms between two lists of variables */
const variablesEvery = 200;

export function createEvaluator(options: EvaluatorOptions): Evaluator {
  const { shared, outputs, tell, control } = options;
  const names = new Map<string, Name>();
  /** what the requests of a console define: over the notebook's names, unseen by its cells */
  const own = new Map<string, Name>();
  const known = (name: string, run: Run) => (run.request.console ? own.get(name) : undefined) ?? names.get(name);
  /** the definitions that a console's request replaces: those that it does not make stay */
  const before = new WeakMap<Run, Map<string, Name | undefined>>();
  const runs = new Map<string, Run>();
  const queue: RunRequest[] = [];
  /** translations by the file name in stacks; old ones stay for a while, stale cells hold old functions */
  const compiled = new Map<string, { cell: string; source: string; translation: Translation }>();
  /** the newest of these files by cell */
  const filesOf = new Map<string, string[]>();
  const stopped = new Set<number>();
  /** runs that were told to stop before they were heard of */
  const early = new Set<string>();
  /** where a cell was waiting for what failed: the stack of such an error does not lead to the cell */
  const awaited = new WeakMap<object, { file: string; offset: number }>();
  let numbers = 0;
  let current: Run | null = null;
  let last: Run | null = null;
  let end: ((outcome: Outcome) => void) | null = null;
  /** Node's own, before any cell */
  const chance = Math.random;
  let random = chance;
  let variablesAt = -Infinity;
  let leaving: NodeJS.Timeout | null = null;
  let variablesTimer: NodeJS.Timeout | null = null;
  let imports = 0;
  const importer = options.imports.from(options.notebook);

  /** Packages draw when they load, which happens once: the cell's own draws must not depend on it. */
  const aside: Importer = async (...args) => {
    if (imports++ === 0) Math.random = chance;
    try {
      return await importer(...args);
    } finally {
      if (--imports === 0) Math.random = random;
    }
  };

  const enter = (number: number) => Atomics.store(shared, word.user, number);
  const isStopped = (number: number) => shared[word.stopped] === number || stopped.has(number);

  /** `await e` of a cell: never continues once its run was stopped. */
  const wait = (value: unknown, file: string, offset: number): Promise<unknown> => {
    const number = current?.number ?? 0;
    if (number !== 0 && isStopped(number)) return never;
    return new Promise((resolve, reject) => {
      Promise.resolve(value).then(
        (result) => {
          if (!isStopped(number)) resolve(result);
        },
        (error: unknown) => {
          if (isStopped(number)) return;
          if (typeof error === "object" && error !== null && !awaited.has(error)) awaited.set(error, { file, offset });
          reject(error as Error);
        },
      );
    });
  };
  const waitEach = (iterable: unknown, file: string, offset: number): AsyncIterable<unknown> => ({
    [Symbol.asyncIterator]() {
      const source = iterable as Partial<AsyncIterable<unknown> & Iterable<unknown>>;
      const iterator = (source[Symbol.asyncIterator]?.() ?? source[Symbol.iterator]?.()) as AsyncIterator<unknown> | undefined;
      if (!iterator) throw new TypeError("the value after `of` is not iterable");
      const sync = !source[Symbol.asyncIterator];
      return {
        next: () => (sync ? unwrapped(iterator, file, offset) : wait(iterator.next(), file, offset)) as Promise<IteratorResult<unknown>>,
        return: (value) => wait(iterator.return?.(value) ?? { done: true, value }, file, offset) as Promise<IteratorResult<unknown>>,
      };
    },
  });
  const unwrapped = async (iterator: AsyncIterator<unknown>, file: string, offset: number) => {
    const step = (await wait(iterator.next(), file, offset)) as IteratorResult<unknown>;
    return step.done ? step : { done: false, value: await wait(step.value, file, offset) };
  };

  const guard = (run: Run) => (callback: () => void) => {
    const before = shared[word.user]!;
    enter(run.number);
    try {
      callback();
    } catch (error) {
      reportIn(run, error);
    } finally {
      enter(before);
    }
  };

  const describe = (error: unknown, run: Run): CellError => {
    try {
      return run.request.console ? unwritten(described(error, run)) : described(error, run);
    } catch {
      // a proxy, for one, may throw wherever it is touched
      return { name: "Error", message: "The cell threw a value that cannot be read.", cell: run.cell.id, frames: [] };
    }
  };
  const described = (error: unknown, run: Run): CellError =>
    toCellError(error, {
      cell: run.cell.id,
      source: run.cell.source,
      place,
      awaitedAt: (thrown) => {
        const at = awaited.get(thrown);
        const cell = at && compiled.get(at.file);
        if (cell) return { cell: cell.cell, ...position(cell.source, at.offset) };
        const file = at && options.imports.file(at.file);
        return file ? { file: at.file, ...position(file.source, at.offset) } : null;
      },
      sourceOf: (at) => {
        if (at.cell === undefined) return undefined;
        return at.cell === run.cell.id ? run.cell.source : runs.get(at.cell)?.cell.source;
      },
      names: () => [...names.keys(), ...(run.request.console ? own.keys() : []), ...Object.keys(options.injected)],
      owner: (name) => known(name, run)?.cell,
    });
  const place = (file: string, line: number, column: number): Place | null => {
    const known = compiled.get(file);
    if (known) {
      const at = known.translation.locate(line, column);
      return at && { cell: known.cell, ...at };
    }
    const imported = options.imports.file(file);
    if (imported) {
      const at = imported.translation?.locate(line, column);
      return at ? { file, ...at } : null;
    }
    return options.filePlace(file, line, column);
  };
  const reportIn = (run: Run, error: unknown) => run.emit({ kind: "error", error: describe(error, run) });

  const makeRun = (request: RunRequest): Run => {
    const sink: Sink = { run: request.run, cell: request.cell.id, count: 0 };
    const run: Run = {
      id: request.run,
      number: ++numbers,
      cell: request.cell,
      request,
      sink,
      clear: (wait) => outputs.clear(sink, wait),
      scope: createScope(
        (callback) => guard(run)(callback),
        (error) => reportIn(run, error),
      ),
      warnings: [],
      volatile: null,
      cached: null,
      uses: new Set(request.uses),
      reads: new Set(),
      stopped: false,
      struck: false,
      over: false,
      displayed: 0,
      pending: [],
      calls: new Set(),
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
            data: orElse(() => options.held.hold(run.id, name, value, toBundle(value)), { "text/plain": "(a value that cannot be read)" }),
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
  };

  const show = (run: Run) => (value: unknown) => {
    if (typeof (value as PromiseLike<unknown> | null | undefined)?.then === "function" && typeof value === "object") {
      return Promise.resolve(value as PromiseLike<unknown>).then((result) =>
        result === undefined || run.stopped ? undefined : run.display(result, { result: true }),
      );
    }
    return value === undefined ? undefined : run.display(value, { result: true });
  };

  const compile = async (run: Run): Promise<Translation & { file: string }> => {
    const file = `cell:${encodeURIComponent(run.cell.id)}#${run.number}`;
    const live = (name: string) => known(name, run) !== undefined || !(Object.hasOwn(options.injected, name) || name in globalThis);
    const translation = await translate(run.cell.source, run.request.console ? { live } : "cell");
    compiled.set(file, { cell: run.cell.id, source: run.cell.source, translation });
    const files = [...(filesOf.get(run.cell.id) ?? []), file];
    for (const old of files.splice(0, files.length - 8)) compiled.delete(old);
    filesOf.set(run.cell.id, files);
    return { ...translation, file };
  };

  /** The whole of a run but for its beginning and end. Throws what the cell throws. */
  const perform = async (run: Run): Promise<void> => {
    if (run.cell.kind === "markdown") {
      const text = run.cell.source;
      run.emit({ kind: "display", id: "d1", data: { "text/markdown": text, "text/plain": text } });
      return;
    }
    const translation = await compile(run);
    const mine = run.request.console ? own : names;
    const parameters: Record<string, unknown> = {
      ...wrappers(translation.file),
      ...(run.request.console && { $n: live }),
      $x: (getters: object) => {
        for (const [name, { get, set }] of Object.entries(Object.getOwnPropertyDescriptors(getters)))
          mine.set(name, { cell: run.cell.id, get: get!, ...(set && { set }) });
      },
      $show: show(run),
      $imp: aside,
    };
    for (const name of translation.free) {
      const other = names.get(name);
      if (other && other.cell !== run.cell.id) {
        const value = tryGet(other);
        if (value) parameters[name] = value.value;
        run.uses.add(name);
      } else if (Object.hasOwn(options.injected, name)) {
        const value = await options.injected[name]!(run);
        if (value !== undefined) parameters[name] = value;
      }
    }
    if (run.stopped) return;
    const shelf = (await keeper?.open(run, translation.free)) ?? null;
    const kept = (await shelf?.find()) ?? null;
    if (run.stopped) return;
    if (kept !== null) return keeper!.restore(run, kept);
    if (shelf !== null) run.sink.record = [];
    const began = performance.now();
    if (run.request.console) before.set(run, new Map(translation.exports.map((name) => [name, own.get(name)])));
    const body = vm.compileFunction(translation.code, Object.keys(parameters), { filename: translation.file });
    // from a fresh stack: a termination unwinds everything below it
    await new Promise<void>((resolve, reject) => {
      setImmediate(() => {
        if (run.stopped) return;
        Math.random = random = randomFrom(options.seed(run.cell.id, "random"));
        enter(run.number);
        (body(...Object.values(parameters)) as Promise<void>).then(resolve, reject);
      });
    });
    for (const name of translation.exports) {
      const value = tryGet(mine.get(name))?.value as Settling | undefined;
      const lazy = typeof value === "object" && value !== null && orElse(() => typeof value[settle] === "function", false);
      // in SQL the notebook's table keeps its name
      if (lazy) await value[settle]!(mine === own && names.has(name) ? undefined : name);
      if (run.stopped) return;
    }
    const result = translation.exports.at(-1);
    if (run.cell.kind === "sql" && run.displayed === 0 && result !== undefined) run.display(tryGet(mine.get(result))?.value);
    for (const shown of run.pending) await shown;
    if (shelf === null || run.stopped) return;
    outputs.flush();
    const values = keeper!.values(run, translation.exports);
    const why = await shelf.keep(values, run.sink.record ?? [], Math.round(performance.now() - began));
    if (why !== null) run.warnings.push(why);
  };

  const tryGet = (name: Name | undefined): { value: unknown } | undefined => {
    try {
      return name && { value: name.get() };
    } catch {
      // its cell failed before it was set
      return undefined;
    }
  };

  const keeper =
    options.cache &&
    createKeeper({
      cache: options.cache,
      digest: options.digest,
      value: (name) => tryGet(names.get(name)),
      definer: (name) => runs.get(names.get(name)?.cell ?? ""),
      define: (name, run, value) => names.set(name, { cell: run.cell.id, get: () => value }),
      perform: (run) => perform(run),
    });

  /** `$n` of a console's requests: the last definition, looked up when it is used */
  const live = new Proxy(Object.create(null) as Record<string, unknown>, {
    get(_, key) {
      const name = String(key);
      const found = own.get(name) ?? names.get(name);
      if (found) return found.get();
      if (name in globalThis) return (globalThis as Record<string, unknown>)[name];
      throw new ReferenceError(`${name} is not defined`);
    },
    has: (_, key) => own.has(String(key)) || names.has(String(key)) || key in globalThis,
    set(_, key, value) {
      const name = String(key);
      const found = own.get(name);
      if (found?.set) found.set(value);
      else if (found) throw new TypeError(`${name} is constant: declare it again to give it another value`);
      else if (names.has(name))
        throw new TypeError(
          `${name} belongs to cell ${names.get(name)!.cell} of the notebook and cannot be assigned here: \`const ${name} = ...\` makes one of this console's own`,
        );
      else throw new ReferenceError(`${name} is not defined`);
      return true;
    },
  });

  const wrappers = (file: string): Record<string, unknown> => ({
    $w: (value: unknown, offset: number) => wait(value, file, offset),
    $wi: (iterable: unknown, offset: number) => waitEach(iterable, file, offset),
    $meta: meta(options.notebook),
  });

  const execute = async (request: RunRequest): Promise<void> => {
    const started = performance.now();
    const run = makeRun(request);
    current = last = run;
    if (variablesTimer) clearTimeout(variablesTimer);
    variablesTimer = null;
    if (leaving) clearTimeout(leaving);
    control({ type: "run", run: run.id, number: run.number });
    drop(run.cell.id);
    runs.set(run.cell.id, run);
    Math.random = chance;
    imports = 0;
    const restore = options.savepoint(run);
    const outcome = await new Promise<Outcome>((resolve) => {
      end = resolve;
      perform(run).then(
        () => resolve({ result: "ok" }),
        (error: unknown) => resolve({ result: "error", error }),
      );
    });
    end = null;
    let result = outcome.result;
    if (run.stopped) {
      result = "interrupted";
      await settled([...run.calls], () => (run.struck ? struckGrace : grace));
      stopped.add(run.number);
    }
    enter(0);
    if (request.console) keepConsole(run);
    run.warnings.push(...(await restore(result === "interrupted", () => valuesOf(run.cell.id)).catch(sentence)));
    let error: CellError | undefined;
    if (outcome.result === "error" && result === "error") {
      error = describe(outcome.error, run);
      run.emit({ kind: "error", error });
    }
    run.over = true;
    const reads = await options.after(run).catch(() => [...run.reads]);
    const count = outputs.finish(run.sink);
    current = null;
    tell({
      type: "done",
      run: run.id,
      cell: run.cell.id,
      result,
      ...(error && { error }),
      ...(run.cached && { cached: run.cached }),
      elapsedMs: Math.round(performance.now() - started),
      warnings: run.warnings,
      outputs: count,
      reads,
    });
    leave(run);
    tellVariables();
  };

  /** The control worker hears that a run is over by the next one, or a moment later: a message to a thread costs as much as a small cell. */
  const leave = (run: Run) => {
    const say = () => control({ type: "over", run: run.id });
    if (run.stopped) say();
    else leaving = setTimeout(say, leaveAfter);
  };

  /**
   * At most some times a second: the whole list after each of a thousand cells would be a million entries.
   * Never while a cell runs, where a stop could cut it in the middle of a write and leave the socket stuck.
   */
  const tellVariables = () => {
    const wait = variablesAt + variablesEvery - performance.now();
    if (wait > 0) {
      variablesTimer ??= setTimeout(tellVariables, wait);
      return;
    }
    if (variablesTimer) clearTimeout(variablesTimer);
    variablesTimer = null;
    tell({ type: "variables", variables: variables() });
    variablesAt = performance.now();
  };

  /** A name whose definition failed keeps its older value; requests that left nothing behind are forgotten in time. */
  const keepConsole = (run: Run) => {
    for (const [name, old] of before.get(run) ?? []) if (old && !tryGet(own.get(name))) own.set(name, old);
    const holders = new Set([...own.values()].map((each) => each.cell));
    const done = [...runs.values()].filter((each) => each.request.console && each.scope.held === 0 && !holders.has(each.cell.id));
    for (const { cell } of done.slice(0, -200)) {
      runs.delete(cell.id);
      for (const file of filesOf.get(cell.id) ?? []) compiled.delete(file);
      filesOf.delete(cell.id);
    }
  };

  /** Whatever breaks around a cell ends its run in words: a run without its `done` would hold the queue for good. */
  const broken = (request: RunRequest, thrown: unknown) => {
    const { run, cell } = request;
    const own = current?.id === run ? current : null;
    const message = `the kernel could not finish this cell: ${sentence(thrown)[0]!}`;
    const error: CellError = { name: "KernelError", message, cell: cell.id, frames: [] };
    const sink = own?.sink ?? { run, cell: cell.id, count: 0 };
    if (own) own.over = true;
    current = null;
    end = null;
    enter(0);
    outputs.emit(sink, { kind: "error", error });
    tell({ type: "done", run, cell: cell.id, result: "error", error, elapsedMs: 0, warnings: [], outputs: outputs.finish(sink), reads: [] });
    control({ type: "over", run });
  };

  const pump = () => {
    const request = current ? undefined : queue.shift();
    if (!request) return;
    void execute(request)
      .catch((error: unknown) => broken(request, error))
      .then(pump);
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

  /** what the names of a cell hold */
  const valuesOf = (cell: string): unknown[] =>
    [...names.values(), ...own.values()].filter((each) => each.cell === cell).map((each) => tryGet(each)?.value);

  const drop = (cell: string) => {
    runs.get(cell)?.scope.dispose();
    options.held.release(runs.get(cell)?.id ?? "");
    runs.delete(cell);
    const values = new Map<string, unknown>();
    for (const map of [names, own])
      for (const [name, each] of map) {
        if (each.cell !== cell) continue;
        const value = tryGet(each);
        if (value) values.set(name, value.value);
        map.delete(name);
      }
    options.dropped(values, () => [...names.values(), ...own.values()].map((each) => tryGet(each)?.value));
  };

  const variables = (): Variable[] => {
    const list: Variable[] = [];
    for (const [name, each] of names) {
      const value = tryGet(each);
      if (value) list.push({ name, cell: each.cell, ...preview(value.value) });
    }
    return list;
  };

  return {
    enqueue(request) {
      if (early.delete(request.run)) return cancel(request);
      queue.push(request);
      pump();
    },
    soft({ run: id, keep, struck }) {
      control({ type: "ack", run: id });
      if (current?.id === id) return keep ? current.scope.abort() : stop(current, struck);
      const place = queue.findIndex((request) => request.run === id);
      if (place >= 0 && !keep) cancel(queue.splice(place, 1)[0]!);
      // finished, but its timers may go on
      const finished = [...runs.values()].filter((run) => run.id === id);
      if (!keep) for (const run of finished) run.scope.stop();
      // it came by another socket, before the run itself
      if (!keep && place < 0 && finished.length === 0) {
        early.add(id);
        if (early.size > 100) early.delete(early.values().next().value!);
      }
      control({ type: "over", run: id });
    },
    forget: (cells) => cells.forEach(drop),
    close() {
      for (const run of runs.values()) run.scope.dispose();
    },
    variables,
    current: () => current,
    acting: (run) => (run.over && current ? current : run),
    recent: () => current ?? last,
    report(error) {
      const run = current ?? last;
      // what a stopped run leaves behind has been said already
      if (!run || (run.stopped && isStop(error))) return;
      reportIn(run, error);
    },
    wrappers,
    find: (name) => tryGet(own.get(name) ?? names.get(name)) ?? null,
    scope: () => [...new Set([...own.keys(), ...names.keys()])],
    readers: (path) => [...runs.values()].filter((run) => run.reads.has(path)).map((run) => run.cell.id),
    sourceOf: (cell) => runs.get(cell)?.cell.source,
    owner: (name) => (current ? known(name, current) : names.get(name))?.cell,
    value(cell, name) {
      const found = [own.get(name), names.get(name)].find((each) => each?.cell === cell);
      return tryGet(found)?.value;
    },
    sources(run) {
      const seen = new Map<string, string>();
      const visit = (each: Run) => {
        if (seen.has(each.cell.id)) return;
        seen.set(each.cell.id, each.cell.source);
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

/** Resolves when all have settled, or after `most()` ms, which may shrink meanwhile. */
async function settled(promises: Promise<unknown>[], most: () => number): Promise<void> {
  if (promises.length === 0) return;
  const since = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setInterval(() => performance.now() - since >= most() && resolve(), 10);
  });
  await Promise.race([Promise.allSettled(promises), late]);
  clearInterval(timer);
}

/** Values of cells may throw wherever they are touched. */
function orElse<T>(make: () => T, otherwise: T): T {
  try {
    return make();
  } catch {
    return otherwise;
  }
}

function sentence(error: unknown): string[] {
  return [orElse(() => (error instanceof Error ? error.message : String(error)), "an error that cannot be read")];
}

/** The compiler's own way of writing a console's names, out of V8's messages. */
function unwritten(error: CellError): CellError {
  const message = error.message.replace(/\(0 ?, ?\$n\.([\w$]+)\)|\$n\.([\w$]+)/g, (_, called?: string, read?: string) => called ?? read ?? "");
  return { ...error, message };
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

function meta(path: string): object {
  return Object.freeze({ url: pathToFileURL(path).href, filename: path });
}
