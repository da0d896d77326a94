/** The mark of a cell that was changed here and in the file. */
import { html, nothing } from "lit";
import type { CellAction } from "./cell.js";
import { icon } from "./icon.js";

/** Which version this is, and the number of the cell with the other one (null: it is gone). */
export interface CellPair {
  role: "mine" | "theirs";
  other: number | null;
  id: string | null;
}

/** Both versions say what they are and offer the decision. */
export function pairMark(pair: CellPair | null, writing: boolean, act: (action: CellAction) => void) {
  if (pair === null) return nothing;
  const text =
    pair.role === "mine"
      ? `Changed here and in the file. This is the version of this page; the file's is cell ${pair.other}.`
      : pair.other === null
        ? "Changed in the file and deleted here. This is the file's version; it is off until you decide."
        : `Changed here and in the file. This is the file's version of cell ${pair.other}; it is off until you decide.`;
  const choose = (action: CellAction, label: string) =>
    html`<button class="small" ?disabled=${!writing} @click=${() => act(action)}>${label}</button>`;
  return html`<p class="problem warning pair" role="group" aria-label="Changed on both sides">
    ${icon("split")}
    <span class="words"
      >${text}
      ${pair.id === null ? nothing : html`<button class="link" @click=${() => act({ go: pair.id! })}>Go to cell ${pair.other}</button>`}</span
    >
    ${pair.other === null ? html`${choose("keep-mine", "Delete it")} ${choose("take-theirs", "Keep it")}` : html`${choose("keep-mine", "Keep mine")} ${choose("take-theirs", "Take theirs")} ${choose("keep-both", "Keep both")}`}
  </p>`;
}
