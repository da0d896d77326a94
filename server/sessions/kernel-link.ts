/** The kernel of one open notebook: taken into use, let go, replaced. What it says becomes inputs of the reducer; what an old one says late is dropped. */
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { KernelQuery } from "../../kernels/protocol/document.js";
import type { BulkMessage, KernelConfig, ToControl, ToKernel } from "../../kernels/protocol/kernel.js";
import type { ServerCalls } from "../../kernels/protocol/serving.js";
import { Consoles, type Console, type ConsoleEvents } from "./consoles.js";
import { KernelGone, type Kernel, type QueryOptions } from "./kernel.js";
import { KernelLog } from "./kernel-log.js";
import { size } from "./size.js";
import { readLimit, writeLimit } from "./memory.js";
import type { NotebookPlace } from "./paths.js";
import type { SessionEffects } from "./session.js";
import type { Input } from "./state.js";

/** What the link needs of its session. */
export interface LinkedSession {
  dispatch(input: Input): void;
  /** outputs of cells */
  outputs(messages: Extract<BulkMessage, { type: "output" }>[]): void;
  /** a cell's `prompt()`; resolves with the answer */
  ask(params: ServerCalls["prompt"]["params"]): Promise<string>;
  /** the notebook's own */
  seed(): number;
}

export class KernelLink {
  readonly #place: NotebookPlace;
  readonly #effects: SessionEffects;
  readonly #session: LinkedSession;
  readonly #consoles = new Consoles();
  readonly #log: KernelLog;
  /** the notebook's own limit; null: that of all */
  #own: number | null;
  /** bytes that the kernel of this notebook may take */
  #limit: number;
  #kernel: Kernel | null = null;
  /** counts kernels, so that what an old one says late is not taken for the new one's */
  #generation = 0;
  #leaving: Promise<unknown> = Promise.resolve();
  #closed = false;
  /** when something was last asked of the kernel, or it had something to say */
  #usedAt: number;

