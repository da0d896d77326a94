/**
 * Every command of the page, once: keys, palette, menus, the key list and the tests are drawn from here.
 * `where`: anywhere; cells (focus in the cell list, also in an editor); editor (code is edited); selected (a cell has the focus, no text is edited).
 */
import type { CellKind } from "../../kernels/protocol/document.js";

export type Where = "anywhere" | "outside" | "cells" | "editor" | "selected";

export interface AppControl {
  go(href: string): void;
  openPalette(query?: string): void;
  openKeys(): void;
  setTheme(theme: "system" | "light" | "dark"): void;
  newNotebook(): Promise<void>;
}

export interface NotebookControl {
  /** id of the selected cell */
  current: string | null;
  busy: boolean;
  run(cell?: string): void;
  runAdvance(): void;
  runInsert(): void;
  runAll(): void;
  runStale(): void;
  runAbove(): void;
  runBelow(): void;
  interrupt(soft?: boolean): void;
  restart(): void;
  shutdown(): void;
  clearOutputs(): void;
  /** asks for files of this computer and uploads them */
  chooseFiles(): void;
  toggleMode(): void;
  insert(kind: CellKind, where: "above" | "below", edit?: boolean): void;
  openInsert(where: "above" | "below"): void;
  deleteCells(): void;
  cut(): void;
  copy(): void;
  paste(where: "above" | "below"): void;
  undo(): void;
  redo(): void;
  convert(kind: CellKind): void;
  split(): void;
  merge(): void;
  heading(level: number): void;
  /** spaces and line starts of the selected cells, or of all */
  format(which: "selected" | "all"): Promise<void>;
  /** one of the editor's own actions, at the caret of the selected cell */
  inEditor(action: string): void;
  /** find and replace over all cells */
  find(): void;
  toggleNumbers(): void;
  toggleForm(): void;
  toggleOutput(): void;
  unboundOutput(): void;
  toggleDisabled(): void;
  toggleLazy(): void;
  toggleCache(): void;
  runFresh(): void;
  cancelAll(): void;
  resetControls(): void;
  compare(): void;
  select(delta: number, extend?: boolean): void;
  moveCell(delta: number): void;
  edit(): void;
  leave(): void;
  problem(delta: number): void;
  attention(delta: number): void;
  togglePanel(side: "left" | "right"): void;
  exportHtml(): Promise<void>;
  showLeft(tab: "outline" | "packages" | "history"): void;
  save(): void;
  takeOver(): void;
  /** of every cell that was changed here and in the file */
  decide(decision: "mine" | "theirs" | "both"): void;
}

export interface Context {
  app: AppControl;
  notebook: NotebookControl | null;
}

export interface Action {
  name: string;
  label: string;
  keys: string[];
  where: Where;
  /** needs a notebook */
  notebook?: true;
  icon?: string;
  /** not in the palette: it has no meaning away from its key */
  silent?: true;
  run(context: Context): void;
}

type Run = (notebook: NotebookControl) => void;
const on = (name: string, label: string, where: Where, keys: string[], run: Run, more: Partial<Action> = {}): Action => ({
  name,
  label,
  keys,
  where,
  notebook: true,
  run: (context) => {
    if (context.notebook !== null) run(context.notebook);
  },
  ...more,
});
const app = (name: string, label: string, where: Where, keys: string[], run: (app: AppControl) => void, more: Partial<Action> = {}): Action => ({
  name,
  label,
  keys,
  where,
  run: (context) => run(context.app),
  ...more,
});

