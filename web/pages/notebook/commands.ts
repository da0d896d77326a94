/** What keys, palette and menus ask of the notebook: runs, edits of cells, folds. */
import { definitions } from "../../../kernels/cells/definitions.js";
import type { Cell, CellKind, Operation } from "../../../kernels/protocol/document.js";
import type { Edit } from "../../../kernels/protocol/language.js";
import type { NotebookControl } from "../../app/actions.js";
import type { Aside } from "../../controllers/document.js";
import type { ReportFacts } from "../../../kernels/protocol/http.js";
import { api, ApiError } from "../../controllers/api.js";
import { download } from "../../controllers/download.js";
import { relationRows } from "../../controllers/rows.js";
import { badgeText } from "../../controllers/session.js";
import { plural, time } from "../../controllers/format.js";
import { cellFor } from "../../controllers/upload.js";
import { freshResult, newId, plainSource, scopeOf } from "../../controllers/scope.js";
import { byKind, NotebookBase, type LeftTab } from "./base.js";
import { caching, conversion, deletion, disabling, headed, insertion, inverse, lazing, merging, moving, pasting, splitting } from "./changes.js";
import { Finder } from "./find.js";
import type { Compared } from "./history.js";
import { restoring, restoringCell } from "./restoring.js";
import type { PackageChange } from "./packages.js";
import "./kernel-log.js";
import type { TouchKernelLog } from "./kernel-log.js";
import { deciding, pairsOf, takingBack, type Decision } from "./pairs.js";

export class NotebookCommands extends NotebookBase implements NotebookControl {
  clipboard: Cell[] = [];
  readonly finder = new Finder(this);
  /** code has line numbers, on this computer */
  numbers = localStorage.getItem("touchstone.numbers") === "1";

  find(): void {
    this.finder.open();
  }
  toggleNumbers(): void {
    this.numbers = !this.numbers;
    localStorage.setItem("touchstone.numbers", this.numbers ? "1" : "0");
    this.version++;
    this.emit("say", { text: this.numbers ? "Line numbers are shown" : "Line numbers are hidden" });
  }

