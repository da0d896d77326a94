/** TensorFlow.js as the kernel holds it: loaded on first use, stopped with its run, unwound afterwards. */
import { types } from "node:util";
import type { FromKernel } from "../protocol/kernel.js";
import type { Tensor } from "@tensorflow/tfjs";
import type { Backend, Tf } from "../tensors/backend.js";
import type { Savepoint } from "../tensors/unwind.js";
import { isTensor, modelLine, tensorLine } from "./display.js";
import { holding, leakOf } from "./leak.js";
import type { Run } from "./run.js";
import { freeUnheld, type Unheld } from "./unheld.js";

export interface Tensors {
  load(): Promise<Backend>;
  loaded(): Backend | null;
  /** to be called when a run ends, with what its names hold: warnings of what was lost, or left behind */
  savepoint(): (stopped: boolean, values: () => Iterable<unknown>) => Promise<string[]>;
  /** asks the trainings in progress to end after their batch */
  halt(): void;
  /** frees tensors and models that no name holds any more */
  free(values: Iterable<unknown>, kept: () => Iterable<unknown>): void;
  /** tells the server what the back end holds */
  report(): void;
  /** a strike has landed: a load in progress may never end */
  landed(): void;
}

/** ms after a run until tensors that nothing holds are looked for, and from then until their number is told */
const quiet = 100;

interface Model {
  stopTraining: boolean;
  isTraining: boolean;
}
type Fit = (this: Model, ...args: unknown[]) => Promise<unknown>;

