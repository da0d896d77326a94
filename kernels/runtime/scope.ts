/** What belongs to one run of a cell and goes with it: its signal, its timers, what it wants disposed. */
export interface Scope {
  signal: AbortSignal;
  /** aborts the signal; the code may go on ("stop and keep best") */
  abort(): void;
  /** aborts, clears the timers; no callback of this scope runs again */
  stop(): void;
  /** stop, then every `onDispose`, last first; errors are given to `report` */
  dispose(): void;
  onDispose(dispose: () => void): void;
  /** the cell's own setTimeout, setInterval ... */
  timers: Record<string, unknown>;
  readonly stopped: boolean;
  /** timers, intervals and disposers held */
  readonly held: number;
}

/** `guard` runs a callback of the cell as user code. */
export function createScope(guard: (callback: () => void) => void, report: (error: unknown) => void): Scope {
  const controller = new AbortController();
  const handles = new Set<{ clear(): void; ref: unknown }>();
  const disposers: (() => void)[] = [];
  let stopped = false;

  type Callback = (...args: unknown[]) => void;
  const start =
    (kind: "timeout" | "interval" | "immediate") =>
    (callback: Callback, ...rest: unknown[]) => {
      if (typeof callback !== "function") throw new TypeError(`Expected \`callback\` to be a function, got \`${String(callback)}\``);
      if (stopped) return undefined;
      const args = kind === "immediate" ? rest : rest.slice(1);
      const delay = kind === "immediate" ? 0 : Number(rest[0] ?? 0);
      const fire = () => {
        if (kind !== "interval") handles.delete(handle);
        if (!stopped) guard(() => callback(...args));
      };
      const ref = kind === "timeout" ? setTimeout(fire, delay) : kind === "interval" ? setInterval(fire, delay) : setImmediate(fire);
      const handle = {
        ref,
        clear: () => (kind === "immediate" ? clearImmediate(ref as NodeJS.Immediate) : clearTimeout(ref as NodeJS.Timeout)),
      };
      handles.add(handle);
      return ref;
    };
  const clear = (ref: unknown) => {
    for (const handle of handles) {
      if (handle.ref === ref || (typeof ref === "number" && Number(handle.ref) === ref)) {
        handle.clear();
        handles.delete(handle);
        return;
      }
    }
  };
  const stop = () => {
    if (stopped) return;
    stopped = true;
    for (const handle of handles) handle.clear();
    handles.clear();
    controller.abort(new DOMException("the cell was stopped", "AbortError"));
  };

  return {
    signal: controller.signal,
    abort: () => controller.abort(new DOMException("the cell was asked to stop", "AbortError")),
    stop,
    dispose() {
      stop();
      for (const dispose of disposers.splice(0).reverse()) {
        try {
          dispose();
        } catch (error) {
          report(error);
        }
      }
    },
    onDispose: (dispose) => {
      if (typeof dispose !== "function") throw new TypeError(`Expected \`dispose\` to be a function, got \`${String(dispose)}\``);
      disposers.push(dispose);
    },
    timers: {
      setTimeout: start("timeout"),
      setInterval: start("interval"),
      setImmediate: start("immediate"),
      clearTimeout: clear,
      clearInterval: clear,
      clearImmediate: clear,
    },
    get stopped() {
      return stopped;
    },
    get held() {
      return handles.size + disposers.length;
    },
  };
}
