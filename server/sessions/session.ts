/** One open notebook: performs what the reducer decides, keeps the log, the file and the outputs on disk, tells the clients. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type {
  CleanRun,
  ClientMessage,
  Command,
  KernelQuery,
  NotebookEvent,
  NotebookSource,
  NotebookState,
  ServerMessage,
} from "../../kernels/protocol/document.js";
import type { ServerCalls } from "../../kernels/protocol/serving.js";
import type { Output } from "../../kernels/protocol/output.js";
import type { LanguageState } from "../../kernels/protocol/language.js";
import type { Log } from "../log.js";
import type { Languages } from "../language/languages.js";
import { apply } from "./reducer.js";
import { openState } from "./opening.js";
import { mostMemory } from "./memory.js";
import type { Console, ConsoleEvents } from "./consoles.js";
import { KernelLink } from "./kernel-link.js";
import type { Kernel, QueryOptions } from "./kernel.js";
import { compareWithClean } from "./clean.js";
import { openJournal, readJournal, restore, type Journal } from "./journal.js";
import { sweep } from "./sweep.js";
import { openHistory, type History } from "./history.js";
import { createPoints, type Points } from "./points.js";
import { createInlet, type Inlet } from "./inlet.js";
import { createKeeping, type Keeping } from "./keeping.js";
import { Questions } from "./questions.js";
import { Ring } from "./ring.js";
import { outputStore, type OutputStore } from "./outputs.js";
import type { NotebookPlace } from "./paths.js";
import { createBatches, type Batches } from "./batches.js";
import { receive } from "./receive.js";
import type { NotebookView } from "../../kernels/protocol/http.js";
import { notebookFile, type NotebookFile, type Opened } from "./file.js";
import { keptOf } from "./queue.js";
import type { Action, Input, JournalRecord, Refusal, SessionState } from "./state.js";
import { Viewer, type Wire } from "./viewer.js";

export interface SessionEffects {
  root: string;
  log: Log;
  now(): number;
  /** with room for so many bytes */
  takeKernel(memoryLimit: number): Promise<Kernel>;
  /** a kernel's call to the server: registry, log */
  handle<M extends keyof ServerCalls>(method: M, params: ServerCalls[M]["params"]): Promise<ServerCalls[M]["result"]>;
  memoryLimit: number;
  /** bytes on disk that the results of a workspace's cells may take; the kernel's own measure where it is absent */
  cacheBytes?: number | undefined;
  /** masks secrets in what processes print */
  redact(text: string): string;
  /** null: whatever loads first */
  backend: string | null;
  /** ms of quiet until the file is written */
  quiet: number;
  /** ms for which a file that another program writes must have rested */
  rest: number;
  /** ms until the journal is synced */
  sync: number;
  /** watch the file for changes from outside */
  watch: boolean;
  /** keep journal, outputs and file; false for a headless run, which leaves the notebook as it is */
  keep: boolean;
  /** instead of the notebook's own */
  seed: number | null;
  /** what controls are set to instead of their defaults, as texts */
  set?: Record<string, string>;
  /** a session of its own for the same file, which keeps nothing: for a clean run beside this one */
  second?: ((place: NotebookPlace) => Session) | undefined;
  /** null: nobody will ask about the code */
  languages: Languages | null;
  /** fault-injection seam: called at each named step of disk work of journal and file */
  step?: ((name: string) => void) | undefined;
}

export class Session {
  readonly place: NotebookPlace;
  #state: SessionState;
  readonly #effects: SessionEffects;
  readonly #store: OutputStore;
  /** null: nothing is kept */
  readonly #keeping: Keeping | null;
  readonly #inlet: Inlet;
  readonly #file: NotebookFile;
  readonly #journalFile: string;
  #journal: Journal | null = null;
  /** the state of a notebook just opened */
  readonly #open: (opened: Opened, rev: number) => SessionState;
  readonly #viewers = new Set<Viewer>();
  readonly #listeners = new Set<(event: NotebookEvent, state: NotebookState) => void>();
  #ring = new Ring();
  readonly #link: KernelLink;
  readonly #questions = new Questions();
  #second: Session | null = null;
  #closed = false;
  readonly #batches: Batches;
  /** saved points; null: nothing is kept */
  readonly history: History | null;
  readonly #points: Points | null;

