/** What the notebook's page holds: its connection, the selection and where the focus goes next. */
import type { PropertyValues } from "lit";
import { definitions } from "../../../kernels/cells/definitions.js";
import type { Cell, NotebookSource, Operation, Reopened } from "../../../kernels/protocol/document.js";
import { newId } from "../../controllers/scope.js";
import { NotebookSession, type SessionSocket } from "../../controllers/session.js";
import { Uploads } from "../../controllers/upload.js";
import { TouchElement } from "../../elements/base.js";
import type { TouchCell } from "../../elements/cell.js";
import { loadMonaco } from "../../elements/editor.js";
import { problemsOf } from "../panels.js";
import { current, inverse, type Change } from "./changes.js";
import { clientId } from "./client.js";
import { LanguageLink } from "./language.js";
import type { Compared } from "./history.js";
import { Speaker } from "./speaker.js";

/** ms of countdown until a kernel that a stop does not reach is restarted */
const restartAfter = 10_000;

export type LeftTab = "outline" | "packages" | "history";

/** What takes a change back, and the document that it was made for. */
interface Back {
  ops: Operation[];
  after: NotebookSource;
}

export const byKind = new Map(definitions.map((definition) => [definition.kind as string, definition]));

export class NotebookBase extends TouchElement {
  static override properties = {
    workspace: { attribute: false },
    path: { attribute: false },
    target: { attribute: false },
    current: { state: true },
    anchor: { state: true },
    editing: { state: true },
    insertAt: { state: true },
    left: { state: true },
    right: { state: true },
    tab: { state: true },
    leftTab: { state: true },
    compared: { state: true },
    closed: { state: true },
    version: { state: true },
  };
  declare workspace: string;
  declare path: string;
  /** cell that the address names */
  declare target: string | null;
  declare current: string | null;
  declare anchor: string | null;
  declare editing: string | null;
  /** where the insert menu stands: after this cell, "" = first; null = closed */
  declare insertAt: string | null;
  declare left: boolean;
  declare right: boolean;
  declare tab: "variables" | "problems";
  declare leftTab: LeftTab;
  /** the saved point that is shown in the place of the cells */
  declare compared: Compared | null;
  declare closed: ReadonlySet<string>;
  declare version: number;
  session: NotebookSession | null = null;
  /** built-in cells shown as code, outputs folded, outputs of full height */
  readonly codeView = new Set<string>();
  readonly folded = new Set<string>();
  readonly unbound = new Set<string>();
  readonly uploads = new Uploads(() => this.version++);
  /** where the focus goes with the next drawing */
  focusNext: { cell: string; edit: boolean } | null = null;
  /** a stop that has no effect: when this page restarts the kernel, or that a person chose to wait */
  stuck: { restartAt: number | null } | null = null;
  #undo: Back[] = [];
  #redo: Back[] = [];
  #tick: ReturnType<typeof setInterval> | null = null;
  #speaker = new Speaker((text, urgent) => this.emit("say", { text, urgent }));
  #shown = false;
  /** panels are drawers here (notebook.css) */
  #narrow = matchMedia("(max-width: 1023px)");

  constructor() {
    super();
    this.target = null;
    this.current = null;
    this.anchor = null;
    this.editing = null;
    this.insertAt = null;
    this.left = localStorage.getItem("touchstone.left") !== "0" && innerWidth >= 1100;
    this.right = localStorage.getItem("touchstone.right") !== "0" && innerWidth >= 1280;
    this.tab = "variables";
    this.leftTab = "outline";
    this.compared = null;
    this.closed = new Set();
    this.version = 0;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener("beforeunload", this.#unsent);
    this.#narrow.addEventListener("change", this.#narrowed);
    this.#tick = setInterval(() => {
      if (this.session?.link === "lost" || this.stuck !== null) this.version++;
      const { session, stuck } = this;
      if (stuck?.restartAt != null && Date.now() >= stuck.restartAt && session?.writing === true && session.link === "open") this.restartNow();
    }, 500);
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener("beforeunload", this.#unsent);
    this.#narrow.removeEventListener("change", this.#narrowed);
    if (this.#tick !== null) clearInterval(this.#tick);
    this.session?.close();
  }

  /** The panels become drawers, which would lie over the cells. */
  #narrowed = (): void => {
    if (this.#narrow.matches) this.left = this.right = false;
  };

  /** The browser asks before a page goes that holds text which the server has not. */
  #unsent = (event: BeforeUnloadEvent): void => {
    if (this.session?.unsent === true) event.preventDefault();
  };

  protected override willUpdate(changed: PropertyValues<this>): void {
    if ((changed.has("path") || changed.has("workspace")) && this.isConnected) {
      this.session?.close();
      const full = `${this.workspace}/${this.path}`;
      this.session = new NotebookSession({
        path: full,
        client: clientId(),
        name: localStorage.getItem("touchstone.name") ?? "Another window",
        connect: () =>
          new WebSocket(
            `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/ts/notebook?path=${encodeURIComponent(full)}`,
          ) as unknown as SessionSocket,
        onChange: () => this.#changed(),
        onNotice: (notice) => this.emit("toast", { level: notice.level, text: notice.text }),
      });
      this.session.open();
      this.compared = null;
      this.#shown = false;
      document.title = `${this.path.replace(/\.nb\.ts$/, "")} · Touchstone`;
    }
  }