  constructor(place: NotebookPlace, effects: SessionEffects, session: LinkedSession) {
    this.#place = place;
    this.#effects = effects;
    this.#session = session;
    this.#usedAt = effects.now();
    this.#log = new KernelLog({
      now: effects.now,
      redact: effects.redact,
      file: effects.keep ? join(place.store, "logs", `${place.key}.log`) : null,
    });
    this.#own = effects.keep ? readLimit(place) : null;
    this.#limit = this.#own ?? effects.memoryLimit;
  }

  get usedAt(): number {
    return this.#usedAt;
  }

  /** Somebody is here, or the kernel works. */
  used(): void {
    this.#usedAt = this.#effects.now();
  }

  get limit(): number {
    return this.#limit;
  }

  /** what the kernels' processes have said, newest last */
  get log(): string {
    return this.#log.text;
  }

  /** Another limit, also for the kernels to come: at once for the process's memory, with the next kernel for its heap and DuckDB. */
  setLimit(bytes: number): void {
    this.#own = this.#limit = bytes;
    this.control({ type: "limit", bytes });
    this.#log.note(`the memory limit is ${size(bytes)} from here on`);
    if (this.#effects.keep) writeLimit(this.#place, bytes);
  }

  send(message: ToKernel): void {
    this.used();
    this.#kernel?.send(message);
  }

  control(message: ToControl): void {
    this.#kernel?.control(message);
  }

  /** Asks the kernel beside a running cell. */
  async query(query: KernelQuery, how: QueryOptions = {}): Promise<unknown> {
    if (this.#kernel === null) throw new KernelGone("The kernel is not running; run the cell again to page its table.");
    this.used();
    return await this.#kernel.query(query, how);
  }

  /** A console on this kernel: runs whose ids are `PREFIX-N` are its own, no client sees them. */
  console(prefix: string, events: ConsoleEvents): Console {
    this.#consoles.add(prefix, events);
    return {
      run: (request) => {
        this.#session.dispatch({ type: "console", source: request.cell.source });
        this.send({ type: "run", request: { ...request, mayCommit: false, console: true } });
      },
      interrupt: (run) => this.control({ type: "interrupt", run }),
      comm: async (message) => {
        const known = (await this.query({ query: "comm", message })) === true;
        if (known) this.#consoles.note(message);
        return known;
      },
      comms: this.#consoles.comms,
      close: () => this.#consoles.remove(prefix),
    };
  }

  /** Lets the present one go. */
  leave(): void {
    this.#generation++;
    const kernel = this.#kernel;
    this.#kernel = null;
    this.#consoles.comms.clear();
    if (kernel === null) return;
    this.#log.note(`kernel ${kernel.pid ?? ""} was told to end`);
    this.#leaving = kernel.stop();
  }

  /** For good; resolves when the last one is gone. */
  async close(): Promise<void> {
    this.#closed = true;
    this.leave();
    this.#log.flush();
    await this.#leaving;
  }

  /** Takes a kernel into use, once the last one is gone. */
  async start(): Promise<void> {
    const { now, log } = this.#effects;
    const generation = ++this.#generation;
    const current = () => generation === this.#generation;
    await this.#leaving;
    this.#limit = this.#own ?? this.#effects.memoryLimit;
    let kernel: Kernel;
    try {
      kernel = await this.#effects.takeKernel(this.#limit);
    } catch (error) {
      const cause = `The kernel could not be started: ${(error as Error).message}`;
      this.#log.note(cause);
      if (current()) this.#session.dispatch({ type: "exit", expected: false, cause, code: null, signal: null, at: now() });
      return;
    }
    if (!current() || this.#closed) return await kernel.stop();
    this.#kernel = kernel;
    // no two kernels share a spill folder, and none outlives its kernel
    const spill = join(this.#place.store, "spill", `${process.pid}-${randomBytes(4).toString("hex")}`);
    void kernel.ended.then(() => rmSync(spill, { recursive: true, force: true })).catch(() => {});
    kernel.attach(this.#config(spill), {
      ready: (pid) => {
        if (!current()) return;
        this.#log.note(`kernel ${pid} is ready; its memory limit is ${size(this.#limit)}`);
        this.#session.dispatch({ type: "ready", pid, at: now() });
      },
      said: (text) => this.#log.said(text),
      message: (message) => {
        if (!current()) return;
        this.used();
        const console = this.#consoles.of(message);
        if (message.type === "comm") this.#consoles.tell(message.message);
        else if (message.type === "call") void this.#call(kernel, message);
        else if (console !== undefined) console.message(message);
        else this.#session.dispatch({ type: "kernel", message, at: now() });
      },
      outputs: (all) => {
        if (!current()) return;
        this.used();
        const messages = this.#consoles.take(all);
        if (messages.length > 0) this.#session.outputs(messages);
      },
      control: (message) => {
        if (!current()) return;
        if (message.type === "memory") this.#session.dispatch({ type: "memory", rss: message.rss, limit: this.#limit });
        else if (message.type === "near-limit") {
          const { rss, limit, of } = message;
          this.#log.note(`${of === "heap" ? "the heap" : "the process"} came to ${size(rss)} of ${size(limit)}: the running cell is stopped`);
          this.#session.dispatch({ type: "near-limit", rss, limit, of });
        } else if (message.type === "interrupted") {
          const console = this.#consoles.of(message);
          if (console !== undefined) console.message(message);
          else if (message.how === "stuck") this.#session.dispatch({ type: "stuck", at: now() });
        }
      },
      exit: (exit) => {
        if (!current()) return;
        this.#kernel = null;
        this.#consoles.comms.clear();
        this.#generation++;
        log.warn({ notebook: this.#place.path, ...exit }, "kernel ended");
        this.#log.note(`the kernel ended: ${exit.cause}`);
        this.#session.dispatch({ type: "exit", ...exit, at: now() });
      },
    });
  }

  #config(spill: string): Omit<KernelConfig, "sockets"> {
    const { root, backend, seed, keep, set, cacheBytes } = this.#effects;
    const memoryLimit = this.#limit;
    return {
      notebook: this.#place.file,
      workspace: this.#place.workspace,
      root,
      seed: seed ?? this.#session.seed(),
      backend,
      cache: keep,
      ...(cacheBytes !== undefined && { cacheBytes }),
      ...(set !== undefined && { set }),
      memoryLimit,
      duckdb: { memoryLimit: `${Math.floor(memoryLimit / 2 / 2 ** 20)}MB`, threads: 2, spill },
    };
  }

  async #call(kernel: Kernel, message: { id: number; method: keyof ServerCalls; params: unknown }): Promise<void> {
    try {
      // a commit is a person's click or `run --promote`, never a cell's doing
      if (message.method === "registry.commit") throw new Error("a cell cannot commit a promotion; press the button, or run with --promote");
      const value =
        message.method === "prompt"
          ? await this.#prompt(message.params as ServerCalls["prompt"]["params"])
          : await this.#effects.handle(message.method, message.params as never);
      kernel.send({ type: "answer", id: message.id, ok: true, value });
    } catch (error) {
      kernel.send({ type: "answer", id: message.id, ok: false, message: (error as Error).message });
    }
  }

  /** A console's client is asked, or whoever has the page open; of a headless run nobody is there. */
  async #prompt(params: ServerCalls["prompt"]["params"]): Promise<string> {
    const console = this.#consoles.of(params);
    if (console !== undefined) return await console.prompt(params);
    return await (this.#effects.keep ? this.#session.ask(params) : this.#effects.handle("prompt", params));
  }
}
