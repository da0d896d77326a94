/** `import { baseline } from "touchstone"` in a script: the names of cells, with a context of the script's own (dist/library.js). */
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { RunContext } from "../protocol/cells.js";
import type {
  AbTestOptions,
  AbTestResult,
  BaselineOptions,
  BaselineResult,
  DistillOptions,
  DistillResult,
  DriftOptions,
  DriftResult,
  Library,
  PromoteOptions,
  PromoteResult,
  TrainOptions,
  TrainResult,
} from "../protocol/library.js";
import { CsvRelation } from "../data/csv.js";
import { database as openDatabase } from "../data/database.js";
import { createEngine, type Engine } from "../data/engine.js";
import { logFunction } from "../data/log.js";
import { draw } from "../data/draw.js";
import { sqlTag, sqlText } from "../data/sql.js";
import { relationOfValues } from "../data/values.js";
import { createContext } from "./context.js";
import { control } from "./controls.js";
import { toBundle } from "./display.js";
import { untouched, type Run } from "./run.js";
import { seedOf } from "./random.js";
import { createScope } from "./scope.js";
import { createStaging, type Staging } from "./staging.js";

export { html, md, svg } from "./display.js";
export { ensemble } from "../models/ensemble.js";
export { features, f } from "../models/features.js";

interface Script {
  workspace: string;
  engine: Engine;
  staging: Staging;
  context: RunContext;
}

let made: Script | null = null;

/** The workspace is the nearest folder upward that has a package.json. */
function script(): Script {
  if (made) return made;
  const path = resolve(process.argv[1] ?? "script");
  let workspace = dirname(path);
  while (!existsSync(join(workspace, "package.json")) && dirname(workspace) !== workspace) workspace = dirname(workspace);
  if (!existsSync(join(workspace, "package.json"))) workspace = process.cwd();
  const root = process.env["TOUCHSTONE_HOME"] ?? workspace;
  const state = join(workspace, ".touchstone");
  const engine = createEngine({
    memoryLimit: "2GB",
    threads: 2,
    spill: join(state, "spill", String(process.pid)),
    workspace,
    root,
    tensor: async (values, rows, width) => (await import("../tensors/backend.js")).loadBackend().then(({ tf }) => tf.tensor2d(values, [rows, width])),
  });
  const staging = createStaging(workspace);
  const context = createContext(runOf(path), {
    config: { notebook: path, workspace, root },
    calls: {
      call: (method) =>
        Promise.reject(new Error(`${method} is the server's to answer: run this as a notebook (touchstone run), a script has no server beside it`)),
      answer() {},
    },
    staging,
    seed: (cell, purpose) => seedOf(0, cell, purpose),
    sources: () => [path],
    backend: () => process.env["TOUCHSTONE_BACKEND"] ?? "auto",
    sql: async (text) => sqlText(engine, text),
    draw,
    capture: () => Promise.reject(new Error('features({...}) is closed over from the cell of a notebook; in a script use features: "identity"')),
    progress() {},
  });
  made = { workspace, engine, staging, context };
  return made;
}

/** A script as one run that never ends. */
function runOf(path: string): Run {
  const cell = { id: "script", kind: "code" as const, source: "", options: {} };
  return {
    id: "script",
    number: 0,
    cell,
    request: { cell, run: "script", uses: [], defines: [], mayCommit: false },
    sink: { run: "script", cell: path, count: 0 },
    scope: createScope((callback) => callback()),
    ...untouched(),
    uses: new Set(),
    clear() {},
    control() {},
    emit(output) {
      if (output.kind === "display") process.stdout.write(`${String(output.data["text/plain"] ?? "")}\n`);
    },
    display: () => undefined,
  };
}

async function call<T>(name: string, options: unknown): Promise<T> {
  const { runs } = (await import("../cells/runs.js")) as unknown as { runs: Record<string, (options: unknown, context: RunContext) => Promise<T>> };
  const run = runs[name];
  if (!run) throw new Error(`${name} is not part of this build of Touchstone`);
  return run(options, script().context);
}

export const sql: Library["sql"] = (text, ...values) => sqlTag(script().engine)(text, ...values);
const told = (sentence: string): void => void process.stderr.write(`${sentence}\n`);
export const relation: Library["relation"] = (values, options) => relationOfValues(script().engine, values as never, options, told);
export const csv: Library["csv"] = (path, options = {}) => new CsvRelation(script().engine, path, options, told) as never;
export const database: Library["database"] = (path) => openDatabase(script().engine, path);
export const file: Library["file"] = (path) => script().engine.files.resolve(path);
export const log: Library["log"] = (endpoint, options) => logFunction(script().engine, script().context.call)(endpoint, options);
export const display: Library["display"] = (value) => void process.stdout.write(`${String(toBundle(value)["text/plain"] ?? "")}\n`);

export { input } from "./controls.js";
/** A script has no page: the input's default. */
export const view: Library["view"] = (given) => control(given, {}, [], () => undefined).value as never;

export const baseline = <R extends object>(options: BaselineOptions<R>): Promise<BaselineResult<R>> => call("baseline", options);
export const train = <R extends object>(options: TrainOptions<R>): Promise<TrainResult<R>> => call("train", options);
export const distill = <R extends object>(options: DistillOptions<R>): Promise<DistillResult<R>> => call("distill", options);
export const abTest = (options: AbTestOptions): Promise<AbTestResult> => call("abTest", options);
export const drift = <R extends object>(options: DriftOptions<R>): Promise<DriftResult> => call("drift", options);
export const promote = <R extends object>(options: PromoteOptions<R>): Promise<PromoteResult> => call("promote", options);