  #changed(): void {
    const state = this.session?.state;
    if (state !== null && state !== undefined) {
      // an empty file has a cell to type into; it is written with the first letter typed
      if (this.cells.length === 0 && this.session!.writing && this.session!.link === "open") {
        this.session!.edit([{ op: "insert", cell: { id: newId([]), kind: "code", source: "", options: {} }, after: null }]);
        return;
      }
      if (this.current === null || !this.cells.some((cell) => cell.id === this.current)) this.current = this.anchor = this.cells[0]?.id ?? null;
      if ((state.kernel.stuck ?? null) === null) this.stuck = null;
      else this.stuck ??= { restartAt: Date.now() + restartAfter };
      if (this.session!.back !== null && this.session!.back.epochChanged === false && !this.closed.has("back"))
        setTimeout(() => this.close("back"), 8000);
      this.#speaker.tell(this.cells, state, this.number);
      this.emit("notebook-state", { state, link: this.session!.link, notebook: this });
    }
    this.version++;
  }

  /** Ends a kernel that a stop does not reach. */
  restartNow(): void {
    this.stuck = { restartAt: null };
    this.do({ do: "restart", then: "nothing" });
  }
  keepWaiting(): void {
    this.stuck = { restartAt: null };
    this.version++;
  }

  close(name: string): void {
    if ((name === "back" || name === "epoch") && this.session !== null) this.session.back = null;
    if (name === "outside" && this.session !== null) this.session.outside = null;
    if (name === "reopened" && this.reopened !== null) localStorage.setItem("touchstone.reopened", this.#reopenedKey);
    this.version++;
  }

  get #reopenedKey(): string {
    return `${this.session?.state?.path} ${this.session?.state?.reopened?.at}`;
  }
  /** The merge at the opening, until a person has closed the notice of it. */
  get reopened(): Reopened | null {
    const { reopened = null } = this.session?.state ?? {};
    return localStorage.getItem("touchstone.reopened") === this.#reopenedKey ? null : reopened;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (!this.#shown && this.cells.length > 0) {
      this.#shown = true;
      const idle =
        (globalThis as { requestIdleCallback?: (run: () => void) => void }).requestIdleCallback ?? ((run: () => void) => setTimeout(run, 500));
      idle(() => void loadMonaco().then(({ language }) => (language.host.current = this.language.host)));
      performance.mark("first-cell");
      const only = this.cells.length === 1 && this.cells[0]!.source === "";
      if (this.target !== null) this.go(this.target);
      else if (only) this.focusNext = { cell: this.cells[0]!.id, edit: true };
    } else if (changed.has("target") && this.target !== null && this.#shown) this.go(this.target);
    if (this.focusNext !== null) {
      const { cell, edit } = this.focusNext;
      const element = this.element(cell);
      if (element !== null) {
        this.focusNext = null;
        void element.updateComplete.then(() => {
          if (edit) void element.editor?.focusEditor("end");
          else {
            element.card?.focus({ preventScroll: true });
            element.scrollIntoView({ block: "nearest" });
          }
        });
      }
    }
  }

  readonly language = new LanguageLink(this);
  /** Puts the caret there, also in a cell whose form is shown. */
  goToLine(cell: string, line: number, column: number): void {
    if (byKind.has(this.cells.find((other) => other.id === cell)?.kind ?? "")) this.codeView.add(cell);
    this.current = this.anchor = this.editing = cell;
    this.version++;
    void this.updateComplete.then(() => this.element(cell)?.updateComplete.then(() => this.element(cell)?.editor?.goToLine(line, column)));
  }

  query = (...asked: Parameters<NotebookSession["query"]>): Promise<unknown> => this.session!.query(...asked);

  get cells(): Cell[] {
    return this.session?.doc?.source.cells ?? [];
  }
  get selected(): Cell | undefined {
    return this.cells.find((cell) => cell.id === this.current);
  }
  get busy(): boolean {
    return this.session?.state?.kernel.state === "busy";
  }
  number = (cell: string): number => this.cells.findIndex((other) => other.id === cell) + 1;
  element(cell: string): TouchCell | null {
    return this.querySelector<TouchCell>(`touch-cell[data-cell="${CSS.escape(cell)}"]`);
  }
  /** ids of the selected cells, in document order */
  range(): string[] {
    const ids = this.cells.map((cell) => cell.id);
    const [a, b] = [ids.indexOf(this.anchor ?? ""), ids.indexOf(this.current ?? "")];
    return a < 0 || b < 0 ? (this.current === null ? [] : [this.current]) : ids.slice(Math.min(a, b), Math.max(a, b) + 1);
  }

  /** A command whose failure is told. */
  do(command: Parameters<NotebookSession["command"]>[0]): void {
    this.session?.command(command).catch((error: Error) => this.emit("toast", { level: "error", text: error.message }));
  }
  /** Typing: has its own undo in the editor. */
  type(ops: Operation[]): boolean {
    if (this.session === null || !this.mayWrite()) return false;
    try {
      this.session.edit(ops);
    } catch (error) {
      this.emit("toast", { level: "error", text: (error as Error).message });
      return false;
    }
    return true;
  }
  /** An editing command that can be undone; the selection follows. */
  change(change: Change | null): boolean {
    if (change === null || change.ops.length === 0 || !this.type(change.ops)) return false;
    this.#undo.push({ ops: change.undo, after: this.session!.doc!.source });
    this.#redo = [];
    if (change.select !== undefined) this.show(change.select, change.caret === true);
    return true;
  }
  undo(): void {
    this.#back(this.#undo, this.#redo, "undone");
  }
  redo(): void {
    this.#back(this.#redo, this.#undo, "redone");
  }
  /** Takes the last of `from` back; what takes that back goes to `to`. */
  #back(from: Back[], to: Back[], word: string): void {
    const last = from.pop();
    if (last === undefined || this.session?.doc == null || !this.mayWrite()) return;
    const ops = current(last.ops, last.after, this.session.doc.source);
    const sorry = (why: string) => this.emit("toast", { level: "warning", text: `This cannot be ${word} any more: ${why}` });
    if (ops === null) return sorry("the cell was changed since.");
    const back = inverse(this.cells, ops);
    try {
      this.session.edit(ops);
      to.push({ ops: back, after: this.session.doc.source });
    } catch (error) {
      sorry((error as Error).message);
    }
  }
  mayWrite(): boolean {
    if (this.session?.writing === true) return true;
    const writer = this.session?.state?.writer;
    this.emit("toast", {
      level: "warning",
      text:
        writer === null || writer === undefined
          ? "This notebook cannot be written now."
          : `${writer.name} is writing. Take over to change something.`,
    });
    return false;
  }
  /** Selects one cell and gives it the focus. */
  show(cell: string, caret = false): void {
    this.current = this.anchor = cell;
    this.editing = caret ? cell : null;
    this.focusNext = { cell, edit: caret };
    this.version++;
  }

  // what the actions call
  select(delta: number, extend = false): void {
    const ids = this.cells.map((cell) => cell.id);
    const next = ids[Math.max(0, Math.min(ids.length - 1, ids.indexOf(this.current ?? "") + delta))];
    if (next === undefined) return;
    this.current = next;
    if (!extend) this.anchor = next;
    this.editing = null;
    this.focusNext = { cell: next, edit: false };
    this.version++;
  }
  go(cell: string): void {
    if (!this.cells.some((other) => other.id === cell)) return;
    this.current = this.anchor = cell;
    this.editing = null;
    this.focusNext = { cell, edit: false };
    this.version++;
    void this.updateComplete.then(() => this.element(cell)?.scrollIntoView({ block: "start" }));
  }
  edit(): void {
    const cell = this.cells.find((other) => other.id === this.current);
    if (cell === undefined) return;
    if (byKind.has(cell.kind) && !this.codeView.has(cell.id)) {
      this.element(cell.id)?.querySelector<HTMLElement>("touch-form input, touch-form select")?.focus();
      return;
    }
    this.editing = cell.id;
    this.focusNext = { cell: cell.id, edit: true };
    this.version++;
  }
  leave(): void {
    if (this.insertAt !== null) {
      this.insertAt = null;
      return;
    }
    this.editing = null;
    if (this.current !== null) {
      this.element(this.current)?.editor?.cancelFocus();
      this.focusNext = { cell: this.current, edit: false };
    }
    this.version++;
  }
  /** The caret leaves the first or last line. */
  step(delta: number): void {
    const ids = this.cells.map((cell) => cell.id);
    const next = this.cells[ids.indexOf(this.current ?? "") + delta];
    if (next === undefined) return;
    this.current = this.anchor = next.id;
    const form = byKind.has(next.kind) && !this.codeView.has(next.id);
    this.editing = form || next.kind === "markdown" ? null : next.id;
    this.focusNext = { cell: next.id, edit: this.editing !== null };
    this.version++;
  }

  problem(delta: number): void {
    const state = this.session?.state;
    if (!state) return;
    this.#cycle(
      problemsOf(this.cells, state).map((problem) => problem.cell),
      delta,
    );
  }
  attention(delta: number): void {
    const state = this.session?.state;
    if (!state) return;
    this.#cycle(
      this.cells
        .filter((cell) => state.cells[cell.id]?.stale === true || ["error", "cancelled", "interrupted"].includes(state.cells[cell.id]?.result ?? ""))
        .map((cell) => cell.id),
      delta,
    );
  }
  #cycle(ids: string[], delta: number): void {
    const unique = [...new Set(ids)];
    if (unique.length === 0) {
      this.emit("say", { text: "Nothing needs attention" });
      return;
    }
    const here = this.number(this.current ?? "");
    const next =
      delta > 0 ? (unique.find((id) => this.number(id) > here) ?? unique[0]!) : (unique.findLast((id) => this.number(id) < here) ?? unique.at(-1)!);
    this.go(next);
  }
}