  constructor(place: NotebookPlace, effects: SessionEffects) {
    this.place = place;
    this.#effects = effects;
    const failed = (what: string) => (error: Error) => this.#trouble(`${what}: ${error.message}`);
    this.#batches = createBatches(place, effects);
    sweep(join(place.store, "spill"), (name) => /^(\d+)-/.exec(name)?.[1]);
    this.#store = outputStore(join(place.store, "outputs", place.key), failed("outputs could not be kept"));
    this.#keeping = effects.keep ? createKeeping(this.#store, () => this.#state, effects.now) : null;
    this.#inlet = createInlet(effects.keep ? this.#store : null, (batch) => void this.dispatch(batch));
    this.#link = new KernelLink(place, effects, {
      dispatch: (input) => void this.dispatch(input),
      // late outputs of a run that was replaced would be taken for the new one's
      outputs: (messages) => this.#inlet.take(messages.filter(({ cell, run }) => this.#state.doc.cells[cell]?.run === run)),
      ask: (params) =>
        this.#questions.ask(params, (question) => {
          this.dispatch({ type: "question", question });
          return this.#state.doc.questions.includes(question);
        }),
      seed: () => this.#state.doc.source.front.seed ?? 0,
    });
    this.#journalFile = join(place.store, "journal", `${place.key}.ndjson`);
    let kept = null;
    try {
      if (effects.keep) kept = restore(readJournal(this.#journalFile));
    } catch (error) {
      effects.log.warn({ error, notebook: place.path }, "journal could not be read");
    }
    this.#file = notebookFile(place.file, {
      quiet: effects.quiet,
      rest: effects.rest,
      watch: effects.watch,
      now: effects.now,
      source: () => this.#state.doc.source,
      before: async (rev) => {
        this.#journal?.append({ type: "writing", rev });
        await this.#journal?.flush();
      },
      kept: async () => {
        await this.#journal?.flush();
      },
      step: effects.step,
      rev: () => this.#state.doc.rev,
      saved: (at, rev) => {
        this.dispatch({ type: "saved", at, rev });
        this.#journal?.append({ type: "saved", rev });
      },
      outside: (source, read, text) => void this.dispatch({ type: "outside", source, read, text, at: effects.now() }),
      read: (source) => this.#journal?.append({ type: "read", source }),
      mended: (opened) => this.#mended(opened),
      held: (why) => {
        if (why !== null) effects.log.warn({ notebook: place.path }, why);
        if (!this.#closed) this.dispatch({ type: "held", why });
      },
    });
    const opened = this.#file.open(kept === null ? null : { ...kept, since: kept.since.map((one) => one.source) });
    this.#open = ({ source, broken, merged }, rev) =>
      openState({
        ...{ epoch: randomBytes(8).toString("hex"), path: place.path, source, broken, rev },
        mode: source.front.mode ?? kept?.mode ?? "auto",
        results: broken === null ? (kept?.results ?? {}) : {},
        outputs: broken === null && effects.keep ? this.#store.load() : {},
        runs: kept?.runs ?? 0,
        reopened: merged === null ? null : { at: effects.now(), ...merged },
        applied: kept?.applied ?? {},
        controls: broken === null ? (kept?.controls ?? {}) : {},
        memoryLimit: this.#link.limit,
        memoryMost: Math.max(mostMemory(), this.#link.limit),
      });
    this.#state = this.#open(opened, (kept?.rev ?? 0) + 1);
    if (opened.broken === null) this.#journal = this.#openJournal(opened.saved);
    if (opened.write) this.#file.changed();
    this.history = effects.keep
      ? openHistory(join(place.store, "history", `${place.key}.ndjson`), effects.now, failed("the history is not kept"))
      : null;
    this.#points = this.history && createPoints(this.history, kept?.source ?? null, effects.now);
    this.#points?.opened(opened, this.state);
    this.listen((event, state) => this.#points?.event(event, state));
  }

  /** A file that did not parse when it was opened does now: the notebook is as if it were opened now, and every client is told the whole. */
  #mended(file: Opened): void {
    const { doc } = this.#state;
    const opened = this.#open(file, doc.rev + 1);
    this.#state = { ...opened, doc: { ...opened.doc, epoch: doc.epoch, seq: doc.seq + 1, clients: doc.clients, writer: doc.writer } };
    this.#ring = new Ring();
    this.#journal = this.#openJournal(file.saved);
    this.#points?.opened(file, this.state);
    for (const viewer of this.#viewers) viewer.message(this.#snapshot(viewer.client));
  }

  #openJournal(saved: NotebookSource): Journal | null {
    if (!this.#effects.keep) return null;
    try {
      const journal = openJournal(this.#journalFile, this.#base(saved), {
        every: this.#effects.sync,
        step: this.#effects.step,
        failed: (error) => this.#trouble(`the journal could not be written: ${error.message}`),
      });
      this.#file.sweep();
      return journal;
    } catch (error) {
      // a read-only folder: the notebook opens, and says that nothing is kept
      this.#trouble(`changes are not kept: ${(error as Error).message}`);
      return null;
    }
  }

  #base(saved: NotebookSource): Extract<JournalRecord, { type: "base" }> {
    const { doc, ran, runs, applied } = this.#state;
    const results = Object.fromEntries(
      [...ran].flatMap(([id, of]) => {
        const cell = doc.cells[id];
        return cell?.run == null || this.#state.running?.cell === id ? [] : [[id, keptOf(cell, cell.run, of)] as const];
      }),
    );
    return { type: "base", rev: doc.rev, mode: doc.mode, source: doc.source, saved, results, runs, applied, controls: doc.controls };
  }

  get state(): NotebookState {
    return this.#state.doc;
  }
  /** cells that wait or run */
  get busy(): boolean {
    return this.#state.running !== null || this.#state.queue.length > 0;
  }
  get queued(): number {
    return this.#state.queue.length + (this.#state.running === null ? 0 : 1);
  }
  /** cells of the present batch that are over */
  get done(): number {
    return Math.max(0, this.#batches.begun - (this.#state.running === null ? 0 : 1));
  }
  lastRun(): NotebookView["lastRun"] {
    return this.#batches.lastRun;
  }
  get viewers(): number {
    return this.#viewers.size;
  }

  /** Told every event after it was applied; returns how to stop. */
  listen(listener: (event: NotebookEvent, state: NotebookState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A command of the server itself: headless runs, opening an example. */
  async command(command: Exclude<Command, { do: "call" } | { do: "flush" } | { do: "language" }>, by = "server"): Promise<Refusal | null> {
    const writer = this.#state.doc.writer;
    // it does not take the pen from a person
    const client = writer?.client ?? by;
    const refused = this.dispatch({ type: "command", client, rev: this.#state.doc.rev, command, at: this.#effects.now() });
    if (writer === null && this.#state.doc.writer?.client === by) this.dispatch({ type: "leave", client: by });
    return refused;
  }

  /** One step: state first, then clients, then what is to be done. */
  dispatch(input: Input): Refusal | null {
    if (input.type !== "outputs") this.#inlet.flush();
    if (input.type === "command" || input.type === "join" || input.type === "leave") this.#link.used();
    const outcome = apply(this.#state, input, (action) => this.#perform(action));
    if ("refused" in outcome) return outcome.refused;
    if (input.type === "command") this.#points?.command(input.command, this.#state.doc.source);
    this.#state = outcome.state;
    const rush = this.#state.queue.length > 1;
    for (const event of outcome.events) {
      this.#ring.push(event);
      for (const viewer of this.#viewers) viewer.event(event, rush);
      for (const listener of this.#listeners) listener(event, this.#state.doc);
    }
    for (const action of outcome.actions) this.#perform(action);
    const over = this.#batches.count(this.#state);
    if (over !== null) this.#points?.over(over, this.#state.doc.source);
    return null;
  }

  #perform(action: Action): void {
    switch (action.do) {
      case "start":
        return void this.#link.start();
      case "run":
        this.#link.send({ type: "run", request: action.request });
        this.#keeping?.running();
        return;
      case "forget":
        return this.#link.send({ type: "forget", cells: action.cells });
      case "interrupt":
        return this.#link.control({ type: "interrupt", run: action.run, soft: action.soft });
      case "answer":
        return this.#questions.answer(action.question, action.value);
      case "restart":
        this.#link.leave();
        return void this.#link.start();
      case "shutdown":
        return this.#link.leave();
      case "limit":
        return this.#limit(action.bytes);
      case "compare":
        return void this.#compare(action.clean);
      case "journal":
        this.#journal?.append(action.record);
        // while the file is written, what it says is not known
        if ((this.#journal?.size ?? 0) > 8 * 2 ** 20 && !this.#file.writing) void this.#journal?.rebase(this.#base(this.#file.saved));
        return;
      case "project":
        if (this.#effects.keep) this.#file.changed();
        return;
      case "keep":
        return this.#keeping?.keep(action.cell);
    }
  }

  /** The notebook in a second kernel, its outputs beside those on screen. */
  async #compare(begun: CleanRun): Promise<void> {
    const tell = (clean: CleanRun) => this.#closed || this.dispatch({ type: "clean", clean });
    const second = async () => {
      if (this.#effects.second === undefined) throw new Error("there is no second kernel here");
      // the second session reads the file
      await this.flush();
      return (this.#second = this.#effects.second(this.place));
    };
    try {
      await compareWithClean(this, begun, second, tell, this.#effects.now);
    } finally {
      const made = this.#second;
      this.#second = null;
      await made?.close();
    }
  }

  /** Shuts a kernel down of which nothing was asked for `idleMs`. Outputs stay; the next run starts another. */
  cull(idleMs: number): void {
    const at = this.#effects.now();
    if (this.#state.doc.kernel.state === "idle" && at - this.#link.usedAt >= idleMs) this.dispatch({ type: "cull", idleMs, at });
  }

  #limit(bytes: number): void {
    try {
      this.#link.setLimit(bytes);
    } catch (error) {
      this.#trouble(`the memory limit holds until the server restarts; it could not be kept: ${(error as Error).message}`);
    }
  }

  /** What the notebook's kernels have printed by themselves, and what happened to them. */
  get kernelLog(): string {
    return this.#link.log;
  }

  /** see `KernelLink.console` */
  console(prefix: string, events: ConsoleEvents): Console {
    return this.#link.console(prefix, events);
  }

  /** Asks the kernel beside a running cell. */
  query(query: KernelQuery, how: QueryOptions = {}): Promise<unknown> {
    return this.#link.query(query, how);
  }

  /** Path of the whole printed text of a cell's last run, or of its errors'. */
  textFile(cell: string, of: "prints" | "errors" = "prints"): string | null {
    return this.#store.textFile(cell, of);
  }

  /** Outputs of a cell past those of the state, from the disk. */
  moreOutputs(cell: string, offset: number, limit: number): Output[] {
    return this.#store.page(cell, offset, limit);
  }

  // ---- clients

  join(wire: Wire, hello: Extract<ClientMessage, { type: "hello" }>): Viewer {
    const snapshot = () => this.#snapshot(hello.client);
    const viewer = new Viewer(hello.client, hello.name, wire, snapshot);
    const { epoch, seq } = this.#state.doc;
    const missed = seq - hello.cursor;
    if (hello.epoch === epoch && missed >= 0 && missed <= this.#ring.length) {
      const events = this.#ring.last(missed);
      viewer.message({ type: "events", events });
    } else viewer.message(snapshot());
    this.#viewers.add(viewer);
    this.dispatch({ type: "join", client: viewer.client, name: viewer.name, watch: hello.watch === true });
    return viewer;
  }

  #snapshot(client: string): ServerMessage {
    return { type: "snapshot", state: this.#state.doc, applied: this.#state.applied[client] ?? null };
  }

  leave(viewer: Viewer): void {
    viewer.ended();
    this.#viewers.delete(viewer);
    if ([...this.#viewers].every((other) => other.client !== viewer.client)) this.dispatch({ type: "leave", client: viewer.client });
  }

  receive(viewer: Viewer, message: Exclude<ClientMessage, { type: "hello" }>): void {
    receive(this, this.#effects, viewer, message);
  }

  /** How the language service does, for the clients. */
  language(language: LanguageState): void {
    if (!this.#closed) this.dispatch({ type: "language", language });
  }

  /** Journal, outputs, last run and file are on the disk. */
  async flush(): Promise<void> {
    await Promise.all([this.#file.flush(), this.#store.flush(), this.#batches.flush()]);
    await this.#journal?.flush();
  }

  async close(reason = "The server is stopping."): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#effects.languages?.drop(this);
    for (const [id] of this.#state.deleted) this.#keeping?.keep(id);
    this.#keeping?.close();
    const gone = this.#link.close();
    await this.#second?.close();
    for (const viewer of this.#viewers) viewer.close(1001, reason);
    this.#viewers.clear();
    await this.flush();
    await this.#file.close();
    await this.#journal?.close();
    await this.history?.flush();
    await gone;
  }

  #trouble(text: string): void {
    this.#effects.log.warn({ notebook: this.place.path }, text);
    // while the session is being made there is nobody to tell
    queueMicrotask(() => {
      if (!this.#closed) this.dispatch({ type: "trouble", text });
    });
  }
}