  run(cell: string | null = this.current): void {
    if (cell === null) return;
    const ids = this.range().includes(cell) ? this.range() : [cell];
    const cells = ids.filter((id) => this.cells.find((other) => other.id === id)?.kind !== "markdown");
    if (this.cells.find((other) => other.id === cell)?.kind === "markdown") this.editing = null;
    if (cells.length > 0 && this.mayWrite()) this.do({ do: "run", cells });
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
    this.show(next.id);
  }
  runInsert(): void {
    this.run();
    this.insert("code", "below", true);
  }
  runAll(): void {
    if (this.mayWrite()) this.do({ do: "run-all" });
  }
  runStale(): void {
    if (this.mayWrite()) this.do({ do: "run-stale" });
  }
  runAbove(): void {
    const cells = this.cells
      .slice(0, Math.max(0, this.number(this.current ?? "") - 1))
      .filter((cell) => cell.kind !== "markdown")
      .map((cell) => cell.id);
    if (cells.length > 0 && this.mayWrite()) this.do({ do: "run", cells });
  }
  runBelow(): void {
    if (this.current !== null && this.mayWrite()) this.do({ do: "run-from", cell: this.current });
  }
  interrupt(soft = false): void {
    if (!this.busy && this.session?.state?.kernel.state !== "stopping") return;
    this.do({ do: "interrupt", soft });
  }
  compare(): void {
    if (this.mayWrite()) this.do({ do: "compare" });
  }
  resetControls(): void {
    if (this.mayWrite()) this.do({ do: "reset", cell: null });
  }
  cancelAll(): void {
    this.do({ do: "cancel", cell: null });
  }
  restart(): void {
    this.emit("confirm", {
      title: "Restart the kernel?",
      text: "Variables are dropped; outputs stay and are dimmed.",
      action: "Restart",
      run: () => {
        this.do({ do: "restart", then: "nothing" });
        this.emit("toast", { level: "info", text: "Restarted" });
      },
    });
  }
  showLog(): void {
    void this.querySelector<TouchKernelLog>("touch-kernel-log")?.open();
  }
  shutdown(): void {
    this.do({ do: "shutdown" });
  }
  clearOutputs(): void {
    if (this.mayWrite()) this.do({ do: "clear", cell: null });
  }
  toggleMode(): void {
    if (this.session?.state && this.mayWrite()) this.do({ do: "mode", mode: this.session.state.mode === "auto" ? "lazy" : "auto" });
  }
  save(): void {
    this.do({ do: "flush" });
  }
  takeOver(): void {
    this.do({ do: "write" });
  }
  /** Text that could not be sent: becomes the writer first where another is. */
  async putBack(aside: Aside): Promise<void> {
    try {
      if (this.session?.writing === false) await this.session.command({ do: "write" });
      this.session?.putBack(aside, newId(this.cells));
    } catch (error) {
      this.emit("toast", { level: "error", text: (error as Error).message });
    }
  }
  /** `edit`: with the caret in it; the keys of selected mode stay there, as in Jupyter. */
  insert(kind: CellKind, where: "above" | "below", edit = false): void {
    const at = this.number(this.current ?? "") - 1;
    const after = where === "below" ? (this.cells[Math.max(at, 0)]?.id ?? null) : (this.cells[at - 1]?.id ?? null);
    this.insertAfter(kind, after, undefined, edit);
  }
  insertAfter(kind: CellKind, after: string | null, source?: string, caret = true): void {
    const state = this.session?.state ?? null;
    if (state === null) return;
    const at = after === null ? 0 : this.number(after);
    const scope = scopeOf(state, this.cells, definitions, this.cells[at]?.id ?? null);
    const definition = byKind.get(kind);
    const text =
      source ??
      (definition !== undefined
        ? freshResult(definition.toSource(scope), scopeOf(state, this.cells, definitions))
        : plainSource(kind as "code", scope));
    if (this.change({ ...insertion(this.cells, kind, after, text), caret: definition === undefined && caret })) this.insertAt = null;
  }
  chooseFiles(): void {
    const input = document.createElement("input");
    input.type = "file";
    input.multiple = true;
    input.addEventListener("change", () => void this.addFiles([...(input.files ?? [])]));
    input.click();
  }
  /** Uploads files into the workspace's data folder, and puts a cell that reads each below the selected one. */
  async addFiles(files: readonly File[]): Promise<void> {
    if (files.length === 0 || !this.mayWrite()) return;
    await Promise.all(
      files.map(async (file) => {
        const path = await this.uploads.add(file, this.workspace);
        if (path === null) return;
        const taken = new Set(Object.values(this.session?.state?.cells ?? {}).flatMap((cell) => cell.defines));
        const { kind, source } = cellFor(path, taken);
        this.insertAfter(kind, this.current, source, false);
        this.emit("toast", { level: "info", text: `Uploaded ${path}` });
      }),
    );
  }
  openInsert(where: "above" | "below"): void {
    if (!this.mayWrite()) return;
    const at = this.number(this.current ?? "") - 1;
    this.insertAt = where === "below" ? (this.current ?? "") : (this.cells[at - 1]?.id ?? "");
  }
  deleteCells(): void {
    const ids = this.range();
    if (ids.length === 0 || !this.change(deletion(this.cells, ids))) return;
    if (this.cells.length === 0) this.session!.edit([{ op: "insert", cell: { id: newId([]), kind: "code", source: "", options: {} }, after: null }]);
    if (ids.includes(this.current ?? "") || this.cells.length === 1) this.show(this.cells[0]!.id);
    this.emit("toast", { level: "info", text: `${plural(ids.length, "cell")} deleted`, action: "Undo", run: () => this.undo() });
  }
  copy(): void {
    const ids = this.range();
    this.clipboard = this.cells.filter((cell) => ids.includes(cell.id));
    void navigator.clipboard?.writeText(this.clipboard.map((cell) => cell.source).join("\n\n")).catch(() => {});
  }
  cut(): void {
    this.copy();
    this.deleteCells();
  }
  paste(where: "above" | "below"): void {
    const at = this.number(this.current ?? "") - 1;
    const after = where === "below" ? this.current : (this.cells[at - 1]?.id ?? null);
    const change = pasting(this.cells, this.clipboard, after);
    if (this.change(change) && change.select !== undefined) this.go(change.select);
  }
  convert(kind: CellKind): void {
    const cell = this.selected;
    if (cell === undefined || cell.kind === kind) return;
    const state = this.session?.state ?? null;
    this.change(conversion(this.cells, cell, kind, state === null ? [] : scopeOf(state, this.cells, definitions, cell.id)));
  }
  /** Cuts the cell at the caret; what the caret stood before becomes the next cell. */
  split(): void {
    const cell = this.selected;
    const at = cell === undefined ? null : (this.element(cell.id)?.editor?.caret ?? null);
    if (cell !== undefined && at !== null && !byKind.has(cell.kind)) this.change(splitting(this.cells, cell, at));
  }
  /** Joins the selected cells, or this one and the next, when they are of one plain kind. */
  merge(): void {
    const at = this.number(this.current ?? "") - 1;
    const ids = this.range();
    const chosen = ids.length > 1 ? this.cells.filter((cell) => ids.includes(cell.id)) : this.cells.slice(at, at + 2);
    if (at < 0 || chosen.length < 2) return;
    const change = merging(chosen);
    if (change === null) this.emit("toast", { level: "warning", text: "Only code cells, or only text cells, can be merged." });
    else this.change(change);
  }
  /** Makes the cell a text cell that begins with a heading of this level. */
  heading(level: number): void {
    const cell = this.selected;
    if (cell !== undefined && !byKind.has(cell.kind)) this.change(headed(this.cells, cell, level));
  }
  /** Asks the language service for the edits; a cell that changes meanwhile, or does not parse, stays as it is. */
  async format(which: "selected" | "all"): Promise<void> {
    const { session } = this;
    if (session === null || !this.mayWrite()) return;
    const ids = which === "all" ? this.cells.map((cell) => cell.id) : this.range();
    const cells = this.cells.filter((cell) => ids.includes(cell.id) && cell.kind !== "markdown");
    const failed: string[] = [];
    const edits: Edit[] = [];
    for (const { id, source } of cells) {
      try {
        const found = ((await session.command({ do: "language", question: { ask: "format", cell: id } })) as { value: Edit[] }).value;
        if (this.cells.find((cell) => cell.id === id)?.source === source) edits.push(...found);
        else failed.push(`Cell ${this.number(id)} was changed meanwhile.`);
      } catch (error) {
        failed.push((error as Error).message.replace(/^The cell/, `Cell ${this.number(id)}`));
      }
    }
    for (const text of failed.slice(0, 3)) this.emit("toast", { level: "warning", text });
    // in the cell with the caret it is the editor's own change: its undo takes it back
    const [cell] = cells;
    if (cells.length === 1 && this.editing === cell!.id && edits.length > 0 && this.element(cell!.id)?.editor?.applyEdits(edits) === true) return;
    const ops = edits.map(({ cell: id, at, remove, insert }): Operation => ({ op: "edit", id, at, remove, insert }));
    this.change({ ops, undo: inverse(this.cells, ops) });
    if (edits.length === 0 && failed.length === 0) this.emit("say", { text: "Nothing to format" });
  }
  inEditor(action: string): void {
    if (this.current !== null) void this.element(this.current)?.editor?.act(action);
  }
  toggleCache(): void {
    const cell = this.selected;
    if (cell !== undefined && cell.kind !== "markdown" && cell.kind !== "promote") this.change(caching(cell));
  }
  /** Forgets what is kept of the cell on disk, and runs it. */
  runFresh(): void {
    if (this.current !== null && this.mayWrite()) this.do({ do: "run", cells: [this.current], fresh: true });
  }
  toggleLazy(): void {
    const cell = this.selected;
    if (cell !== undefined && cell.kind !== "markdown") this.change(lazing(cell, byKind.get(cell.kind)?.costly === true));
  }
  toggleDisabled(): void {
    if (this.selected !== undefined) this.change(disabling(this.selected));
  }
  /** Shows what differs from a saved point, in the place of the cells. */
  showComparison(compared: Compared): void {
    this.compared = compared;
    if (innerWidth < 1024) this.left = false;
    void this.updateComplete.then(() => this.querySelector<HTMLElement>("#comparison-title")?.focus());
  }
  closeComparison(): void {
    const id = this.compared?.point.id;
    this.compared = null;
    void this.updateComplete.then(() => {
      const point = this.left && id !== undefined ? this.querySelector<HTMLElement>(`.point[data-point="${CSS.escape(id)}"]`) : null;
      if (point !== null) point.focus();
      else if (this.current !== null) this.show(this.current);
    });
  }
  /** Back to a saved point, or one cell of it: an edit like any other. */
  restorePoint({ point, source }: Compared, cell?: string): void {
    const now = this.session?.doc?.source;
    if (now === undefined) return;
    const { select: _, ...change } = cell === undefined ? restoring(now, source) : restoringCell(now, source, cell);
    if (!this.change(change)) return;
    if (cell === undefined) this.closeComparison();
    const what = cell === undefined ? "The notebook is" : `Cell ${cell} is`;
    this.emit("toast", { level: "info", text: `${what} as at ${time(point.at)}`, action: "Undo", run: () => this.undo() });
  }
  /** The notebook as it stands here, as one HTML file. */
  async exportHtml(): Promise<void> {
    const state = this.session?.state;
    if (state === null || state === undefined) return;
    try {
      const [{ draw }, { report }] = await Promise.all([import("../../report/export.js"), import("../../report/report.js")]);
      const { cells } = this;
      const kinds = new Map<string, string>([["code", "Code"], ["sql", "SQL"], ...definitions.map(({ kind, title }) => [kind, title] as const)]);
      const name = this.path
        .split("/")
        .at(-1)!
        .replace(/\.nb\.ts$/, "");
      const title = this.session?.doc?.source.front.title ?? name;
      const date = new Date().toLocaleString("en-GB", { dateStyle: "long", timeStyle: "short" });
      const badge = badgeText(state.badge, this.number).text;
      const facts = await api.get<ReportFacts>(`/api/ts/report?path=${encodeURIComponent(state.path)}`);
      const drawn = await draw(cells, state.outputs, (view) => relationRows(view, this.query, state.path).count([]));
      download(`${name}.html`, "text/html", report({ title, path: state.path, state, cells, badge, date, kinds, drawn, facts }));
    } catch (error) {
      this.emit("toast", { level: "error", text: `The report could not be made: ${(error as Error).message}` });
    }
  }
  /** npm in the workspace; false when it did not work, which the line under the toolbar tells. */
  async changePackages({ task, packages }: PackageChange): Promise<boolean> {
    if (!this.mayWrite()) return false;
    try {
      await api.post(`/api/ts/packages/${task}`, { path: this.session?.state?.path ?? "", packages });
      return true;
    } catch (error) {
      // the rest is told to every client
      if (!(error instanceof ApiError) || !["failed", "cancelled"].includes(error.code))
        this.emit("toast", { level: "error", text: (error as Error).message });
      return false;
    }
  }
  cancelPackages(): void {
    api
      .delete(`/api/ts/packages/install?path=${encodeURIComponent(this.session?.state?.path ?? "")}`)
      .catch((error: Error) => this.emit("toast", { level: "error", text: error.message }));
  }
  /** Opens a tab of the left panel and puts the focus there. */
  showLeft(tab: LeftTab): void {
    this.left = true;
    this.leftTab = tab;
    void this.updateComplete.then(() => this.querySelector<HTMLElement>(`#left-tab-${tab}`)?.focus());
  }
  /** Cells changed here and in the file: of these pairs (none named: of all) one version stays, or both do. */
  decide(decision: Decision, ids: readonly string[] = [...pairsOf(this.cells).keys()]): void {
    const change = deciding(this.cells, ids, decision);
    const n = change.ops.filter((op) => op.op === (decision === "both" ? "options" : "delete")).length;
    if (!this.change(change)) return;
    const words = { mine: "yours kept", theirs: "the file's taken", both: "both kept" }[decision];
    this.emit("toast", { level: "info", text: `${plural(Math.max(1, n), "cell")} decided: ${words}`, action: "Undo", run: () => this.undo() });
  }
  /** What another program changed in the file is taken back; what was typed since stays. */
  refuseOutside(): void {
    const { session } = this;
    if (session?.outside == null || session.doc === null) return;
    const { before, after } = session.outside;
    if (!this.change(takingBack(before, after, session.doc.source))) {
      if (session.writing) this.close("outside");
      return;
    }
    this.close("outside");
    this.emit("toast", { level: "info", text: "The file's change was taken back", action: "Undo", run: () => this.undo() });
  }
  moveCell(delta: number): void {
    if (this.change(moving(this.cells, this.number(this.current ?? "") - 1, delta)) && this.current !== null)
      this.focusNext = { cell: this.current, edit: false };
  }
  toggleForm(): void {
    if (this.selected !== undefined && byKind.has(this.selected.kind)) this.#toggle(this.codeView);
  }
  toggleOutput(): void {
    this.#toggle(this.folded);
  }
  unboundOutput(): void {
    this.#toggle(this.unbound);
  }
  #toggle(set: Set<string>): void {
    if (this.current === null) return;
    if (!set.delete(this.current)) set.add(this.current);
    this.version++;
  }
  togglePanel(side: "left" | "right"): void {
    this[side] = !this[side];
    localStorage.setItem(`touchstone.${side}`, this[side] ? "1" : "0");
  }
}
