/** `touch-notebook`: one notebook over one connection. Holds the selection and the modes; the document is the session's. */
import { html, nothing, type PropertyValues } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { definitions } from "../../kernels/cells/definitions.js";
import type { Cell, CellKind, CallField, Operation } from "../../kernels/protocol/document.js";
import type { NextStep, Suggestion } from "../../kernels/protocol/output.js";
import type { NotebookControl } from "../app/actions.js";
import { bytes, plural, time } from "../controllers/format.js";
import { freshResult, newId, plainSource, scopeOf, stepSource } from "../controllers/scope.js";
import { badgeText, NotebookSession, type SessionSocket } from "../controllers/session.js";
import { blankCell } from "../../kernels/notebook/blank.js";
import { define, TouchElement } from "../elements/base.js";
import type { CellAction, TouchCell } from "../elements/cell.js";
import "../elements/cell.js";
import { loadMonaco } from "../elements/editor.js";
import { icon } from "../elements/icon.js";
import "../elements/insert.js";
import { spark } from "../elements/spark.js";
import { bannerOf, bannerView, stopText, type BannerActions } from "./banners.js";
import { outlinePanel, problemsOf, problemsPanel, variablesPanel } from "./panels.js";

const byKind = new Map(definitions.map((definition) => [definition.kind as string, definition]));

function clientId(): string {
  let id = sessionStorage.getItem("touchstone.client");
  // a duplicated tab copies the storage: it must not be taken for the first one
  const entry = performance.getEntriesByType("navigation")[0] as PerformanceNavigationTiming | undefined;
  if (id === null || (entry?.type === "navigate" && document.referrer === "" && sessionStorage.getItem("touchstone.live") === "1")) {
    id = crypto.randomUUID();
    sessionStorage.setItem("touchstone.client", id);
  }
  sessionStorage.setItem("touchstone.live", "1");
  return id;
}
addEventListener("pagehide", () => sessionStorage.removeItem("touchstone.live"));

