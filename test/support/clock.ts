/** A clock that the test moves: timers in order of their time, the same each time, and no real waiting between them. */
import { AsyncResource } from "node:async_hooks";

interface Timer {
  at: number;
  order: number;
  run: () => void;
  every: number | null;
}

const names = ["setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "clearImmediate"] as const;

export class Clock {
  #now = 0;
  #order = 0;
  readonly #timers = new Map<object, Timer>();
  readonly #real = Object.fromEntries(names.map((name) => [name, globalThis[name]]));
  readonly #immediate = globalThis.setImmediate;
  readonly #date = Date.now;

  /** `wanted`: is what set this timer still there? Asked in its own async context when it is due. */
  install(wanted: () => boolean): void {
    const set =
      (repeats: boolean) =>
      (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
        const handle = { unref: () => handle, ref: () => handle, hasRef: () => true, refresh: () => handle };
        const bound = AsyncResource.bind(() => wanted() && run(...args));
        const wait = Math.max(0, ms);
        this.#timers.set(handle, { at: this.#now + wait, order: this.#order++, run: bound, every: repeats ? Math.max(1, wait) : null });
        return handle;
      };
    const clear = (handle: object | undefined) => void (handle !== undefined && this.#timers.delete(handle));
    const soon = set(false);
    Object.assign(globalThis, {
      setTimeout: soon,
      setInterval: set(true),
      setImmediate: (run: (...args: unknown[]) => void, ...args: unknown[]) => soon(run, 0, ...args),
      clearTimeout: clear,
      clearInterval: clear,
      clearImmediate: clear,
    });
    Date.now = () => this.#now;
  }

  uninstall(): void {
    Object.assign(globalThis, this.#real);
    Date.now = this.#date;
  }

  /** Lets `ms` pass, and what was promised meanwhile be done; ends early when `stop` says so. */
  async pass(ms: number, stop: () => boolean = () => false): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await new Promise<void>((resolve) => this.#immediate(resolve));
      if (stop()) return;
      let next: [object, Timer] | null = null;
      for (const one of this.#timers)
        if (one[1].at <= end && (next === null || one[1].at < next[1].at || (one[1].at === next[1].at && one[1].order < next[1].order))) next = one;
      if (next === null) break;
      const [handle, timer] = next;
      this.#now = Math.max(this.#now, timer.at);
      if (timer.every === null) this.#timers.delete(handle);
      else Object.assign(timer, { at: this.#now + timer.every, order: this.#order++ });
      timer.run();
    }
    this.#now = end;
  }
}
