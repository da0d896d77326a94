/** The names that a cell has without an import, and the module "touchstone". Each is made for the run that mentions it. */
import type { MessagePort } from "node:worker_threads";
import type { RunContext } from "../protocol/cells.js";
import type { KernelQuery } from "../protocol/document.js";
import type { KeptKind } from "../protocol/kept.js";
import type { FromKernel, KernelConfig } from "../protocol/kernel.js";
import type { Output, Progress } from "../protocol/output.js";
import type { Calls } from "./calls.js";
import type { CaptureScope } from "./capture.js";
import { createComms } from "./comms.js";
import { createConsole } from "./console.js";
import { createContext } from "./context.js";
import { input } from "./controls.js";
import { createData } from "./data.js";
import { html, md, preview, svg } from "./display.js";
import type { Evaluator } from "./evaluate.js";
import type { Namespace } from "./imports.js";
import { noTable } from "./no-table.js";
import { createProgress } from "./progress.js";
import type { Injected, Run } from "./run.js";
import type { Staging } from "./staging.js";
import type { Outputs } from "./streams.js";
import { view } from "./view.js";
import type { Tensors } from "./tensors.js";

export interface LibraryOptions {
  config: KernelConfig;
  outputs: Outputs;
  tell(message: FromKernel): void;
  tensors: Tensors;
  calls: Calls;
  staging: Staging;
  seed(cell: string, purpose: string): number;
  evaluator(): Evaluator;
  /** hands the control worker its way to DuckDB */
  port(port: MessagePort): void;
}

export interface LibraryNames {
  names: Injected;
  /** what `import ... from "touchstone"` gives */
  module(names: string[]): Promise<Namespace>;
  displayLater(value: unknown): Promise<Output & { kind: "display" }> | undefined;
  halt(): void;
  /** a strike has landed */
  landed(): void;
  dropped(names: string[]): void;
  /** a relation from a kept Parquet file, whose rows are in memory when it is given */
  kept(path: string, hash: string): Promise<unknown>;
  /** a value from its recipe, for the cell of this run */
  revive(kind: KeptKind, parts: Record<string, unknown>, run: Run): Promise<object>;
  answer(query: KernelQuery): Promise<unknown>;
  close(): Promise<void>;
}

/** Built-in calls by the name of their function; kernels/cells/runs.ts has what stands behind them. */
export const builtins = ["label", "baseline", "train", "distill", "abTest", "readTest", "drift", "decay", "diagnose", "review", "promote"] as const;

