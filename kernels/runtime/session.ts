/** A configured kernel: evaluator, imports and engines of one notebook wired together. */
import type { FromKernel, KernelConfig, ToKernel } from "../protocol/kernel.js";
import { createEvaluator, type Injected, type Run } from "./evaluate.js";
import { createImports, type Imports, type Namespace } from "./imports.js";
import { basicNames } from "./injected.js";
import { seedOf } from "./random.js";
import type { MainToControl } from "./shared.js";
import { createTensors } from "./tensors.js";
import { ownFile } from "./own.js";
import type { Outputs } from "./streams.js";

export interface SessionOptions {
  config: KernelConfig;
  shared: Int32Array;
  outputs: Outputs;
  tell(message: FromKernel): void;
  control(message: MainToControl): void;
}

export interface Session {
  hear(message: ToKernel): void;
  soft(run: string, keep: boolean): void;
  report(error: unknown): void;
  recent(): Run | null;
  close(): Promise<void>;
}

export function createSession(options: SessionOptions): Session {
  const { config, shared, outputs, tell, control } = options;
  process.chdir(config.workspace);
  const tensors = createTensors(config.backend, tell, () => evaluator.current());
  const injected: Injected = { ...basicNames(outputs, tell), tf: async () => (await tensors.load()).tf };
  const imports: Imports = createImports({
    notebook: config.notebook,
    parameters: (free) => {
      const parameters: Namespace = evaluator.wrappers();
      for (const name of free) {
        if (/^(set|clear)(Timeout|Interval|Immediate)$/.test(name)) {
          parameters[name] = (...args: unknown[]) => (evaluator.recent()!.scope.timers[name] as (...args: unknown[]) => unknown)(...args);
        }
      }
      return parameters;
    },
    supplied: (spec) =>
      /^@tensorflow\/tfjs($|-)/.test(spec) && !/-(node|node-gpu)$/.test(spec) ? tensors.load().then(({ tf }) => tf as unknown as Namespace) : null,
    read: (path) => evaluator.current()?.reads.add(path),
  });
  const evaluator = createEvaluator({
    shared,
    outputs,
    tell,
    control,
    seed: (cell, purpose) => seedOf(config.seed, cell, purpose),
    injected,
    imports,
    notebook: config.notebook,
    filePlace: (file, line, column) => (ownFile(file) ? null : { file: file.replace(/^file:\/\//, ""), line, column }),
    displayLater: () => undefined,
    savepoint: () => tensors.savepoint(),
    halt: () => tensors.halt(),
    after: () => tensors.report(),
  });

  return {
    hear(message) {
      if (message.type === "run") evaluator.enqueue(message.request);
      else if (message.type === "forget") {
        evaluator.forget(message.cells);
        tell({ type: "variables", variables: evaluator.variables() });
      }
    },
    soft: (run, keep) => evaluator.soft(run, keep),
    report: (error) => evaluator.report(error),
    recent: () => evaluator.recent(),
    close: async () => {},
  };
}
