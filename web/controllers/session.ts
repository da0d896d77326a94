/**
 * One notebook's connection: state, edits on their way, commands with their answers, reconnection from the cursor.
 * The page subscribes by `onChange`; sockets and clock are passed in so that it is tested without either.
 */
import type {
  Badge,
  Command,
  NotebookEvent,
  NotebookSource,
  NotebookState,
  Operation,
  ServerMessage,
  ClientMessage,
  KernelQuery,
} from "../../kernels/protocol/document.js";
import { plural, time } from "./format.js";
import { replay } from "../../kernels/notebook/replay.js";
import { confirm, edit, openDocument, putBack, rebase, refuse, saved, take, type Aside, type LocalDocument } from "./document.js";

export type Link = "connecting" | "open" | "lost" | "closed";
export interface Notice {
  level: "info" | "warning" | "error";
  text: string;
  cell?: string;
}
export interface SessionSocket {
  send(text: string): void;
  close(): void;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
}
export interface SessionOptions {
  path: string;
  client: string;
  name: string;
  connect(): SessionSocket;
  onChange(): void;
  onNotice(notice: Notice): void;
  /** server's events, after they were applied */
  onEvent?(event: NotebookEvent): void;
}
export interface QueryOptions {
  /** aborted: the kernel stops the query, which then fails */
  signal?: AbortSignal;
  /** percent, of a query that takes long */
  working?(percent: number): void;
}
type Reply = Extract<ServerMessage, { type: "reply" }>;
type RefusedReply = Extract<Reply, { ok: false }>;
export class CommandError extends Error {
  readonly code: RefusedReply["error"]["code"];
  readonly rev: number | undefined;
  constructor(error: RefusedReply["error"]) {
    super(error.message);
    this.name = "CommandError";
    this.code = error.code;
    this.rev = error.rev;
  }
}