export function createLibrary(options: LibraryOptions): LibraryNames {
  const { config, outputs, tell, tensors, calls, staging, seed } = options;
  const acting = (run: Run) => options.evaluator().acting(run);
  const report = (run: Run, progress: Progress | null) => tell({ type: "progress", run: run.id, cell: run.cell.id, progress });
  const data = createData({
    ...{ config, calls, tensors, progress: report, port: options.port },
    current: () => options.evaluator().current(),
    named(asked) {
      const evaluator = options.evaluator();
      // SQL names have no case
      const same = evaluator.scope().filter((other) => other === asked || other.toLowerCase() === asked.toLowerCase());
      const name = same.includes(asked) ? asked : same[0];
      const found = name === undefined ? null : evaluator.find(name);
      if (name === undefined || found === null) return null;
      const cell = evaluator.owner(name) ?? "";
      return noTable(name, { ...found, cell, own: evaluator.current()?.cell.id === cell }, preview(found.value).type);
    },
  });
  const comms = createComms((message) => tell({ type: "comm", message }));
  const contexts = new WeakMap<Run, RunContext>();

  const context = (run: Run): RunContext => {
    let made = contexts.get(run);
    if (!made) {
      made = createContext(run, {
        config,
        calls,
        staging,
        seed,
        sources: (each) => options.evaluator().sources(each),
        backend: () => tensors.loaded()?.name ?? "none",
        sql: (text) => data.relation(text),
        draw: (...asked) => data.draw(...asked),
        capture: async (feature) => (await import("./capture.js")).capture(feature, captureScope()),
        progress: report,
      });
      contexts.set(run, made);
    }
    return made;
  };

  const captureScope = (): CaptureScope => {
    const evaluator = options.evaluator();
    const cell = (id: string | undefined) => {
      const source = id === undefined ? undefined : evaluator.sourceOf(id);
      return source === undefined ? null : { id: id!, source };
    };
    return {
      cell,
      cellOf: (name) => cell(evaluator.owner(name)),
      value: (id, name) => evaluator.value(id, name),
      notebookPath: config.notebook,
      workspace: config.workspace,
    };
  };
  const builtin = (name: string) => async (run: Run) => {
    const { runs } = (await import("../cells/runs.js")) as { runs: Record<string, (options: unknown, context: RunContext) => Promise<unknown>> };
    const call = runs[name];
    if (!call) return undefined;
    // so that the kernel knows of the back end: it unwinds it after a stop
    if (name === "train" || name === "distill") await tensors.load();
    return (given: unknown) => {
      const now = acting(run);
      const result = call(given, context(now));
      const tracked = result.then(
        () => undefined,
        () => undefined,
      );
      now.calls.add(tracked);
      void tracked.then(() => now.calls.delete(tracked));
      return result;
    };
  };
  const timer = (name: string) => (run: Run) => run.scope.timers[name];
  const names: Injected = {
    display: (run) => (value: unknown, how?: { id?: string; update?: boolean }) => void acting(run).display(value, how),
    view: (run) => (given: unknown) => view(acting(run), given, config.set),
    input: () => input,
    html: () => html,
    md: () => md,
    svg: () => svg,
    console: (run) => createConsole((name, text) => outputs.write(acting(run).sink, name, text)),
    cell: (run) =>
      Object.freeze({
        id: run.cell.id,
        get signal() {
          return run.scope.signal;
        },
        onDispose: (dispose: () => void) => run.scope.onDispose(dispose),
        get comm() {
          return comms.of(run);
        },
        clear: ({ wait = false }: { wait?: boolean } = {}) => acting(run).clear(wait),
      }),
    progress: (run) => {
      const reporter = createProgress((progress) => report(run, progress));
      return (label: string, done: number, total?: number) => reporter.step(label, done, total ?? null);
    },
    prompt:
      (run) =>
      (question = "", { password = false }: { password?: boolean } = {}) => {
        const now = acting(run);
        now.volatile = "it asks a person";
        return calls.call("prompt", { run: now.id, cell: now.cell.id, question: String(question), password: password === true });
      },
    fetch:
      (run) =>
      (input: string | URL | Request, init: RequestInit = {}) =>
        fetch(input, { ...init, signal: init.signal ? AbortSignal.any([init.signal, run.scope.ended]) : run.scope.ended }),
    setTimeout: timer("setTimeout"),
    setInterval: timer("setInterval"),
    setImmediate: timer("setImmediate"),
    clearTimeout: timer("clearTimeout"),
    clearInterval: timer("clearInterval"),
    clearImmediate: timer("clearImmediate"),
    secret: () => secret,
    log: async (run) => data.log((method, params) => context(acting(run)).call(method, params)),
    features: async (run) => {
      const { features } = await import("../models/features.js");
      return (spec: Parameters<typeof features>[0]) => features(spec, run.cell.id);
    },
    f: async () => (await import("../models/features.js")).f,
    ensemble: async () => (await import("../models/ensemble.js")).ensemble,
    tf: async () => (await tensors.load()).tf,
    ...data.names,
    ...Object.fromEntries(builtins.map((name) => [name, builtin(name)])),
  };

  return {
    names,
    async module(wanted) {
      const run = options.evaluator().recent()!;
      const space: Namespace = {};
      for (const name of wanted.length > 0 ? wanted : Object.keys(names)) {
        // loaded when it is asked for by name only
        if (name === "tf" && wanted.length === 0) continue;
        if (Object.hasOwn(names, name)) space[name] = await names[name]!(run);
      }
      return space;
    },
    displayLater: (value) => data.display(value),
    halt: () => data.interrupt(),
    landed: () => data.landed(),
    dropped: (gone) => data.forget(gone),
    kept: (path, hash) => data.kept(path, hash),
    revive: async (kind, parts, run) => {
      const { revive } = await import("./revive.js");
      return revive(kind, parts, { context: context(run), tf: async () => (await tensors.load()).tf });
    },
    answer: (query) => (query.query === "comm" ? comms.receive(query.message) : data.answer(query)),
    close: () => data.close(),
  };
}

function secret(name: string): string {
  const value = process.env[`TOUCHSTONE_SECRET_${name}`];
  if (value === undefined) throw new Error(`no secret "${name}": set TOUCHSTONE_SECRET_${name} in the environment of the server`);
  return value;
}