export function createTensors(
  backend: string | null,
  tell: (message: FromKernel) => void,
  current: () => Run | null,
  own: <T>(work: () => T) => T,
): Tensors {
  let loading: Promise<Backend> | null = null;
  let loaded: Backend | null = null;
  let abandon: (() => void) | null = null;
  let unwinding: typeof import("../tensors/unwind.js") | null = null;
  let ground: Savepoint | null = null;
  let unheld: Unheld | null = null;
  let looking: NodeJS.Timeout | null = null;
  const fits = new Map<Promise<unknown>, Model>();
  let active = 0;
  let release: (() => void)[] = [];
  /** living tensors that trainings in progress have made; they are let go when a training is cut off */
  const made = new Set<Tensor>();

  const followTensors = (tf: Tf) => {
    const engine = tf.engine() as unknown as Record<"trackTensor" | "disposeTensor", (tensor: Tensor, backend?: unknown) => void>;
    const { trackTensor, disposeTensor } = engine;
    engine.trackTensor = (tensor, backend) => {
      if (active > 0 && !("assign" in tensor)) made.add(tensor);
      trackTensor.call(engine, tensor, backend);
    };
    engine.disposeTensor = (tensor) => {
      made.delete(tensor);
      disposeTensor.call(engine, tensor);
    };
  };
  /** The library's own loops do not go through the cell's awaits: they are told to stop, and their callbacks not to wait. */
  const watchFits = (tf: Tf) => {
    const prototype = tf.LayersModel.prototype as unknown as Record<string, Fit>;
    for (const name of ["fit", "fitDataset"]) {
      const original = prototype[name]!;
      prototype[name] = function (...args) {
        const run = current();
        if (!run) return original.apply(this, args);
        const at = name === "fit" ? 2 : 1;
        const options = (args[at] ?? {}) as { callbacks?: unknown };
        // the library's own pause of 125 ms would make a stop hard; 15 ms costs nothing that can be measured
        args[at] = { yieldEvery: 15, ...options, ...(isConfig(options.callbacks) && { callbacks: unblocked(options.callbacks) }) };
        active++;
        const fit = original.apply(this, args);
        const tracked = fit.then(
          () => undefined,
          () => undefined,
        );
        fits.set(tracked, this);
        run.calls.add(tracked);
        void tracked.then(() => {
          run.calls.delete(tracked);
          if (!fits.delete(tracked)) return;
          active--;
          if (active === 0) made.clear();
        });
        return fit;
      };
    }
  };
  const unblocked = (callbacks: Record<string, unknown>) =>
    Object.fromEntries(
      Object.entries(callbacks).map(([name, callback]) => [
        name,
        typeof callback !== "function"
          ? callback
          : (...args: unknown[]) => {
              const result: unknown = callback(...args);
              if (typeof (result as PromiseLike<unknown> | undefined)?.then !== "function") return result;
              return Promise.race([result, new Promise<void>((resolve) => release.push(resolve))]);
            },
      ]),
    );

  const report = () => {
    if (!loaded) return;
    const { numTensors, numBytes } = loaded.tf.memory();
    const { name, device, skipped } = loaded;
    tell({ type: "backend", name, device, skipped, tensors: { count: numTensors, bytes: numBytes } });
  };

  return {
    load() {
      loading ??= (async () => {
        const [{ loadBackend, abandonLoading }, unwind, books] = await Promise.all([
          import("../tensors/backend.js"),
          import("../tensors/unwind.js"),
          import("../tensors/ledger.js"),
        ]);
        abandon = abandonLoading;
        const ready = await loadBackend(backend);
        // by another try, after a strike
        if (loaded) return loaded;
        loaded = ready;
        unwinding = unwind;
        ground = unwind.savepoint(loaded.tf);
        unheld = freeUnheld(loaded.tf, own, books);
        followTensors(loaded.tf);
        watchFits(loaded.tf);
        nameInside(loaded.tf);
        report();
        return loaded;
      })();
      loading.catch(() => (loading = null));
      return loading;
    },
    loaded: () => loaded,
    savepoint() {
      const taken = loaded ? unwinding!.savepoint(loaded.tf) : null;
      const before = loaded && holding(loaded.tf);
      return async (stopped, values) => {
        release = [];
        const to = taken ?? ground;
        if (!stopped && loaded) {
          const leak = leakOf(before ?? { tensors: 0, bytes: 0, variables: 0 }, holding(loaded.tf), values());
          return leak === null ? [] : [leak];
        }
        if (!loaded || !to) return [];
        for (const model of fits.values()) model.isTraining = false;
        fits.clear();
        const { lost } = await unwinding!.unwind(loaded.tf, to);
        for (const tensor of made) if (!tensor.isDisposed) tensor.dispose();
        made.clear();
        active = 0;
        unheld?.catchUp();
        return lost.length > 0 ? [`lost with the stop: ${lost.join(", ")}`] : [];
      };
    },
    halt() {
      for (const model of fits.values()) model.stopTraining = true;
      for (const resolve of release) resolve();
      release = [];
    },
    free(values, kept) {
      const { tf } = loaded ?? {};
      if (!tf) return;
      const owned = [...values]
        .flatMap(inside)
        .filter((value) => (typeof value === "object" && value !== null && isTensor(value)) || value instanceof tf.LayersModel);
      if (owned.length === 0) return;
      const still = new Set([...kept()].flatMap(inside));
      for (const value of owned as { dispose(): unknown; isDisposed?: boolean }[]) {
        try {
          if (!still.has(value) && value.isDisposed !== true) value.dispose();
        } catch {
          // a model that its cell has disposed of
        }
      }
    },
    report() {
      report();
      // behind the run, when nothing waits for it
      looking ??= setTimeout(() => {
        looking = null;
        if (current() === null && unheld?.look()) looking = setTimeout(() => ((looking = null), report()), quiet);
      }, quiet);
    },
    landed() {
      if (loaded) return;
      loading = null;
      abandon?.();
    },
  };
}

/** A list of tensors or models shows what each is, not the engine's own fields. */
function nameInside({ Tensor, LayersModel }: Tf): void {
  const show = (prototype: object, text: (value: never) => string) =>
    Object.defineProperty(prototype, Symbol.for("nodejs.util.inspect.custom"), {
      value(this: never) {
        return text(this);
      },
      configurable: true,
      writable: true,
    });
  show(Tensor.prototype, tensorLine);
  show(LayersModel.prototype, modelLine);
}

/** The value, and what a plain list or object of values holds. */
function inside(value: unknown): unknown[] {
  if (typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) return value.length > 10_000 ? [] : (value as unknown[]);
  if (types.isProxy(value) || Object.getPrototypeOf(value) !== Object.prototype) return [value];
  // getters are the cell's code: one that loops would hold the kernel where no stop reaches it
  return Object.values(Object.getOwnPropertyDescriptors(value)).map((property) => property.value as unknown);
}

function isConfig(callbacks: unknown): callbacks is Record<string, unknown> {
  return typeof callbacks === "object" && callbacks !== null && Object.getPrototypeOf(callbacks) === Object.prototype;
}
