/** Work for the pages to come, which nobody waits for: one piece at a time, begun when pages have been quiet, and giving way to a page that computes. */
import type { DuckDBConnection } from "@duckdb/node-api";

/** One piece of work; what it makes is found by others (`kept.ts`). */
export interface Aside {
  readonly key: string;
  readonly work: (connection: DuckDBConnection, me: Aside) => Promise<unknown>;
  /** a page waits for what it makes: it is not stopped any more */
  wanted: boolean;
  stopped: boolean;
}

/** a page that computes is rarely the only one: the next click may be on its way */
const quiet = 150;
/** pieces that wait; the oldest goes first */
const most = 4;

export class Asides {
  readonly #run: (work: (connection: DuckDBConnection) => Promise<unknown>) => Promise<unknown>;
  #waiting: Aside[] = [];
  #running: { aside: Aside; connection: DuckDBConnection } | null = null;
  /** pages that compute */
  #busy = 0;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  /** `run` lends a connection. */
  constructor(run: (work: (connection: DuckDBConnection) => Promise<unknown>) => Promise<unknown>) {
    this.#run = run;
  }

  /** To be done when pages are quiet, once for all that have this key. */
  later(key: string, work: Aside["work"]): void {
    this.#waiting = this.#waiting.filter((other) => other.key !== key);
    this.#waiting.push({ key, work, wanted: false, stopped: false });
    if (this.#waiting.length > most) this.#waiting.shift();
    this.#arm();
  }

  /** A page computes until the function that is given is called. */
  giveWay(): () => void {
    this.#busy++;
    this.#stop();
    return () => {
      this.#busy--;
      this.#arm();
    };
  }

  /** Begins nothing more and stops what is at work. */
  close(): void {
    this.#closed = true;
    this.#waiting = [];
    if (this.#timer) clearTimeout(this.#timer);
    if (this.#running) this.#running.aside.wanted = false;
    this.#stop();
  }

  #stop(): void {
    const running = this.#running;
    if (!running || running.aside.wanted || running.aside.stopped) return;
    running.aside.stopped = true;
    running.connection.interrupt();
    // said again until heard: between two statements there is nothing to interrupt
    const again = setInterval(() => {
      if (this.#running === running) running.connection.interrupt();
      else clearInterval(again);
    }, 10);
  }

  #arm(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#closed || this.#busy > 0 || this.#running || this.#waiting.length === 0) return;
    this.#timer = setTimeout(() => void this.#next(), quiet);
  }

  async #next(): Promise<void> {
    this.#timer = null;
    const aside = this.#waiting.pop();
    if (!aside) return;
    try {
      await this.#run(async (connection) => {
        this.#running = { aside, connection };
        // a page came while the connection was lent
        if (this.#busy > 0) aside.stopped = true;
        else await aside.work(connection, aside);
      });
    } catch {
      // whoever needs it makes it, and hears why it cannot be made
    }
    this.#running = null;
    // begun again, before what came meanwhile, unless that is newer work of the same key
    const again = aside.stopped && !this.#closed && !this.#waiting.some((other) => other.key === aside.key);
    if (again) this.#waiting.unshift({ ...aside, wanted: false, stopped: false });
    this.#arm();
  }
}
