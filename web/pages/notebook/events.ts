/** What the cells tell the page, by the name of the event. */
import { definitions } from "../../../kernels/cells/definitions.js";
import type { CallField, CellKind } from "../../../kernels/protocol/document.js";
import type { NextStep, Suggestion } from "../../../kernels/protocol/output.js";
import { freshResult, scopeOf, stepSource } from "../../controllers/scope.js";
import type { CellAction } from "../../elements/cell.js";
import type { Moved } from "../../elements/control.js";
import type { Answered, TouchQuestion } from "../../elements/question.js";
import type { NotebookCommands } from "./commands.js";

const cellOf = (event: Event): string | null => (event.target as HTMLElement).closest<HTMLElement>("touch-cell")?.dataset["cell"] ?? null;

export function cellEvents(page: NotebookCommands) {
  return {
    action: (event: CustomEvent<{ id: string; action: CellAction }>): void => {
      const { id, action } = event.detail;
      if (typeof action === "object") {
        if ("go" in action) page.go(action.go);
        else if (page.mayWrite()) page.do({ do: "rename", cell: id, ...action.rename });
        return;
      }
      page.current = page.anchor = id;
      switch (action) {
        case "run":
          page.editing = null;
          return page.run(id);
        case "stop":
          return page.interrupt();
        case "stop-keep":
          return page.interrupt(true);
        case "cancel":
          return page.do({ do: "cancel", cell: id });
        case "delete":
          return page.deleteCells();
        case "duplicate":
          page.clipboard = page.cells.filter((cell) => cell.id === id);
          return page.paste("below");
        case "up":
          return page.moveCell(-1);
        case "down":
          return page.moveCell(1);
        case "run-from":
          return page.runBelow();
        case "lazy":
          return page.toggleLazy();
        case "cache":
          return page.toggleCache();
        case "fresh":
          return page.runFresh();
        case "disable":
          return page.toggleDisabled();
        case "form":
          page.codeView.delete(id);
          break;
        case "code":
          page.codeView.add(id);
          break;
        case "fold":
          return page.toggleOutput();
        case "unbound":
          return page.unboundOutput();
        case "edit":
          return page.edit();
        case "keep-mine":
          return page.decide("mine", [id]);
        case "take-theirs":
          return page.decide("theirs", [id]);
        case "keep-both":
          return page.decide("both", [id]);
        case "insert-below":
          return page.openInsert("below");
        case "select":
          break;
      }
      page.version++;
    },
    source: (event: CustomEvent<{ at: number; remove: number; insert: string }[]>): void => {
      const id = cellOf(event);
      if (id === null || page.session === null) return;
      const cell = page.cells.find((other) => other.id === id);
      if (cell?.kind === "code" && cell.source === "" && event.detail[0]?.insert === "/") {
        // the slash in an empty cell opens the menu
        const element = page.element(id);
        if (element?.editor) {
          page.insertAt = id;
          const editor = element.editor;
          queueMicrotask(() => {
            editor.value = "";
            editor.requestUpdate("value", "/");
          });
          return;
        }
      }
      page.type(event.detail.map((edit) => ({ op: "edit", id, ...edit })));
    },
    focus: (event: FocusEvent): void => {
      const id = cellOf(event);
      if (id === null || (event.target as HTMLElement).closest("touch-insert") !== null) return;
      if (id !== page.current) page.current = page.anchor = id;
      const text = (event.target as HTMLElement).closest(".monaco-editor") !== null;
      if (text) page.language.start();
      if (text && page.editing !== id) page.editing = id;
      if (!text && page.editing === id && page.cells.find((cell) => cell.id === id)?.kind !== "markdown") page.editing = null;
    },
    answer: (event: CustomEvent<Answered>): void => {
      const asking = event.target as TouchQuestion;
      page.session?.command({ do: "answer", ...event.detail }).catch((error: Error) => {
        page.emit("toast", { level: "error", text: error.message });
        asking.again();
      });
    },
    control: (event: CustomEvent<Moved>): void => {
      const { key, value, over } = event.detail;
      const cell = cellOf(event);
      if (cell === null || page.session === null || !page.mayWrite()) return over(false);
      page.session.command({ do: "control", cell, key, value }).then(
        () => over(true),
        (error: Error) => {
          page.emit("toast", { level: "error", text: error.message });
          over(false);
        },
      );
    },
    field: (event: CustomEvent<{ path: string; value?: CallField["value"] }>): void => {
      const cell = cellOf(event);
      if (cell !== null && page.mayWrite())
        page.do({ do: "field", cell, path: event.detail.path, ...(event.detail.value !== undefined && { value: event.detail.value }) });
    },
    step: (event: CustomEvent<Extract<NextStep, { type: "insert" }>>): void => {
      const { kind, source } = event.detail;
      const asking = page.cells.find((cell) => cell.id === cellOf(event));
      const state = page.session?.state;
      if (asking === undefined || state === null || state === undefined) return;
      const scope = scopeOf(state, page.cells, definitions);
      const text = source === "" ? stepSource(kind, asking, page.cells, scope, definitions) : source;
      page.insertAfter(kind as CellKind, asking.id, freshResult(text, scope));
    },
    line: (event: CustomEvent<{ cell: string | null; line: number; column: number }>): void => {
      const cell = event.detail.cell ?? cellOf(event);
      if (cell === null) return;
      page.goToLine(cell, event.detail.line, event.detail.column);
    },
    suggestion: (event: CustomEvent<Suggestion>): void => {
      const { action } = event.detail;
      if (action.type === "goto") page.go(action.cell);
      else if (action.type === "replace") {
        const cell = page.cells.find((other) => other.id === action.cell);
        const at = cell?.source.indexOf(action.from) ?? -1;
        if (cell !== undefined && at >= 0 && page.type([{ op: "edit", id: cell.id, at, remove: action.from.length, insert: action.to }]))
          page.run(cell.id);
      } else {
        const id = cellOf(event);
        void page.changePackages({ task: "install", packages: action.packages }).then((done) => {
          if (done && id !== null) page.run(id);
        });
      }
    },

    showCode: (event: Event): void => {
      const id = cellOf(event);
      if (id === null) return;
      page.codeView.add(id);
      page.version++;
    },
  };
}
