/** Consoles beside a notebook's cells: runs on its kernel that no client sees. Which message belongs to which is told by the run's id. */
import type { BulkMessage, CommMessage, FromControl, FromKernel, RunRequest } from "../../kernels/protocol/kernel.js";
import type { ServerCalls } from "../../kernels/protocol/serving.js";

/** What a console hears of its own runs. */
export interface ConsoleEvents {
  message(message: Exclude<FromKernel, { type: "ready" | "reply" | "comm" }> | FromControl): void;
  outputs(messages: Extract<BulkMessage, { type: "output" }>[]): void;
  /** of any cell or console of the kernel */
  comm(message: CommMessage): void;
  prompt(params: ServerCalls["prompt"]["params"]): Promise<string>;
}
export interface Console {
  /** a client's comm message; false: nobody has such a target or comm */
  comm(message: CommMessage): Promise<boolean>;
  /** open comms: id -> target */
  readonly comms: ReadonlyMap<string, string>;
  run(request: Omit<RunRequest, "mayCommit" | "console">): void;
  interrupt(run: string): void;
  close(): void;
}

/** By the prefix of their runs' ids, which are `PREFIX-N`. */
export class Consoles {
  readonly #all = new Map<string, ConsoleEvents>();

  /** open comms of the present kernel: id -> target */
  readonly comms = new Map<string, string>();

  /** Every console is told: its clients know which comms are theirs. */
  tell(message: CommMessage): void {
    this.note(message);
    for (const console of this.#all.values()) console.comm(message);
  }

  note(message: CommMessage): void {
    if (message.do === "open") this.comms.set(message.id, message.target);
    else if (message.do === "close") this.comms.delete(message.id);
  }

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
