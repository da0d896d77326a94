/** A session without processes: the reducer, a kernel that does what it is told, clients that replay, a journal in memory. */
import { expect } from "vitest";
import { parseNotebook } from "../../kernels/notebook/parse.js";
import { accepts } from "../../kernels/protocol/controls.js";
import { replay } from "../../kernels/notebook/replay.js";
import type { Command, NotebookState } from "../../kernels/protocol/document.js";
import type { FromKernel, RunRequest } from "../../kernels/protocol/kernel.js";
import { restore } from "../../server/sessions/journal.js";
import { walkOf } from "../../server/sessions/plan.js";
import { apply } from "../../server/sessions/reducer.js";
import { openState } from "../../server/sessions/opening.js";
import type { Action, Input, JournalRecord, Refusal, SessionState } from "../../server/sessions/state.js";

export class Machine {
  state: SessionState;
  /** what a client that saw every event has */
  client: NotebookState;
  journal: JournalRecord[];
  /** runs sent to the kernel and not yet answered */
  pending: RunRequest[] = [];
  /** the kernel has been asked for and is not ready */
  starting = false;
  actions: Action[] = [];
  ran: string[] = [];
  /** what runs have used of their controls, `// view x` or `// view x 5 of 10` in the cell: "a.x 5" */
  used: string[] = [];
  now = 1000;
  restarts = 0;
  /** what the kernel says of a cell's runs beside their result */
  says: Record<string, Pick<Extract<FromKernel, { type: "done" }>, "hands" | "files">> = {};

  constructor(text: string) {
    const { source, broken } = parseNotebook(text);
    this.state = this.#open({ rev: 1, mode: source.front.mode ?? "auto", source, saved: source, results: {}, runs: 0 }, broken);
    this.client = this.state.doc;
    this.journal = [{ type: "base", ...this.#base() }];
  }

  #open(base: ReturnType<Machine["_base"]>, broken: string | null): SessionState {
    return openState({ epoch: `epoch${this.restarts}`, path: "w/a.nb.ts", broken, outputs: {}, reopened: null, memoryLimit: 1, ...base });
  }
  _base() {
    return this.#base();
  }
  #base() {
    const { doc } = this.state;
    return {
      rev: doc.rev,
      mode: doc.mode,
      source: doc.source,
      saved: doc.source,
      results: {} as NonNullable<ReturnType<typeof restore>>["results"],
      runs: 0,
    };
  }

  give(input: Input): Refusal | null {
    const before = this.state;
    const frozen = JSON.stringify(before.doc);
    // as a session does it: the kernel hears of a run before the rest of the step is worked out
    const early: Action[] = [];
    const outcome = apply(before, input, (action) => early.push(action));
    expect(JSON.stringify(before.doc) === frozen, "the state that went in is unchanged").toBe(true);
    if ("refused" in outcome) return outcome.refused;
    this.state = outcome.state;
    for (const event of outcome.events) this.client = replay(this.client, event);
    for (const action of [...early, ...outcome.actions]) this.#perform(action);
    return null;
  }

  #perform(action: Action): void {
    this.actions.push(action);
    if (action.do === "run") {
      this.pending.push(action.request);
      this.ran.push(action.request.cell.id);
    } else if (action.do === "start" || action.do === "restart") {
      this.pending = [];
      this.starting = true;
    } else if (action.do === "shutdown") {
      this.pending = [];
      this.starting = false;
    } else if (action.do === "journal") this.journal.push(action.record);
  }

  do(command: Exclude<Command, { do: "call" } | { do: "flush" }>, client = "a", rev = this.state.doc.rev): Refusal | null {
    return this.give({ type: "command", client, rev, command, at: this.now++ });
  }

  /** One step of the kernel: it becomes ready, or its run ends. False when it has nothing to do. */
  step(result: "ok" | "error" | "interrupted" = "ok", show = true, warnings: string[] = []): boolean {
    if (this.starting) {
      this.starting = false;
      this.give({ type: "ready", pid: 1, at: this.now++ });
      return true;
    }
    const request = this.pending.shift();
    if (request === undefined) return false;
    const { run, cell } = request;
    if (show)
      this.give({
        type: "outputs",
        messages: [{ type: "output", run, cell: cell.id, n: 0, output: { kind: "stream", name: "stdout", text: `${run}\n` } }],
      });
    for (const [, key, value = "5", most = "10"] of cell.source.matchAll(/^\/\/ view (\w+)(?: (\d+) of (\d+))?$/gm)) {
      const spec = { type: "range" as const, label: key!, min: 0, max: Number(most), step: 1, value: Number(value), debounce: false };
      const held = request.controls?.[key!];
      const control = { key: key!, spec, value: accepts(spec, held) ? held : spec.value };
      this.used.push(`${cell.id}.${key} ${String(control.value)}`);
      this.give({ type: "kernel", message: { type: "control", run, cell: cell.id, control }, at: this.now++ });
    }
    this.give({
      type: "kernel",
      message: { type: "done", run, cell: cell.id, result, elapsedMs: 1, warnings, outputs: 0, reads: [], ...this.says[cell.id] },
      at: this.now++,
    });
    return true;
  }

  /** Lets the kernel do everything it was told; the ids that ran since the last drain, in order. `failing`: cells that throw. */
  drain(failing: string[] = []): string[] {
    while (this.starting || this.pending.length > 0) this.step(failing.includes(this.pending[0]?.cell.id ?? "") ? "error" : "ok");
    const ran = this.ran;
    this.ran = [];
    return ran;
  }

  /** Runs cells to the end. */
  run(cells: string[], failing: string[] = []): string[] {
    expect(this.do({ do: "run", cells })).toBe(null);
    return this.drain(failing);
  }

  /** The server is killed and comes back from its journal. */
  restart(): void {
    const kept = restore(this.journal);
    expect(kept).not.toBe(null);
    this.restarts++;
    this.state = this.#open(kept!, null);
    this.client = this.state.doc;
    this.pending = [];
    this.starting = false;
  }

  /** cells that this one reads from */
  inputs(id: string): readonly string[] {
    return walkOf(this.state).inputs.get(id) ?? [];
  }
  cell(id: string) {
    return this.state.doc.cells[id]!;
  }
  /** ids of stale cells */
  get stale(): string[] {
    return this.state.graph.order.filter((id) => this.cell(id).stale);
  }
  set(id: string, source: string): void {
    const old = this.state.doc.source.cells.find((cell) => cell.id === id)!.source;
    expect(this.do({ do: "ops", ops: [{ op: "edit", id, at: 0, remove: old.length, insert: source }] })).toBe(null);
  }
}

/** Cells as `id: source`, in the file's format. */
export function notebookOf(cells: Record<string, string>, options: Record<string, string> = {}): string {
  return Object.entries(cells)
    .map(([id, source]) => `// %% id="${id}"${options[id] === undefined ? "" : ` ${options[id]}`}\n${source}\n`)
    .join("\n");
}
