/** Consoles beside a notebook's cells: runs on its kernel that no client sees. Which message belongs to which is told by the run's id. */
import type { BulkMessage, FromControl, FromKernel, RunRequest } from "../../kernels/protocol/kernel.js";
import type { ServerCalls } from "../../kernels/protocol/serving.js";

/** What a console hears of its own runs. */
export interface ConsoleEvents {
  message(message: Exclude<FromKernel, { type: "ready" | "reply" }> | FromControl): void;
  outputs(messages: Extract<BulkMessage, { type: "output" }>[]): void;
  prompt(params: ServerCalls["prompt"]["params"]): Promise<string>;
}
export interface Console {
  run(request: Omit<RunRequest, "mayCommit" | "console">): void;
  interrupt(run: string): void;
  close(): void;
}

/** By the prefix of their runs' ids, which are `PREFIX-N`. */
export class Consoles {
  readonly #all = new Map<string, ConsoleEvents>();

  add(prefix: string, events: ConsoleEvents): void {
    this.#all.set(prefix, events);
  }

  remove(prefix: string): void {
    this.#all.delete(prefix);
  }

  /** whose run a message is about */
  of(message: object): ConsoleEvents | undefined {
    const run = (message as { run?: unknown }).run;
    if (this.#all.size === 0 || typeof run !== "string") return undefined;
    return this.#all.get(run.slice(0, run.lastIndexOf("-")));
  }

  /** Hands each console its outputs; returns those of cells. */
  take(messages: Extract<BulkMessage, { type: "output" }>[]): Extract<BulkMessage, { type: "output" }>[] {
    const cells = messages.filter((message) => this.of(message) === undefined);
    if (cells.length < messages.length)
      for (const [prefix, console] of this.#all) console.outputs(messages.filter(({ run }) => run.startsWith(`${prefix}-`)));
    return cells;
  }
}
