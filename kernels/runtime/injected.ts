/** The names that a cell has without an import. Each is made for the run that mentions it. */
import { html, md, svg } from "./display.js";
import { createConsole } from "./console.js";
import type { Injected, Run } from "./evaluate.js";
import type { Outputs } from "./streams.js";
import { createProgress } from "./progress.js";
import type { FromKernel } from "../protocol/kernel.js";

/** Those that need no engine. */
export function basicNames(outputs: Outputs, tell: (message: FromKernel) => void): Injected {
  const timer = (name: string) => (run: Run) => run.scope.timers[name];
  return {
    display: (run) => (value: unknown, options?: { id?: string }) => void run.display(value, options),
    html: () => html,
    md: () => md,
    svg: () => svg,
    console: (run) => createConsole((name, text) => outputs.write(run.sink, name, text)),
    cell: (run) => Object.freeze({ id: run.cell.id, signal: run.scope.signal, onDispose: (dispose: () => void) => run.scope.onDispose(dispose) }),
    progress: (run) => {
      const report = createProgress((progress) => tell({ type: "progress", run: run.id, cell: run.cell.id, progress }));
      return (label: string, done: number, total?: number) => report.step(label, done, total ?? null);
    },
    fetch:
      (run) =>
      (input: string | URL | Request, init: RequestInit = {}) =>
        fetch(input, { ...init, signal: init.signal ? AbortSignal.any([init.signal, run.scope.signal]) : run.scope.signal }),
    setTimeout: timer("setTimeout"),
    setInterval: timer("setInterval"),
    setImmediate: timer("setImmediate"),
    clearTimeout: timer("clearTimeout"),
    clearInterval: timer("clearInterval"),
    clearImmediate: timer("clearImmediate"),
    secret: () => (name: string) => {
      const value = process.env[`TOUCHSTONE_SECRET_${name}`];
      if (value === undefined) throw new Error(`no secret "${name}": set it in the environment of the server as TOUCHSTONE_SECRET_${name}`);
      return value;
    },
  };
}
