/** What belongs to one run of a cell and goes with it: its signal, its timers, what it wants disposed. */
import { immediate } from "./immediates.js";

export interface Scope {
  /** the cell's */
  signal: AbortSignal;
  /** aborted just before `signal`: the library's own, whose listeners are none of the cell's */
  ended: AbortSignal;
  /** asks to end: aborts `ended`; the code may go on ("stop and keep best") */
  end(): void;
  /** ends, clears the timers; no callback of this scope runs again */
  stop(): void;
  /** the cell's code that remains to be run, one by one, by whoever can stop it: listeners of `signal` after `end` or `stop` */
  listeners(): (() => void)[];
  /** as `listeners`, after a stop, then every `onDispose`, last first */
  disposers(): (() => void)[];
  onDispose(dispose: () => void): void;
  /** runs a callback of the cell, unless it was stopped */
  call(callback: () => void): void;
  /** the cell's own setTimeout, setInterval ... */
  timers: Record<string, unknown>;
  readonly stopped: boolean;
  /** timers, intervals and disposers held */
  readonly held: number;
}

/** `guard` runs a callback of the cell as user code; `own` runs what must not be cut in the middle. */
export function createScope(guard: (callback: () => void) => void, own: <T>(work: () => T) => T = (work) => work()): Scope {
  /** of `signal`, from when the cell first reads it */
  let controller: AbortController | null = null;
  /** of `ended`: most cells never ask, and a controller costs as much as a small cell */
  let ending: AbortController | null = null;
  /** why it has ended */
  let why: string | null = null;
  let told = false;
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
      let handle: { clear(): void; ref: unknown };
      return own(() => {
        if (kind === "immediate") handle = { ref: {}, clear: immediate(fire) };
        else {
          const timer = kind === "timeout" ? setTimeout(fire, delay) : setInterval(fire, delay);
          handle = { ref: timer, clear: () => clearTimeout(timer) };
        }
        handles.add(handle);
        return handle.ref;
      });
    };
  const clear = (ref: unknown) =>
    own(() => {
      for (const handle of handles) {
        if (handle.ref === ref || (typeof ref === "number" && Number(handle.ref) === ref)) {
          handle.clear();
          handles.delete(handle);
          return;
        }
      }
    });
  const reason = (text: string) => new DOMException(text, "AbortError");
  const end = (text: string) => {
    if (why !== null) return;
    why = text;
    ending?.abort(reason(text));
  };
  const ended = () => {
    if (ending === null) {
      ending = new AbortController();
      if (why !== null) ending.abort(reason(why));
    }
    return ending.signal;
  };
  const stop = () => {
    if (stopped) return;
    stopped = true;
    for (const handle of handles) handle.clear();
    handles.clear();
    end("the cell was stopped");
  };
  const listeners = () => {
    if (told || controller === null) return [];
    told = true;
    const { abort } = controller;
    return [abort.bind(controller, ended().reason)];
  };

  return {
    get signal() {
      if (controller === null) {
        controller = new AbortController();
        if (why !== null) controller.abort(ended().reason);
      }
      return controller.signal;
    },
    get ended() {
      return ended();
    },
    end: () => end("the cell was asked to stop"),
    stop,
    listeners,
    disposers() {
      stop();
      return [...listeners(), ...disposers.splice(0).reverse()];
    },
    onDispose: (dispose) => {
      if (typeof dispose !== "function") throw new TypeError(`Expected \`dispose\` to be a function, got \`${String(dispose)}\``);
      disposers.push(dispose);
    },
    call: (callback) => {
      if (!stopped) guard(callback);
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