export const actions: Action[] = [
  app("palette", "Search or run a command", "anywhere", ["Mod+k", "F1"], (a) => a.openPalette(), { icon: "search", silent: true }),
  app("home", "Go to Home", "outside", ["g h"], (a) => a.go("/"), { icon: "house" }),
  app("models", "Go to Models", "outside", ["g m"], (a) => a.go("/models"), { icon: "box" }),
  app("review", "Go to Review", "outside", ["g v"], (a) => a.go("/review"), { icon: "inbox" }),
  app("settings", "Go to Settings", "outside", ["g s"], (a) => a.go("/settings"), { icon: "settings" }),
  app("new-notebook", "New notebook", "anywhere", [], (a) => void a.newNotebook(), { icon: "plus" }),
  app("theme-dark", "Theme: dark", "anywhere", [], (a) => a.setTheme("dark"), { icon: "moon" }),
  app("theme-light", "Theme: light", "anywhere", [], (a) => a.setTheme("light"), { icon: "sun" }),
  app("theme-system", "Theme: follow the system", "anywhere", [], (a) => a.setTheme("system"), { icon: "settings" }),
  app("keys", "Keyboard shortcuts", "outside", ["?", "h"], (a) => a.openKeys(), { icon: "info" }),

  on("run-next", "Run cell, go to the next", "cells", ["Shift+Enter"], (n) => n.runAdvance(), { icon: "play" }),
  on("run", "Run cell", "cells", ["Mod+Enter"], (n) => n.run(), { icon: "play" }),
  on("run-insert", "Run cell, insert below", "cells", ["Alt+Enter"], (n) => n.runInsert(), { icon: "play" }),
  on("run-stale", "Run all stale cells", "anywhere", ["Mod+Shift+Enter"], (n) => n.runStale(), { icon: "refresh-cw" }),
  on("run-all", "Run all cells", "anywhere", [], (n) => n.runAll(), { icon: "play" }),
  on("run-above", "Run all cells above", "anywhere", [], (n) => n.runAbove(), { icon: "play" }),
  on("run-below", "Run from here: this cell, all below and what depends on it", "anywhere", [], (n) => n.runBelow(), { icon: "play" }),
  on("stop", "Stop the running cell", "anywhere", ["Mod+Alt+."], (n) => n.interrupt(), { icon: "square" }),
  on("stop-selected", "Stop", "selected", ["i i", "Mod+."], (n) => n.interrupt(), { silent: true }),
  on("stop-keep", "Stop and keep the best", "anywhere", [], (n) => n.interrupt(true), { icon: "square" }),
  on("restart", "Restart the kernel", "selected", ["0 0"], (n) => n.restart(), { icon: "refresh-cw" }),
  on("shutdown", "Shut down the kernel", "anywhere", [], (n) => n.shutdown(), { icon: "square" }),
  on("mode", "Switch between Auto and Lazy", "anywhere", [], (n) => n.toggleMode(), { icon: "zap" }),
  on("save", "Save now", "anywhere", ["Mod+s"], (n) => n.save(), { icon: "download" }),
  on("take-over", "Take over writing", "anywhere", [], (n) => n.takeOver(), { icon: "pencil" }),
  on("left-panel", "Show or hide the left panel", "anywhere", ["Mod+b"], (n) => n.togglePanel("left"), { icon: "list-tree" }),
  on("right-panel", "Show or hide the right panel", "anywhere", ["Mod+j"], (n) => n.togglePanel("right"), { icon: "list-tree" }),
  on("export-html", "Export HTML: one file that opens offline", "anywhere", [], (n) => void n.exportHtml(), { icon: "file-text" }),
  on("history", "History: saved points of the notebook", "anywhere", [], (n) => n.showLeft("history"), { icon: "clock" }),
  on("packages", "Packages of the workspace", "anywhere", [], (n) => n.showLeft("packages"), { icon: "box" }),
  on("next-problem", "Next problem", "anywhere", ["F8"], (n) => n.problem(1), { icon: "triangle-alert" }),
  on("previous-problem", "Previous problem", "anywhere", ["Shift+F8"], (n) => n.problem(-1), { icon: "triangle-alert" }),

  on("edit", "Edit the cell", "selected", ["Enter"], (n) => n.edit(), { icon: "pencil" }),
  on("leave", "Leave the editor", "cells", ["Escape"], (n) => n.leave(), { silent: true }),
  on("down", "Select the next cell", "selected", ["ArrowDown", "j"], (n) => n.select(1), { silent: true }),
  on("up", "Select the previous cell", "selected", ["ArrowUp", "k"], (n) => n.select(-1), { silent: true }),
  on("extend-down", "Extend the selection down", "selected", ["Shift+ArrowDown"], (n) => n.select(1, true), { silent: true }),
  on("extend-up", "Extend the selection up", "selected", ["Shift+ArrowUp"], (n) => n.select(-1, true), { silent: true }),
  on("move-down", "Move the cell down", "selected", ["Alt+ArrowDown"], (n) => n.moveCell(1), { icon: "arrow-down" }),
  on("move-up", "Move the cell up", "selected", ["Alt+ArrowUp"], (n) => n.moveCell(-1), { icon: "arrow-up" }),
  on("insert-above", "Insert a cell above", "selected", ["a"], (n) => n.insert("code", "above"), { icon: "plus" }),
  on("insert-below", "Insert a cell below", "selected", ["b"], (n) => n.insert("code", "below"), { icon: "plus" }),
  on("insert-menu", "Insert a cell of a kind ...", "selected", ["/"], (n) => n.openInsert("below"), { icon: "plus" }),
  on("cut", "Cut the cell", "selected", ["x"], (n) => n.cut(), { icon: "copy" }),
  on("copy", "Copy the cell", "selected", ["c"], (n) => n.copy(), { icon: "copy" }),
  on("paste", "Paste below", "selected", ["v"], (n) => n.paste("below"), { icon: "copy" }),
  on("paste-above", "Paste above", "selected", ["Shift+v"], (n) => n.paste("above"), { icon: "copy" }),
  on("delete", "Delete the cell", "selected", ["d d"], (n) => n.deleteCells(), { icon: "trash-2" }),
  on("undo", "Undo the cell change", "selected", ["z"], (n) => n.undo(), { icon: "undo-2" }),
  on("redo", "Redo the cell change", "selected", ["Shift+z"], (n) => n.redo(), { icon: "undo-2" }),
  on("to-markdown", "Make it Markdown", "selected", ["m"], (n) => n.convert("markdown"), { icon: "text" }),
  on("to-code", "Make it code", "selected", ["y"], (n) => n.convert("code"), { icon: "code" }),
  on("to-sql", "Make it SQL", "selected", ["q"], (n) => n.convert("sql"), { icon: "database" }),
  on("split", "Split the cell at the caret", "cells", ["Mod+Shift+-", "Mod+Shift+_"], (n) => n.split(), { icon: "code" }),
  on("merge", "Merge with the next cell", "selected", ["Shift+m"], (n) => n.merge(), { icon: "code" }),
  on("format", "Format the cell", "cells", ["Alt+Shift+f"], (n) => void n.format("selected"), { icon: "code" }),
  on("format-all", "Format all cells", "anywhere", [], (n) => void n.format("all"), { icon: "code" }),
  on("definition", "Go to the definition of the name at the caret", "editor", ["F12"], (n) => n.inEditor("touch.definition"), { icon: "search" }),
  on("references", "Show all uses of the name at the caret", "editor", ["Shift+F12"], (n) => n.inEditor("touch.references"), { icon: "search" }),
  on("rename", "Rename the name at the caret in all cells", "editor", ["F2"], (n) => n.inEditor("editor.action.rename"), { icon: "pencil" }),
  on("quick-fix", "Quick fix at the caret", "editor", ["Mod+."], (n) => n.inEditor("editor.action.quickFix"), { icon: "zap" }),
  ...[1, 2, 3, 4, 5, 6].map((level) =>
    on(`heading-${level}`, `Make it a heading ${level}`, "selected", [`${level}`], (n) => n.heading(level), { icon: "text" }),
  ),
  on("find", "Find and replace in all cells", "selected", ["f"], (n) => n.find(), { icon: "search" }),
  on("numbers", "Show or hide line numbers", "selected", ["l"], (n) => n.toggleNumbers(), { icon: "list-tree" }),
  on("form", "Switch between form and code", "selected", ["t"], (n) => n.toggleForm(), { icon: "code" }),
  on("fold", "Fold the output", "selected", ["o"], (n) => n.toggleOutput(), { icon: "chevron-down" }),
  on("unbound", "Show the whole output", "selected", ["Shift+o"], (n) => n.unboundOutput(), { icon: "maximize" }),
  on("lazy", "Run the cell only when asked (lazy), or when an input changes", "anywhere", [], (n) => n.toggleLazy(), { icon: "clock" }),
  on("cache", "Keep the cell's result on disk (cache), or stop keeping it", "anywhere", [], (n) => n.toggleCache(), { icon: "database" }),
  on("run-fresh", "Drop the cell's result on disk and run it", "anywhere", [], (n) => n.runFresh(), { icon: "play" }),
  on("compare", "Run clean and compare", "anywhere", [], (n) => n.compare(), { icon: "equal" }),
  on("reset-controls", "Reset controls: all back to their defaults", "anywhere", [], (n) => n.resetControls(), { icon: "undo-2" }),
  on("cancel-queued", "Cancel all cells that wait", "anywhere", [], (n) => n.cancelAll(), { icon: "x" }),
  on("disable", "Disable or enable the cell", "selected", ["Shift+d"], (n) => n.toggleDisabled(), { icon: "ban" }),
  on("run-stale-selected", "Run stale", "selected", ["r"], (n) => n.runStale(), { silent: true }),
  on("next-attention", "Next stale or failed cell", "selected", ["]"], (n) => n.attention(1), { icon: "refresh-cw" }),
  on("previous-attention", "Previous stale or failed cell", "selected", ["["], (n) => n.attention(-1), { icon: "refresh-cw" }),
  on("upload", "Upload a data file", "anywhere", [], (n) => n.chooseFiles(), { icon: "upload" }),
  on("keep-mine", "Changed here and in the file: keep mine", "anywhere", [], (n) => n.decide("mine"), { icon: "split" }),
  on("take-theirs", "Changed here and in the file: take theirs", "anywhere", [], (n) => n.decide("theirs"), { icon: "split" }),
  on("keep-both", "Changed here and in the file: keep both", "anywhere", [], (n) => n.decide("both"), { icon: "split" }),
  on("clear", "Clear all outputs", "anywhere", [], (n) => n.clearOutputs(), { icon: "trash-2" }),
];

/** Where the focus is: decides which keys mean what. */
export type Focus = "text" | "editor" | "cell" | "other";

export function applies(where: Where, focus: Focus, inCells: boolean): boolean {
  switch (where) {
    case "anywhere":
      return true;
    case "outside":
      return focus === "cell" || focus === "other";
    case "cells":
      return inCells;
    case "editor":
      return focus === "editor" && inCells;
    case "selected":
      return focus === "cell" && inCells;
  }
}

/** The action of a key, or null. Signs and letters never act while text is edited. */
export function actionFor(key: string, focus: Focus, inCells: boolean, hasNotebook: boolean): Action | null {
  return (
    actions.find((action) => action.keys.includes(key) && (action.notebook !== true || hasNotebook) && applies(action.where, focus, inCells)) ?? null
  );
}