export class TouchNotebook extends TouchElement implements NotebookControl {
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
  declare closed: ReadonlySet<string>;
  declare version: number;
  session: NotebookSession | null = null;
  #codeView = new Set<string>();
  #folded = new Set<string>();
  #unbound = new Set<string>();
  #clipboard: Cell[] = [];
  #undo: Operation[][] = [];
  #redo: Operation[][] = [];
  #focusNext: { cell: string; edit: boolean } | null = null;
  #stopAt: number | null = null;
  #tick: ReturnType<typeof setInterval> | null = null;
  #spoken = new Map<string, string>();
  #shown = false;

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
    this.closed = new Set();
    this.version = 0;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#tick = setInterval(() => {
      if (this.session?.link === "lost" || this.#stopAt !== null) this.version++;
    }, 500);
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    if (this.#tick !== null) clearInterval(this.#tick);
    this.session?.close();
  }

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
      if (state.kernel.state !== "busy") this.#stopAt = null;
      if (this.session!.back !== null && this.session!.back.epochChanged === false && !this.closed.has("back"))
        setTimeout(() => this.#close("back"), 8000);
      this.#speak();
      this.emit("notebook-state", { state, link: this.session!.link, notebook: this });
    }
    this.version++;
  }

  #close(name: string): void {
    if ((name === "back" || name === "epoch") && this.session !== null) this.session.back = null;
    if (name === "outside" && this.session !== null) this.session.outside = null;
    this.version++;
  }

  /** State changes in words for the live region; nothing for cells under 300 ms. */
  #speak(): void {
    const { state } = this.session!;
    for (const cell of this.cells) {
      const s = state!.cells[cell.id];
      if (s === undefined) continue;
      const word = `${s.status} ${s.result}`;
      const before = this.#spoken.get(cell.id);
      this.#spoken.set(cell.id, word);
      if (before === undefined || before === word || s.status !== "idle" || !before.startsWith("running")) continue;
      if (s.result === "ok" && (s.elapsedMs ?? 0) < 300) continue;
      const finding = (state!.outputs[cell.id] ?? [])
        .flatMap((output) => (output.kind === "display" ? [output.data["application/vnd.touchstone.finding+json"]] : []))
        .find(Boolean) as { sentence: string } | undefined;
      this.emit("say", { text: `Cell ${this.number(cell.id)}, ${cell.kind}: ${s.result}. ${finding?.sentence ?? ""}`, urgent: s.result === "error" });
    }
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (!this.#shown && this.cells.length > 0) {
      this.#shown = true;
      const idle =
        (globalThis as { requestIdleCallback?: (run: () => void) => void }).requestIdleCallback ?? ((run: () => void) => setTimeout(run, 500));
      idle(() => void loadMonaco().then(({ names }) => (names.list = () => this.#names())));
      performance.mark("first-cell");
      const only = this.cells.length === 1 && this.cells[0]!.source === "";
      if (this.target !== null) this.go(this.target);
      else if (only) this.#focusNext = { cell: this.cells[0]!.id, edit: true };
    } else if (changed.has("target") && this.target !== null && this.#shown) this.go(this.target);
    if (this.#focusNext !== null) {
      const { cell, edit } = this.#focusNext;
      const element = this.#element(cell);
      if (element !== null) {
        this.#focusNext = null;
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

  #names(): { name: string; detail: string }[] {
    const variables = (this.session?.state?.variables ?? []).map(({ name, type }) => ({ name, detail: type }));
    const known = new Set(variables.map((variable) => variable.name));
    const defined = Object.values(this.session?.state?.cells ?? {})
      .flatMap((cell) => cell.defines)
      .filter((name) => !known.has(name))
      .map((name) => ({ name, detail: "not run" }));
    const library = [...definitions.map((d) => d.call), "sql", "display", "view", "features", "f", "relation", "file", "log", "tf", "cell"].map(
      (name) => ({ name, detail: "touchstone" }),
    );
    return [...variables, ...defined, ...library];
  }

  get cells(): Cell[] {
    return this.session?.doc?.source.cells ?? [];
  }
  get busy(): boolean {
    return this.session?.state?.kernel.state === "busy";
  }
  number = (cell: string): number => this.cells.findIndex((other) => other.id === cell) + 1;
  #element(cell: string): TouchCell | null {
    return this.querySelector<TouchCell>(`touch-cell[data-cell="${CSS.escape(cell)}"]`);
  }
  #range(): string[] {
    const ids = this.cells.map((cell) => cell.id);
    const [a, b] = [ids.indexOf(this.anchor ?? ""), ids.indexOf(this.current ?? "")];
    return a < 0 || b < 0 ? (this.current === null ? [] : [this.current]) : ids.slice(Math.min(a, b), Math.max(a, b) + 1);
  }

  /** A command whose failure is told. */
  #do(command: Parameters<NotebookSession["command"]>[0]): void {
    this.session?.command(command).catch((error: Error) => this.emit("toast", { level: "error", text: error.message }));
  }
  #edit(ops: Operation[], undo: Operation[] | null = null): boolean {
    if (this.session === null || !this.#mayWrite()) return false;
    try {
      this.session.edit(ops);
    } catch (error) {
      this.emit("toast", { level: "error", text: (error as Error).message });
      return false;
    }
    if (undo !== null) {
      this.#undo.push(undo);
      this.#redo = [];
    }
    return true;
  }
  #mayWrite(): boolean {
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

  // what the actions call
  select(delta: number, extend = false): void {
    const ids = this.cells.map((cell) => cell.id);
    const next = ids[Math.max(0, Math.min(ids.length - 1, ids.indexOf(this.current ?? "") + delta))];
    if (next === undefined) return;
    this.current = next;
    if (!extend) this.anchor = next;
    this.editing = null;
    this.#focusNext = { cell: next, edit: false };
    this.version++;
  }
  go(cell: string): void {
    if (!this.cells.some((other) => other.id === cell)) return;
    this.current = this.anchor = cell;
    this.editing = null;
    this.#focusNext = { cell, edit: false };
    this.version++;
    void this.updateComplete.then(() => this.#element(cell)?.scrollIntoView({ block: "start" }));
  }
  edit(): void {
    const cell = this.cells.find((other) => other.id === this.current);
    if (cell === undefined) return;
    if (byKind.has(cell.kind) && !this.#codeView.has(cell.id)) {
      this.#element(cell.id)?.querySelector<HTMLElement>("touch-form input, touch-form select")?.focus();
      return;
    }
    this.editing = cell.id;
    this.#focusNext = { cell: cell.id, edit: true };
    this.version++;
  }
  leave(): void {
    if (this.insertAt !== null) {
      this.insertAt = null;
      return;
    }
    this.editing = null;
    if (this.current !== null) {
      this.#element(this.current)?.editor?.cancelFocus();
      this.#focusNext = { cell: this.current, edit: false };
    }
    this.version++;
  }
  /** The caret leaves the first or last line. */
  step(delta: number): void {
    const ids = this.cells.map((cell) => cell.id);
    const next = this.cells[ids.indexOf(this.current ?? "") + delta];
    if (next === undefined) return;
    this.current = this.anchor = next.id;
    const form = byKind.has(next.kind) && !this.#codeView.has(next.id);
    this.editing = form || next.kind === "markdown" ? null : next.id;
    this.#focusNext = { cell: next.id, edit: this.editing !== null };
    this.version++;
  }

  run(cell: string | null = this.current): void {
    if (cell === null) return;
    const ids = this.#range().includes(cell) ? this.#range() : [cell];
    const cells = ids.filter((id) => this.cells.find((other) => other.id === id)?.kind !== "markdown");
    if (this.cells.find((other) => other.id === cell)?.kind === "markdown") this.editing = null;
    if (cells.length > 0 && this.#mayWrite()) this.#do({ do: "run", cells });
  }
  runAdvance(): void {
    const at = this.cells.findIndex((cell) => cell.id === this.current);
    this.run();
    if (at === this.cells.length - 1) {
      this.insert("code", "below", true);
      return;
    }
    const next = this.cells[at + 1];
    if (next === undefined) return;
    this.current = this.anchor = next.id;
    this.editing = null;
    this.#focusNext = { cell: next.id, edit: false };
    this.version++;
  }
  runInsert(): void {
    this.run();
    this.insert("code", "below", true);
  }
  runAll(): void {
    if (this.#mayWrite()) this.#do({ do: "run-all" });
  }
  runStale(): void {
    if (this.#mayWrite()) this.#do({ do: "run-stale" });
  }
  #runSlice(from: number, to: number): void {
    const cells = this.cells
      .slice(from, to)
      .filter((cell) => cell.kind !== "markdown")
      .map((cell) => cell.id);
    if (cells.length > 0 && this.#mayWrite()) this.#do({ do: "run", cells });
  }
  runAbove(): void {
    this.#runSlice(0, this.number(this.current ?? "") - 1);
  }
  runBelow(): void {
    this.#runSlice(this.number(this.current ?? "") - 1, this.cells.length);
  }
  interrupt(soft = false): void {
    if (!this.busy && this.session?.state?.kernel.state !== "stopping") return;
    this.#stopAt ??= Date.now();
    this.#do({ do: "interrupt", soft });
  }
  restart(): void {
    this.emit("confirm", {
      title: "Restart the kernel?",
      text: "Variables are dropped; outputs stay and are dimmed.",
      action: "Restart",
      run: () => {
        this.#do({ do: "restart", then: "nothing" });
        this.emit("toast", { level: "info", text: "Restarted" });
      },
    });
  }
  shutdown(): void {
    this.#do({ do: "shutdown" });
  }
  clearOutputs(): void {
    if (this.#mayWrite()) this.#do({ do: "clear", cell: null });
  }
  toggleMode(): void {
    if (this.session?.state && this.#mayWrite()) this.#do({ do: "mode", mode: this.session.state.mode === "auto" ? "lazy" : "auto" });
  }
  save(): void {
    this.#do({ do: "flush" });
  }
  takeOver(): void {
    this.#do({ do: "write" });
  }

  /** `edit`: with the caret in it; the keys of selected mode stay there, as in Jupyter. */
  insert(kind: CellKind, where: "above" | "below", edit = false): void {
    const at = this.number(this.current ?? "") - 1;
    const after = where === "below" ? (this.cells[Math.max(at, 0)]?.id ?? null) : (this.cells[at - 1]?.id ?? null);
    this.insertAfter(kind, after, undefined, edit);
  }
  insertAfter(kind: CellKind, after: string | null, source?: string, caret = true): void {
    const { state } = this.session ?? {};
    if (state === null || state === undefined) return;
    const at = after === null ? 0 : this.number(after);
    const scope = scopeOf(state, this.cells, definitions, this.cells[at]?.id ?? null);
    const definition = byKind.get(kind);
    const text =
      source ??
      (definition !== undefined
        ? freshResult(definition.toSource(scope), scopeOf(state, this.cells, definitions))
        : plainSource(kind as "code", scope));
    const id = newId(this.cells);
    // an empty code cell that stands there is used up by a kind chosen for it
    const here = this.cells.find((cell) => cell.id === after);
    const replaces = kind !== "code" && here !== undefined && here.kind === "code" && here.source.trim() === "";
    const cell: Cell = { id, kind, source: text, options: {} };
    const ops: Operation[] = replaces
      ? [
          { op: "insert", cell, after: here.id },
          { op: "delete", id: here.id },
        ]
      : [{ op: "insert", cell, after }];
    if (
      !this.#edit(
        ops,
        replaces
          ? [
              { op: "insert", cell: here, after: id },
              { op: "delete", id },
            ]
          : [{ op: "delete", id }],
      )
    )
      return;
    this.insertAt = null;
    this.current = this.anchor = id;
    const edit = definition === undefined && caret;
    this.editing = edit ? id : null;
    this.#focusNext = { cell: id, edit };
    this.version++;
  }
  openInsert(where: "above" | "below"): void {
    if (!this.#mayWrite()) return;
    const at = this.number(this.current ?? "") - 1;
    this.insertAt = where === "below" ? (this.current ?? "") : (this.cells[at - 1]?.id ?? "");
  }
  deleteCells(): void {
    const ids = this.#range();
    if (ids.length === 0) return;
    const at = this.number(ids[0]!) - 1;
    const before = this.cells[at - 1]?.id ?? null;
    const gone = this.cells.filter((cell) => ids.includes(cell.id));
    const undo = gone.map((cell, i): Operation => ({ op: "insert", cell, after: i === 0 ? before : gone[i - 1]!.id }));
    if (
      !this.#edit(
        ids.map((id) => ({ op: "delete", id })),
        undo,
      )
    )
      return;
    if (this.cells.length === 0) this.session!.edit([{ op: "insert", cell: { id: newId([]), kind: "code", source: "", options: {} }, after: null }]);
    const next = this.cells[Math.min(at, this.cells.length - 1)]!.id;
    this.current = this.anchor = next;
    this.editing = null;
    this.#focusNext = { cell: next, edit: false };
    this.emit("toast", { level: "info", text: `${plural(ids.length, "cell")} deleted`, action: "Undo", run: () => this.undo() });
    this.version++;
  }
  copy(): void {
    const ids = this.#range();
    this.#clipboard = this.cells.filter((cell) => ids.includes(cell.id));
    void navigator.clipboard?.writeText(this.#clipboard.map((cell) => cell.source).join("\n\n")).catch(() => {});
  }
  cut(): void {
    this.copy();
    this.deleteCells();
  }
  paste(where: "above" | "below"): void {
    if (this.#clipboard.length === 0) return;
    const at = this.number(this.current ?? "") - 1;
    let after = where === "below" ? this.current : (this.cells[at - 1]?.id ?? null);
    const ops: Operation[] = [];
    const made: Cell[] = [];
    for (const cell of this.#clipboard) {
      const copy = { ...cell, id: newId([...this.cells, ...made]) };
      made.push(copy);
      ops.push({ op: "insert", cell: copy, after });
      after = copy.id;
    }
    if (
      !this.#edit(
        ops,
        made.map((cell) => ({ op: "delete", id: cell.id })),
      )
    )
      return;
    this.go(made.at(-1)!.id);
  }
  undo(): void {
    const ops = this.#undo.pop();
    if (ops === undefined || this.session === null) return;
    const redo = inverse(this.cells, ops);
    try {
      this.session.edit(ops);
      this.#redo.push(redo);
    } catch (error) {
      this.emit("toast", { level: "warning", text: `This cannot be undone any more: ${(error as Error).message}` });
    }
  }
  redo(): void {
    const ops = this.#redo.pop();
    if (ops === undefined || this.session === null) return;
    const undo = inverse(this.cells, ops);
    try {
      this.session.edit(ops);
      this.#undo.push(undo);
    } catch {
      this.#redo = [];
    }
  }
  convert(kind: CellKind): void {
    const cell = this.cells.find((other) => other.id === this.current);
    if (cell === undefined || cell.kind === kind) return;
    const ops: Operation[] = [{ op: "kind", id: cell.id, kind }];
    // a query typed as plain words becomes the template that a SQL cell is
    if (kind === "sql" && !cell.source.includes("sql`")) {
      const scope = this.session?.state ? scopeOf(this.session.state, this.cells, definitions, cell.id) : [];
      const text = cell.source.trim() === "" ? plainSource("sql", scope) : `const query = sql\`\n${cell.source.trim().replaceAll("`", "\\`")}\``;
      ops.push({ op: "edit", id: cell.id, at: 0, remove: cell.source.length, insert: text });
    }
    this.#edit(ops, inverse(this.cells, ops));
  }
  /** Cuts the cell at the caret; what the caret stood before becomes the next cell. */
  split(): void {
    const cell = this.cells.find((other) => other.id === this.current);
    const at = cell === undefined ? null : (this.#element(cell.id)?.editor?.caret ?? null);
    if (cell === undefined || at === null || byKind.has(cell.kind)) return;
    const head = cell.source.slice(0, at).replace(/\n$/, "");
    const tail = cell.source.slice(at).replace(/^\n/, "");
    const id = newId(this.cells);
    const ops: Operation[] = [
      { op: "edit", id: cell.id, at: head.length, remove: cell.source.length - head.length, insert: "" },
      { op: "insert", cell: { id, kind: cell.kind, source: tail, options: {} }, after: cell.id },
    ];
    if (
      !this.#edit(ops, [
        { op: "delete", id },
        { op: "edit", id: cell.id, at: head.length, remove: 0, insert: cell.source.slice(head.length) },
      ])
    )
      return;
    this.current = this.anchor = this.editing = id;
    this.#focusNext = { cell: id, edit: true };
    this.version++;
  }
  /** Joins the selected cells, or this one and the next, when they are of one plain kind. */
  merge(): void {
    const at = this.number(this.current ?? "") - 1;
    const chosen = this.#range().length > 1 ? this.cells.filter((cell) => this.#range().includes(cell.id)) : this.cells.slice(at, at + 2);
    const [first, ...rest] = chosen;
    if (first === undefined || rest.length === 0) return;
    if (byKind.has(first.kind) || first.kind === "sql" || rest.some((cell) => cell.kind !== first.kind)) {
      this.emit("toast", { level: "warning", text: "Only code cells, or only text cells, can be merged." });
      return;
    }
    const tail = rest.map((cell) => `${first.kind === "markdown" ? "\n\n" : "\n"}${cell.source}`).join("");
    const ops: Operation[] = [
      { op: "edit", id: first.id, at: first.source.length, remove: 0, insert: tail },
      ...rest.map((cell): Operation => ({ op: "delete", id: cell.id })),
    ];
    const undo: Operation[] = [
      { op: "edit", id: first.id, at: first.source.length, remove: tail.length, insert: "" },
      ...rest.map((cell, i): Operation => ({ op: "insert", cell, after: i === 0 ? first.id : rest[i - 1]!.id })),
    ];
    if (!this.#edit(ops, undo)) return;
    this.current = this.anchor = first.id;
    this.#focusNext = { cell: first.id, edit: false };
    this.version++;
  }
  /** Makes the cell a text cell that begins with a heading of this level. */
  heading(level: number): void {
    const cell = this.cells.find((other) => other.id === this.current);
    if (cell === undefined || byKind.has(cell.kind)) return;
    const before = /^#{1,6} +/.exec(cell.source)?.[0].length ?? 0;
    const ops: Operation[] = [
      ...(cell.kind === "markdown" ? [] : [{ op: "kind" as const, id: cell.id, kind: "markdown" as const }]),
      { op: "edit", id: cell.id, at: 0, remove: before, insert: `${"#".repeat(level)} ` },
    ];
    this.#edit(ops, inverse(this.cells, ops));
  }
  toggleForm(): void {
    const cell = this.cells.find((other) => other.id === this.current);
    if (cell !== undefined && byKind.has(cell.kind)) this.#toggle(this.#codeView, cell.id);
  }
  #toggle(set: Set<string>, id: string): void {
    if (!set.delete(id)) set.add(id);
    this.version++;
  }
  toggleOutput(): void {
    if (this.current !== null) this.#toggle(this.#folded, this.current);
  }
  unboundOutput(): void {
    if (this.current !== null) this.#toggle(this.#unbound, this.current);
  }
  toggleDisabled(): void {
    const cell = this.cells.find((other) => other.id === this.current);
    if (cell === undefined) return;
    const { disabled, ...rest } = cell.options;
    this.#edit(
      [{ op: "options", id: cell.id, options: disabled === true ? rest : { ...rest, disabled: true } }],
      [{ op: "options", id: cell.id, options: cell.options }],
    );
  }
  moveCell(delta: number): void {
    const at = this.number(this.current ?? "") - 1;
    const to = at + delta;
    if (at < 0 || to < 0 || to >= this.cells.length) return;
    const id = this.cells[at]!.id;
    const after = delta > 0 ? this.cells[to]!.id : (this.cells[to - 1]?.id ?? null);
    this.#edit([{ op: "move", id, after }], [{ op: "move", id, after: this.cells[at - 1]?.id ?? null }]);
    this.#focusNext = { cell: id, edit: false };
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
  togglePanel(side: "left" | "right"): void {
    this[side] = !this[side];
    localStorage.setItem(`touchstone.${side}`, this[side] ? "1" : "0");
  }

  // events of the cells
  #onAction = (event: CustomEvent<{ id: string; action: CellAction }>): void => {
    const { id, action } = event.detail;
    if (typeof action === "object") {
      if ("go" in action) this.go(action.go);
      else if (this.#mayWrite()) this.#do({ do: "rename", cell: id, ...action.rename });
      return;
    }
    this.current = this.anchor = id;
    switch (action) {
      case "run":
        this.editing = null;
        return this.run(id);
      case "stop":
        return this.interrupt();
      case "stop-keep":
        return this.interrupt(true);
      case "cancel":
        return this.#do({ do: "cancel", cell: id });
      case "delete":
        return this.deleteCells();
      case "duplicate":
        this.#clipboard = this.cells.filter((cell) => cell.id === id);
        return this.paste("below");
      case "up":
        return this.moveCell(-1);
      case "down":
        return this.moveCell(1);
      case "disable":
        return this.toggleDisabled();
      case "form":
        this.#codeView.delete(id);
        break;
      case "code":
        this.#codeView.add(id);
        break;
      case "fold":
        return this.toggleOutput();
      case "unbound":
        return this.unboundOutput();
      case "edit":
        return this.edit();
      case "insert-below":
        return this.openInsert("below");
      case "select":
        break;
    }
    this.version++;
  };
  #cellOf(event: Event): string | null {
    return (event.target as HTMLElement).closest<HTMLElement>("touch-cell")?.dataset["cell"] ?? null;
  }
  #onSource = (event: CustomEvent<{ at: number; remove: number; insert: string }[]>): void => {
    const id = this.#cellOf(event);
    if (id === null || this.session === null) return;
    const cell = this.cells.find((other) => other.id === id);
    if (cell?.kind === "code" && cell.source === "" && event.detail[0]?.insert === "/") {
      // the slash in an empty cell opens the menu
      const element = this.#element(id);
      if (element?.editor) {
        this.insertAt = id;
        const editor = element.editor;
        queueMicrotask(() => {
          editor.value = "";
          editor.requestUpdate("value", "/");
        });
        return;
      }
    }
    this.#edit(event.detail.map((edit) => ({ op: "edit", id, ...edit })));
  };
  #onFocus = (event: FocusEvent): void => {
    const id = this.#cellOf(event);
    if (id === null || (event.target as HTMLElement).closest("touch-insert") !== null) return;
    if (id !== this.current) this.current = this.anchor = id;
    const text = (event.target as HTMLElement).closest(".monaco-editor") !== null;
    if (text && this.editing !== id) this.editing = id;
    if (!text && this.editing === id && this.cells.find((cell) => cell.id === id)?.kind !== "markdown") this.editing = null;
  };
  #onField = (event: CustomEvent<{ path: string; value?: CallField["value"] }>): void => {
    const cell = this.#cellOf(event);
    if (cell !== null && this.#mayWrite())
      this.#do({ do: "field", cell, path: event.detail.path, ...(event.detail.value !== undefined && { value: event.detail.value }) });
  };
  #onStep = (event: CustomEvent<Extract<NextStep, { type: "insert" }>>): void => {
    const { kind, source } = event.detail;
    const asking = this.cells.find((cell) => cell.id === this.#cellOf(event));
    const state = this.session?.state;
    if (asking === undefined || state === null || state === undefined) return;
    const scope = scopeOf(state, this.cells, definitions);
    const text = source === "" ? stepSource(kind, asking, this.cells, scope, definitions) : source;
    this.insertAfter(kind as CellKind, asking.id, freshResult(text, scope));
  };
  #onLine = (event: CustomEvent<{ cell: string | null; line: number; column: number }>): void => {
    const cell = event.detail.cell ?? this.#cellOf(event);
    if (cell === null) return;
    if (byKind.has(this.cells.find((other) => other.id === cell)?.kind ?? "")) this.#codeView.add(cell);
    this.current = this.anchor = this.editing = cell;
    this.version++;
    void this.updateComplete.then(() =>
      this.#element(cell)?.updateComplete.then(() => this.#element(cell)?.editor?.goToLine(event.detail.line, event.detail.column)),
    );
  };
  #onSuggestion = (event: CustomEvent<Suggestion>): void => {
    const { action } = event.detail;
    if (action.type === "goto") this.go(action.cell);
    else if (action.type === "replace") {
      const cell = this.cells.find((other) => other.id === action.cell);
      const at = cell?.source.indexOf(action.from) ?? -1;
      if (cell !== undefined && at >= 0 && this.#edit([{ op: "edit", id: cell.id, at, remove: action.from.length, insert: action.to }]))
        this.run(cell.id);
    } else {
      const text = `npm install ${action.packages.join(" ")}`;
      void navigator.clipboard?.writeText(text).catch(() => {});
      this.emit("toast", { level: "info", text: `Copied: ${text}. Run it in workspaces/${this.workspace}.` });
    }
  };

  #act: BannerActions = {
    retry: () => this.session?.retryNow(),
    takeOver: () => this.takeOver(),
    restart: (then) => this.#do({ do: "restart", then }),
    runAll: () => this.runAll(),
    go: (cell) => this.go(cell),
    dismiss: (name) => this.#close(name),
  };

  #toolbar() {
    const session = this.session!;
    const state = session.state!;
    // what "run stale" runs: stale, edited, failed and never run, but nothing that is switched off
    const stale =
      state.badge.state === "same"
        ? 0
        : this.cells.filter((cell) => {
            const s = state.cells[cell.id];
            return s !== undefined && cell.kind !== "markdown" && cell.options.disabled !== true && (s.stale || s.edited || s.result !== "ok");
          }).length;
    const badge = badgeText(state.badge, this.number);
    const used = state.kernel.memory.at(-1) ?? 0;
    const busy = this.busy || state.kernel.state === "stopping";
    const stuck = this.#stopAt === null ? null : stopText(this.#stopAt, Date.now());
    const item = (label: string, run: () => void, off = false) =>
      html`<button
        class="menu-item"
        ?disabled=${off}
        @click=${(event: Event) => {
          (event.target as HTMLElement).closest("details")!.open = false;
          run();
        }}
      >
        ${label}
      </button>`;
    const blur = (event: FocusEvent) => {
      const menu = event.currentTarget as HTMLDetailsElement;
      if (!menu.contains(event.relatedTarget as Node | null)) menu.open = false;
    };
    const writing = session.writing;
    return html`<div class="toolbar" role="toolbar" aria-label="Notebook">
      <div class="toolbar-title">
        <h1>${state.source.front.title ?? session.doc?.source.front.title ?? this.path.replace(/\.nb\.ts$/, "")}</h1>
        <span class="hint saved"
          >${session.doc!.inflight.length + session.doc!.waiting.length > 0 ? "saving" : state.savedAt === null ? "" : `saved ${time(state.savedAt)}`}</span
        >
      </div>
      <div class="split-button">
        <button
          class="primary"
          ?disabled=${!writing}
          @click=${() => (stale > 0 && state.badge.state !== "unchecked" ? this.runStale() : this.runAll())}
        >
          ${icon("play")} ${stale > 0 && state.badge.state !== "unchecked" ? `Run stale ${stale}` : "Run all"}
        </button>
        <details class="menu" @focusout=${blur}>
          <summary class="primary" aria-label="More ways to run">${icon("chevron-down")}</summary>
          <div class="menu-list">
            ${item("Run all", () => this.runAll(), !writing)} ${item("Run stale", () => this.runStale(), !writing)}
            ${item("Run above", () => this.runAbove(), !writing)} ${item("Run this and below", () => this.runBelow(), !writing)}
            ${item("Restart and run all", () => this.#do({ do: "restart", then: "all" }), !writing)}
            ${item("Clear outputs", () => this.clearOutputs(), !writing)}
          </div>
        </details>
      </div>
      ${
        busy
          ? stuck !== null
            ? html`<button class="stop" @click=${() => this.#do({ do: "restart", then: "nothing" })}>${icon("square")} ${stuck}</button>`
            : html`<button class="stop" @click=${() => this.interrupt()}>${icon("square")} Stop</button>`
          : nothing
      }
      <button
        class="quiet"
        title="Auto: what depends on a change runs by itself. Lazy: it is marked stale."
        ?disabled=${!writing}
        @click=${() => this.toggleMode()}
      >
        mode: ${state.mode === "auto" ? "Auto" : "Lazy"}
      </button>
      <details class="menu badge badge-${state.badge.state}" @focusout=${blur}>
        <summary>${icon(badge.icon)} <span>${badge.text}</span></summary>
        <div class="menu-list">
          ${
            state.badge.state === "same"
              ? html`<p class="hint">Every cell ran with the code and the inputs that it has now.</p>`
              : html`${state.badge.state === "unchecked" ? html`<p class="hint">${state.badge.why}</p>` : nothing}
                ${state.badge.cells.map((cell) => item(`cell ${this.number(cell)} ${state.cells[cell]?.defines[0] ?? cell}`, () => this.go(cell)))}`
          }
        </div>
      </details>
      <span class="meter" title="Memory of the kernel and its limit"
        >${
          state.kernel.state === "none"
            ? html`<span class="hint">no kernel</span>`
            : html`${used > 0 ? bytes(used) : ""}
              ${used > 0.8 * state.kernel.memoryLimit && state.kernel.memoryLimit > 0 ? html`<strong class="high">high</strong>` : nothing}
              ${spark(state.kernel.memory, state.kernel.memoryLimit)}`
        }</span
      >
      <span class="hint kernel-state">${state.kernel.state === "none" ? "" : state.kernel.state}</span>
      <button class="quiet panel-toggle" aria-pressed=${String(this.left)} @click=${() => this.togglePanel("left")}>
        ${icon("list-tree")} Outline
      </button>
      <button class="quiet panel-toggle" aria-pressed=${String(this.right)} @click=${() => this.togglePanel("right")}>
        ${icon("table-2")} Variables
      </button>
      <details class="menu" @focusout=${blur}>
        <summary aria-label="More">${icon("ellipsis")}</summary>
        <div class="menu-list">
          ${item("Restart the kernel", () => this.restart())} ${item("Shut down the kernel", () => this.shutdown())}
          ${item("Save now", () => this.save())} ${item("Take over writing", () => this.takeOver(), writing)}
          ${item("Copy link", () => void navigator.clipboard?.writeText(location.href.split("#")[0]!))}
        </div>
      </details>
    </div>`;
  }

  #insertLine(after: string) {
    if (this.insertAt === after)
      return html`<touch-insert
        .definitions=${definitions}
        @insert-kind=${(event: CustomEvent<CellKind>) => this.insertAfter(event.detail, after === "" ? null : after)}
        @insert-close=${() => {
          this.insertAt = null;
          if (this.current !== null) this.#focusNext = { cell: this.current, edit: false };
          this.version++;
        }}
      ></touch-insert>`;
    return html`<div class="insert-line">
      <button class="insert-button" ?disabled=${this.session?.writing !== true} @click=${() => (this.insertAt = after)}>
        ${icon("plus")} <span>Insert</span>
      </button>
    </div>`;
  }

  #query = (query: Parameters<NotebookSession["query"]>[0]): Promise<unknown> => this.session!.query(query);

  protected override render() {
    const { session } = this;
    if (session === null) return nothing;
    if (session.failure !== null)
      return html`<section class="empty">
        <h1>This notebook cannot be opened</h1>
        <p>${session.failure}</p>
        <a class="button" href="/">Home</a>
      </section>`;
    const { state } = session;
    if (state === null)
      return html`<section class="empty" aria-busy="true">
        <p class="hint">${session.link === "lost" ? "The server does not answer. Trying again." : "Opening the notebook"}</p>
      </section>`;
    const { cells } = this;
    const scope = scopeOf(state, cells, definitions);
    const readers = new Map<string, string[]>();
    for (const cell of cells) for (const name of state.cells[cell.id]?.uses ?? []) readers.set(name, [...(readers.get(name) ?? []), cell.id]);
    const selected = new Set(this.#range());
    const writing = session.writing;
    const problems = problemsOf(cells, state);
    const largest = [...state.variables]
      .sort((a, b) => (b.size ?? 0) - (a.size ?? 0))
      .slice(0, 3)
      .filter((v) => (v.size ?? 0) > 0)
      .map((v) => `${v.name} ${bytes(v.size!)}`);
    const banner = bannerOf({ session, now: Date.now(), closed: this.closed, number: this.number, largest }, this.#act);
    const empty = cells.length === 0 || (cells.length === 1 && cells[0]!.source === "");
    return html`
      ${this.#toolbar()} ${bannerView(banner, this.#act)}
      <div class="notebook-body ${this.left ? "with-left" : ""} ${this.right ? "with-right" : ""}">
        ${
          this.left
            ? html`<aside class="panel left" id="outline" aria-label="Outline">
                <h2>Outline</h2>
                ${outlinePanel(cells, state, this.current, (cell) => this.go(cell))}
              </aside>`
            : nothing
        }
        <div
          class="cells"
          id="cells"
          @cell-action=${this.#onAction}
          @source-edit=${this.#onSource}
          @focusin=${this.#onFocus}
          @form-field=${this.#onField}
          @insert-step=${this.#onStep}
          @go-line=${this.#onLine}
          @suggestion=${this.#onSuggestion}
          @show-code=${(event: Event) => {
            const id = this.#cellOf(event);
            if (id !== null) {
              this.#codeView.add(id);
              this.version++;
            }
          }}
          @grid-leave=${() => this.leave()}
        >
          ${this.#insertLine("")}
          <div role="list" aria-label="Cells">
            ${repeat(
              cells,
              (cell) => cell.id,
              (cell, i) => {
                const s = state.cells[cell.id] ?? blankCell;
                return html`<div role="listitem">
                  <touch-cell
                    .cell=${cell}
                    .state=${s}
                    .outputs=${state.outputs[cell.id] ?? none}
                    .number=${i + 1}
                    .definition=${byKind.get(cell.kind) ?? null}
                    .scope=${byKind.has(cell.kind) || s.problems.length > 0 ? scope : none}
                    .selected=${selected.has(cell.id)}
                    .editing=${this.editing === cell.id}
                    .form=${!this.#codeView.has(cell.id)}
                    .folded=${this.#folded.has(cell.id)}
                    .bounded=${!this.#unbound.has(cell.id)}
                    .writing=${writing}
                    .from=${state.outputsFrom[cell.id] ?? null}
                    .query=${this.#query}
                    .notebook=${state.path}
                    .usedBy=${users(s.defines, readers)}
                    .hint=${empty ? "TypeScript. Type / to insert a cell" : ""}
                  ></touch-cell>
                  ${this.#insertLine(cell.id)}
                </div>`;
              },
            )}
          </div>
          ${
            empty
              ? html`<div class="chips starters">
                  ${(["sql", "baseline", "markdown"] as CellKind[]).filter((kind) => kind === "sql" || kind === "markdown" || byKind.has(kind)).map((kind) => html`<button @click=${() => this.insertAfter(kind, cells[0]?.id ?? null)}>${kind === "sql" ? "SQL" : kind === "markdown" ? "Text" : "Baseline"}</button>`)}
                  <a class="button" href="/">Open an example</a>
                </div>`
              : nothing
          }
        </div>
        ${
          this.right
            ? html`<aside class="panel right" aria-label="Variables and problems">
                <div class="tabs" role="tablist">
                  ${(["variables", "problems"] as const).map(
                    (tab) =>
                      html`<button
                        role="tab"
                        id="tab-${tab}"
                        aria-selected=${String(this.tab === tab)}
                        aria-controls="panel-right"
                        @click=${() => (this.tab = tab)}
                      >
                        ${tab === "variables" ? "Variables" : `Problems ${problems.length > 0 ? problems.length : ""}`}
                      </button>`,
                  )}
                </div>
                <div role="tabpanel" id="panel-right" aria-labelledby="tab-${this.tab}">
                  ${this.tab === "variables" ? variablesPanel(state, (cell) => this.go(cell)) : problemsPanel(problems, this.number, (cell) => this.go(cell))}
                </div>
              </aside>`
            : nothing
        }
      </div>
    `;
  }
}
const none: never[] = [];
/** one array a list of names, so that cells are not drawn again for nothing */
const lists = new Map<string, string[]>();
function users(defines: string[], readers: Map<string, string[]>): string[] {
  const found = [...new Set(defines.flatMap((name) => readers.get(name) ?? []))];
  if (found.length === 0) return none;
  const key = found.join("\0");
  if (!lists.has(key)) lists.set(key, found);
  return lists.get(key)!;
}

/** Operations that take `ops` back, for cells as they are before. */
function inverse(cells: Cell[], ops: Operation[]): Operation[] {
  const out: Operation[] = [];
  for (const op of ops) {
    const at = "id" in op ? cells.findIndex((cell) => cell.id === op.id) : -1;
    const cell = cells[at];
    const before = cells[at - 1]?.id ?? null;
    if (op.op === "insert") out.unshift({ op: "delete", id: op.cell.id });
    else if (cell === undefined) continue;
    else if (op.op === "delete") out.unshift({ op: "insert", cell, after: before });
    else if (op.op === "move") out.unshift({ op: "move", id: op.id, after: before });
    else if (op.op === "kind") out.unshift({ op: "kind", id: op.id, kind: cell.kind });
    else if (op.op === "options") out.unshift({ op: "options", id: op.id, options: cell.options });
    else if (op.op === "edit")
      out.unshift({ op: "edit", id: op.id, at: op.at, remove: op.insert.length, insert: cell.source.slice(op.at, op.at + op.remove) });
  }
  return out;
}
define("touch-notebook", TouchNotebook);