export class NotebookSession {
  state: NotebookState | null = null;
  doc: LocalDocument | null = null;
  link: Link = "connecting";
  /** when the link was lost, ms since epoch */
  lostAt: number | null = null;
  retryAt: number | null = null;
  /** results that arrived while we were away, shown by the "back" banner */
  back: { results: number; epochChanged: boolean } | null = null;
  /** the file was changed by another program and merged: the cells that differ, until it is closed */
  outside: { at: number; cells: string[]; before: NotebookSource; after: NotebookSource } | null = null;
  /** reason of a refusal that ends the session (not found, not allowed) */
  failure: string | null = null;
  #options: SessionOptions;
  #socket: SessionSocket | null = null;
  #next = 1;
  #waiting = new Map<
    number,
    { resolve(value: unknown): void; reject(error: Error): void; ops: boolean; working?: ((percent: number) => void) | undefined }
  >();
  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #ping: ReturnType<typeof setInterval> | null = null;
  #heard = 0;
  #flushTimer: ReturnType<typeof setTimeout> | null = null;
  #runsBefore: Record<string, string | null> = {};
  #opsId: number | null = null;
  /** edits wait until the document has this revision */
  #holdRev = 0;
  #fromFile = false;
  /** begins the names of this page's changes; another one after a reload */
  readonly #token = Math.random().toString(36).slice(2, 12);

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  get client(): string {
    return this.#options.client;
  }
  /** may this page write? Nobody writing counts as yes: the first change asks for it. */
  get writing(): boolean {
    const writer = this.state?.writer;
    return this.state !== null && this.state.broken === null && (writer === null || writer === undefined || writer.client === this.#options.client);
  }

  /** text typed here that the server has not confirmed */
  get unsent(): boolean {
    return this.doc !== null && this.doc.inflight.length + this.doc.waiting.length + this.doc.aside.length > 0;
  }

  open(): void {
    this.#timer = null;
    this.retryAt = null;
    const socket = this.#options.connect();
    this.#socket = socket;
    socket.onopen = () => {
      this.#heard = Date.now();
      this.#post({
        type: "hello",
        client: this.#options.client,
        name: this.#options.name,
        epoch: this.state?.epoch ?? null,
        cursor: this.state?.seq ?? 0,
      });
      this.#ping ??= setInterval(() => this.#beat(), 2500);
    };
    socket.onmessage = (event) => {
      if (socket !== this.#socket) return;
      this.#heard = Date.now();
      this.receive(JSON.parse(String(event.data)) as ServerMessage);
    };
    socket.onclose = (event) => {
      if (socket !== this.#socket || this.link === "closed") return;
      this.#socket = null;
      this.#lose(event.code >= 4400 && event.code < 4500 ? event.reason || "The server refused this notebook." : null);
    };
  }

  retryNow(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#socket === null && this.link !== "closed") this.open();
  }

  close(): void {
    this.link = "closed";
    for (const timer of [this.#timer, this.#flushTimer]) if (timer !== null) clearTimeout(timer);
    if (this.#ping !== null) clearInterval(this.#ping);
    this.#socket?.close();
    this.#socket = null;
    this.#rejectAll("the page was left");
  }

  #beat(): void {
    if (this.#socket === null || this.link !== "open") return;
    if (Date.now() - this.#heard > 12_000) {
      const socket = this.#socket;
      this.#socket = null;
      socket.close();
      this.#lose(null);
      return;
    }
    this.#post({ type: "ping", id: this.#next++ });
  }

  #lose(failure: string | null): void {
    // what is in flight may have arrived: the log or the snapshot tells by its token
    this.#opsId = null;
    this.#rejectAll("the connection was lost before the server answered");
    if (failure !== null) {
      this.failure = failure;
      this.link = "closed";
      this.#options.onChange();
      return;
    }
    if (this.link !== "lost") {
      this.link = "lost";
      this.lostAt = Date.now();
      this.#runsBefore = Object.fromEntries(Object.entries(this.state?.cells ?? {}).map(([id, cell]) => [id, cell.run]));
    }
    const wait = Math.min(8000, 250 * 2 ** this.#attempt++);
    this.retryAt = Date.now() + wait;
    this.#timer = setTimeout(() => this.open(), wait);
    this.#options.onChange();
  }

  #rejectAll(message: string): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject, ops } of waiting) if (!ops) reject(new Error(message));
  }

  #post(message: ClientMessage): void {
    this.#socket?.send(JSON.stringify(message));
  }

  /** Applies one message of the server. */
  receive(message: ServerMessage): void {
    switch (message.type) {
      case "snapshot": {
        const { state, applied } = message;
        const restarted = this.state !== null && this.state.epoch !== state.epoch;
        this.state = state;
        this.#holdRev = 0;
        this.#opsId = null;
        this.doc = this.doc === null ? openDocument(state.source, state.rev) : rebase(this.doc, state.source, state.rev, applied, restarted);
        this.#up(restarted);
        break;
      }
      case "events":
        for (const event of message.events) this.#event(event);
        this.#up(false);
        break;
      case "reply": {
        const waiting = this.#waiting.get(message.id);
        this.#waiting.delete(message.id);
        if (message.ok) waiting?.resolve(message.value);
        else waiting?.reject(new CommandError(message.error));
        break;
      }
      case "working":
        // whoever asked draws it: nothing of the notebook has changed
        this.#waiting.get(message.id)?.working?.(message.percent);
        return;
      case "pong":
        break;
    }
    this.#options.onChange();
    this.#flush();
  }

  #up(epochChanged: boolean): void {
    if (this.link === "open") return;
    if (this.link === "lost") {
      const results = Object.entries(this.state?.cells ?? {}).filter(
        ([id, cell]) => cell.status === "idle" && cell.run !== (this.#runsBefore[id] ?? null),
      ).length;
      this.back = { results, epochChanged };
    }
    this.link = "open";
    this.lostAt = null;
    this.#attempt = 0;
  }

  #event(event: NotebookEvent): void {
    if (this.state === null || this.doc === null || event.seq <= this.state.seq) return;
    if (event.type === "ops") {
      const own = event.by === this.#options.client && event.token !== undefined && event.token === this.doc.token;
      const before = this.doc.confirmed;
      this.doc = confirm(this.doc, event.rev, event.ops, own);
      if (event.by === "file") {
        const after = this.doc.confirmed;
        // two changes with nothing in between are one: an editor saves in steps
        const since = this.outside?.after === before ? this.outside.before : before;
        this.outside = { at: Date.now(), cells: changedCells(since, after), before: since, after };
      }
      if (own) this.#opsId = null;
    }
    if (event.type === "saved") this.doc = saved(this.doc, event.rev);
    this.state = event.type === "ops" ? { ...this.state, seq: event.seq, rev: event.rev, source: this.doc.confirmed } : replay(this.state, event);
    // the banner says what the notice after an outside change says
    const told = event.type === "notice" && this.#fromFile;
    if (event.type === "ops" && event.by === "file") this.#fromFile = true;
    else if (event.type === "notice") this.#fromFile = false;
    if (event.type === "notice" && !told)
      this.#options.onNotice({ level: event.level, text: event.text, ...(event.cell !== undefined && { cell: event.cell }) });
    this.#options.onEvent?.(event);
  }

  /** A change of the document, shown at once and sent. Throws a RangeError when it does not fit what is shown. */
  edit(ops: Operation[]): void {
    if (this.doc === null || ops.length === 0) return;
    this.doc = edit(this.doc, ops);
    this.#options.onChange();
    // a burst of typing is one command; the first stroke goes at once
    this.#flushTimer ??= setTimeout(() => {
      this.#flushTimer = null;
      this.#flush();
    }, 16);
  }

  #flush(): void {
    if (this.doc === null || this.link !== "open" || this.#opsId !== null || this.doc.rev < this.#holdRev) return;
    const doc = take(this.doc, `${this.#token}-${this.#next}`);
    const { inflight: ops, token } = doc;
    if (ops.length === 0 || token === null) return;
    this.doc = doc;
    const id = this.#next++;
    this.#opsId = id;
    this.#waiting.set(id, {
      ops: true,
      // it is confirmed by its event, or by the snapshot that a slow page gets instead
      resolve: () => {},
      reject: (error) => {
        if (this.#opsId !== id || this.doc === null) return;
        this.#opsId = null;
        const code = error instanceof CommandError ? error.code : "internal";
        if (code === "stale") {
          // the newer operations are told before the refusal; after them ours are sent again
          this.#holdRev = (error instanceof CommandError ? error.rev : undefined) ?? this.doc.rev + 1;
          return;
        }
        // what the server refuses is not shown as if it were there
        this.doc = refuse(this.doc);
        this.#options.onNotice({ level: code === "not-writer" ? "warning" : "error", text: error.message });
      },
    });
    this.#post({ type: "command", id, rev: doc.rev, command: { do: "ops", ops, token } });
  }

  /** Puts text back that could not be sent; the caller may write. */
  putBack(aside: Aside, id: string): void {
    if (this.doc === null) return;
    this.edit(putBack(this.doc.source, aside, id));
    this.forget(aside);
  }
  /** The text is not wanted any more. */
  forget(aside: Aside): void {
    if (this.doc === null) return;
    this.doc = { ...this.doc, aside: this.doc.aside.filter((other) => other !== aside) };
    this.#options.onChange();
  }

  /** Sends a command and gives the server's answer; edits that wait are sent first. */
  async command(command: Exclude<Command, { do: "ops" }>, { signal, working }: QueryOptions = {}): Promise<unknown> {
    await this.settled();
    signal?.throwIfAborted();
    if (this.link !== "open" || this.doc === null) throw new Error("not connected: the command was not sent");
    const id = this.#next++;
    const answer = new Promise<unknown>((resolve, reject) => this.#waiting.set(id, { resolve, reject, ops: false, working }));
    this.#post({ type: "command", id, rev: this.doc.rev, command });
    signal?.addEventListener("abort", () => this.#waiting.has(id) && this.#post({ type: "cancel", id }), { once: true });
    return answer;
  }

  query(call: KernelQuery, how: QueryOptions = {}): Promise<unknown> {
    return this.command({ do: "call", call }, how);
  }

  /** Resolves when no edit is on its way (or the link is lost). */
  async settled(): Promise<void> {
    this.#flush();
    while (this.doc !== null && this.link === "open" && (this.doc.inflight.length > 0 || this.doc.waiting.length > 0)) {
      await new Promise((resolve) => setTimeout(resolve, 4));
      this.#flush();
    }
  }
}

/** Cells of `after` that are new or read differently. */
function changedCells(before: NotebookSource, after: NotebookSource): string[] {
  const was = new Map(before.cells.map((cell) => [cell.id, `${cell.kind}\0${cell.source}`]));
  return after.cells.filter((cell) => was.get(cell.id) !== `${cell.kind}\0${cell.source}`).map((cell) => cell.id);
}

/** The badge in words (ui 3.3). */
export function badgeText(badge: Badge, number: (cell: string) => number): { icon: string; text: string } {
  switch (badge.state) {
    case "same":
      return {
        icon: "equal",
        text: badge.verified === undefined ? "Same as a clean run" : `Same as a clean run, verified at ${time(badge.verified)}`,
      };
    case "stale":
      return { icon: "refresh-cw", text: `${plural(badge.cells.length + (badge.more ?? 0), "cell")} stale` };
    case "error":
      return { icon: "circle-x", text: badge.cells[0] === undefined ? "Error" : `Error in cell ${number(badge.cells[0])}` };
    case "unchecked":
      if (badge.moved === undefined) return { icon: "circle-help", text: "Not checked" };
      return {
        icon: "circle-help",
        text: badge.moved.length === 1 ? `${badge.moved[0]!.slice(0, 30)} is moved` : `${badge.moved.length} controls are moved`,
      };
  }
}
