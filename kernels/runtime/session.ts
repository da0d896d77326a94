/** A configured kernel: evaluator, imports and engines of one notebook wired together. */
import { relative } from "node:path";
import type { MessagePort } from "node:worker_threads";
import type { KernelQuery } from "../protocol/document.js";
import type { FromKernel, KernelConfig, ToKernel } from "../protocol/kernel.js";
import { createCache } from "./cache.js";
import { createCalls } from "./calls.js";
import { contentOf, isRelation } from "./data.js";
import { createEvaluator } from "./evaluate.js";
import { createFiles } from "./files.js";
import type { Gate } from "./gate.js";
import { createHeld } from "./held.js";
import { createImports, type Imports, type Namespace } from "./imports.js";
import { createLibrary } from "./injected.js";
import { createKeptTensors } from "./kept-tensors.js";
import { look } from "./look.js";
import { ownFile, pathOfFrame, sentence } from "./own.js";
import { seedOf } from "./random.js";
import type { Run } from "./run.js";
import type { MainToControl } from "./shared.js";
import { createStaging } from "./staging.js";
import type { Outputs } from "./streams.js";
import { createTensors } from "./tensors.js";

export interface SessionOptions {
  config: KernelConfig;
  shared: Int32Array;
  gate: Gate;
  outputs: Outputs;
  tell(message: FromKernel): void;
  control(message: MainToControl, transfer?: MessagePort[]): void;
}

export interface Session {
  hear(message: ToKernel): void;
  soft(stop: { run: string; keep: boolean; struck: boolean }): void;
  /** a strike has landed */
  landed(): void;
  /** may a stop of this run strike what runs now? */
  meant(run: string): boolean;
  report(error: unknown): void;
  recent(): Run | null;
  close(): Promise<void>;
}

export function createSession({ config, shared, gate, outputs, tell, control }: SessionOptions): Session {
  process.chdir(config.workspace);
  // library code that loads the back end by itself shall find the same
  if (config.backend !== null) process.env["TOUCHSTONE_BACKEND"] = config.backend;
  const calls = createCalls(tell);
  const staging = createStaging(config.workspace);
  const files = createFiles(config.workspace, (file) => {
    const cells = evaluator.readers(file);
    if (cells.length > 0) tell({ type: "changed", cells, file });
  });
  const tensors = createTensors(config.backend, tell, () => evaluator.current(), gate.own);
  const seed = (cell: string, purpose: string) => seedOf(config.seed, cell, purpose);
  const library = createLibrary({
    config,
    outputs,
    tell,
    tensors,
    calls,
    staging,
    seed,
    evaluator: () => evaluator,
    port: (port) => control({ type: "port", port }, [port]),
  });

  const imports: Imports = createImports({
    notebook: config.notebook,
    parameters(free, file) {
      const parameters: Namespace = evaluator.wrappers(file);
      for (const name of free) {
        // the file is kept from run to run: its timers belong to the run that sets them
        if (/^(set|clear)(Timeout|Interval|Immediate)$/.test(name)) {
          parameters[name] = (...args: unknown[]) => (evaluator.recent()!.scope.timers[name] as (...args: unknown[]) => unknown)(...args);
        }
      }
      return parameters;
    },
    supplied(spec, names) {
      if (spec === "touchstone") return library.module(names);
      if (/^@tensorflow\/tfjs($|-core$|-layers$|-data$|-converter$)/.test(spec)) return tensors.load().then(({ tf }) => tf as unknown as Namespace);
      return null;
    },
    read: (path) => evaluator.current()?.reads.add(path),
    goesOn() {
      const run = evaluator.current();
      return () => !run?.stopped;
    },
  });
  const held = createHeld();
  const cache = createCache({
    config,
    files,
    isRelation,
    contentOf,
    relation: (path, hash) => library.kept(path, hash),
    tensors: createKeptTensors(tensors),
    revive: (kind, parts, run) => library.revive(kind, parts, run),
  });
  const evaluator = createEvaluator({
    held,
    shared,
    gate,
    outputs,
    tell,
    control,
    seed,
    injected: library.names,
    imports,
    cache: config.cache ? cache : null,
    notebook: config.notebook,
    filePlace: (file, line, column) => (ownFile(file) ? null : { file: pathOfFrame(file), line, column }),
    displayLater: (value) => library.displayLater(value),
    savepoint: () => tensors.savepoint(),
    halt() {
      tensors.halt();
      library.halt();
    },
    dropped: (names) => library.dropped(names),
    free: (values, kept) => tensors.free(values, kept),
    imported: (run) => imports.held(run.reads).map((one) => ({ ...one, path: relative(config.workspace, one.path).replaceAll("\\", "/") })),
    async after(run) {
      tensors.report();
      await files.watch(run.reads);
      return files.hashes(run.reads);
    },
  });

  /** questions that are not answered yet */
  const asked = new Map<number, KernelQuery>();
  const answer = async (query: KernelQuery): Promise<unknown> => {
    if (query.query === "variables") return evaluator.variables();
    if (query.query === "memory") return { ...process.memoryUsage(), tensors: tensors.loaded()?.tf.memory() ?? null };
    if (query.query === "value.children" || query.query === "value.export") return held.answer(query);
    if (query.query === "look") return look(query.path, evaluator, Object.keys(library.names));
    return library.answer(query);
  };
  const reply = (id: number, query: KernelQuery) => {
    asked.set(id, query);
    answer(query).then(
      (value) => asked.delete(id) && tell({ type: "reply", id, ok: true, value }),
      (error: unknown) => asked.delete(id) && tell({ type: "reply", id, ok: false, message: sentence(error) }),
    );
  };

  return {
    hear(message) {
      if (message.type === "run") evaluator.enqueue(message.request);
      else if (message.type === "answer") calls.answer(message.id, message);
      else if (message.type === "forget") {
        evaluator.forget(message.cells);
        tell({ type: "variables", variables: evaluator.variables() });
      } else if (message.type === "query") reply(message.id, message.query);
    },
    soft: (stop) => evaluator.soft(stop),
    landed() {
      imports.landed();
      tensors.landed();
      library.landed();
      evaluator.landed();
      // the way to an answer may have been dropped
      for (const [id, query] of asked) reply(id, query);
    },
    meant: (run) => evaluator.meant(run),
    report: (error) => evaluator.report(error),
    recent: () => evaluator.recent(),
    async close() {
      evaluator.close();
      await Promise.all([library.close(), files.close(), staging.close()]);
    },
  };
}
