/** The list of cells with the insert lines between them. */
import { html, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { definitions } from "../../../kernels/cells/definitions.js";
import { blankCell } from "../../../kernels/notebook/blank.js";
import type { CellKind, NotebookState } from "../../../kernels/protocol/document.js";
import { scopeOf } from "../../controllers/scope.js";
import type { TouchCell } from "../../elements/cell.js";
import "../../elements/cell.js";
import { icon } from "../../elements/icon.js";
import "../../elements/insert.js";
import { byKind } from "./base.js";
import type { NotebookCommands } from "./commands.js";
import type { cellEvents } from "./events.js";
import { pairsOf, type Pair } from "./pairs.js";

export function cellList(page: NotebookCommands, state: NotebookState, on: ReturnType<typeof cellEvents>) {
  const { cells } = page;
  const scope = scopeOf(state, cells, definitions);
  const readers = new Map<string, string[]>();
  for (const cell of cells) for (const name of state.cells[cell.id]?.uses ?? []) readers.set(name, [...(readers.get(name) ?? []), cell.id]);
  const selected = new Set(page.range());
  const places = new Map(state.queue.map((id, i) => [id, i + 1]));
  const writing = page.session?.writing === true;
  const pairs = pairsOf(cells);
  const empty = cells.length === 0 || (cells.length === 1 && cells[0]!.source === "");
  return html`<div
    class="cells"
    id="cells"
    @cell-action=${on.action}
    @source-edit=${on.source}
    @answer=${on.answer}
    @control-move=${on.control}
    @focusin=${on.focus}
    @form-field=${on.field}
    @insert-step=${on.step}
    @go-line=${on.line}
    @suggestion=${on.suggestion}
    @show-code=${on.showCode}
    @grid-leave=${() => page.leave()}
  >
    ${insertLine(page, "")}
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
              .more=${state.more[cell.id] ?? 0}
              .questions=${state.questions.length === 0 ? none : state.questions.filter((question) => question.cell === cell.id)}
              .controls=${state.controls[cell.id] ?? none}
              .number=${i + 1}
              .definition=${byKind.get(cell.kind) ?? null}
              .scope=${byKind.has(cell.kind) || s.problems.length > 0 ? scope : none}
              .selected=${selected.has(cell.id)}
              .editing=${page.editing === cell.id}
              .form=${!page.codeView.has(cell.id)}
              .folded=${page.folded.has(cell.id)}
              .bounded=${!page.unbound.has(cell.id)}
              .writing=${writing}
              .from=${state.outputsFrom[cell.id] ?? null}
              .query=${page.query}
              .notebook=${state.path}
              .place=${places.get(cell.id) ?? null}
              .usedBy=${users(s.defines, readers)}
              .pair=${pairView(page, pairs, cell.id)}
              .code=${state.language.problems[cell.id] ?? none}
              .found=${page.finder.found(cell.id)}
              .numbers=${page.numbers}
              .hint=${empty ? "TypeScript. Type / to insert a cell" : ""}
            ></touch-cell>
            ${insertLine(page, cell.id)}
          </div>`;
        },
      )}
    </div>
    ${
      empty
        ? html`<div class="chips starters">
            <button @click=${() => page.chooseFiles()}>Load a file</button>
            ${(["sql", "baseline", "markdown"] as CellKind[]).filter((kind) => kind === "sql" || kind === "markdown" || byKind.has(kind)).map((kind) => html`<button @click=${() => page.insertAfter(kind, cells[0]?.id ?? null)}>${kind === "sql" ? "SQL" : kind === "markdown" ? "Text" : "Baseline"}</button>`)}
            <a class="button" href="/">Open an example</a>
          </div>`
        : nothing
    }
  </div>`;
}

function insertLine(page: NotebookCommands, after: string) {
  if (page.insertAt === after)
    return html`<touch-insert
      .definitions=${definitions}
      @insert-kind=${(event: CustomEvent<CellKind>) => page.insertAfter(event.detail, after === "" ? null : after)}
      @insert-close=${() => {
        page.insertAt = null;
        if (page.current !== null) page.focusNext = { cell: page.current, edit: false };
        page.version++;
      }}
    ></touch-insert>`;
  return html`<div class="insert-line">
    <button class="insert-button" ?disabled=${page.session?.writing !== true} @click=${() => (page.insertAt = after)}>
      ${icon("plus")} <span>Insert</span>
    </button>
  </div>`;
}

/** one object a pair, so that cells are not drawn again for nothing */
const views = new Map<string, TouchCell["pair"]>();
function pairView(page: NotebookCommands, pairs: ReadonlyMap<string, Pair>, cell: string): TouchCell["pair"] {
  const pair = pairs.get(cell);
  if (pair === undefined) return null;
  const other = pair.other === null ? null : page.number(pair.other);
  const key = `${cell}\0${pair.role}\0${pair.other}\0${other}`;
  if (!views.has(key)) views.set(key, { role: pair.role, other, id: pair.other });
  return views.get(key)!;
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
