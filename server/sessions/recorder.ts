/** Which documents of a session become points of its history: as it was opened, each that was written, what another program made of it, before all is run. */
import type { NotebookEvent, NotebookState } from "../../kernels/protocol/document.js";
import type { History } from "./history.js";

/** Told every event of the session after it was applied. */
export function recorder(history: History, opened: NotebookState, openedAt: number): (event: NotebookEvent, state: NotebookState) => void {
  let before = opened.source;
  let first = true;
  const add = (...point: Parameters<History["add"]>) => {
    if (first && opened.broken === null && opened.source.cells.length > 0) history.add("open", opened.source, { at: openedAt });
    first = false;
    history.add(...point);
  };
  return (event, state) => {
    if (state.broken !== null) return;
    if (event.type === "saved") add("edit", state.source);
    if (event.type !== "ops") return;
    if (event.by === "file") {
      add("edit", before);
      add("outside", state.source);
    }
    before = state.source;
  };
}
