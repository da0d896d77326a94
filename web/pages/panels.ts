/** Panels of the notebook: outline, variables, problems. */
import { html, nothing } from "lit";
import type { Cell, NotebookState, Variable } from "../../kernels/protocol/document.js";
import type { LanguageState } from "../../kernels/protocol/language.js";
import type { FindingView, TableView } from "../../kernels/protocol/output.js";
import { bytes, integer as count } from "../controllers/format.js";
import { statusOf } from "../controllers/status.js";
import { icon } from "../elements/icon.js";

export interface Heading {
  id: string;
  text: string;
  level: number;
}

interface Entry extends Heading {
  cell: Cell;
  icon: string | null;
  /** in words, and as the name that styles use */
  status: string;
  state: string;
}

/** Headings of text cells, and cells with a name. */
export function outlineOf(cells: Cell[], state: NotebookState): Entry[] {
  return cells.flatMap((cell): Entry[] => {
    const asks = state.questions.some((question) => question.cell === cell.id);
    const status = statusOf(cell, state.cells[cell.id], 0, null, null, asks);
    if (cell.kind === "markdown")
      return [...cell.source.matchAll(/^(#{1,3})\s+(.+)$/gm)].map((match) => ({
        id: cell.id,
        cell,
        text: match[2]!.replace(/[*`_]/g, ""),
        level: match[1]!.length,
        icon: null,
        status: "",
        state: "",
      }));
    const name = state.cells[cell.id]?.defines[0];
    return name === undefined
      ? []
      : [{ id: cell.id, cell, text: name, level: 4, icon: status.name === "none" ? null : status.icon, status: status.text, state: status.name }];
  });
}

export interface ProblemEntry {
  cell: string;
  message: string;
  severity: "error" | "warning";
  /** place of a finding of the language service */
  line?: number;
  column?: number;
}

export function problemsOf(cells: Cell[], state: NotebookState): ProblemEntry[] {
  return cells.flatMap((cell) => {
    const s = state.cells[cell.id];
    if (s === undefined) return [];
    const found: ProblemEntry[] = s.problems.map((problem) => ({ cell: cell.id, message: problem.message, severity: problem.severity }));
    // a cell that does not parse is told of once
    if (!s.problems.some((problem) => problem.type === "syntax"))
      for (const { message, severity, line, column } of state.language.problems[cell.id] ?? [])
        found.push({ cell: cell.id, message, severity, line, column });
    if (s.result === "error" && s.status === "idle") {
      const error = (state.outputs[cell.id] ?? []).find((output) => output.kind === "error");
      found.push({ cell: cell.id, message: error?.kind === "error" ? `${error.error.name}: ${error.error.message}` : "failed", severity: "error" });
    }
    return found;
  });
}

export function outlinePanel(cells: Cell[], state: NotebookState, current: string | null, go: (cell: string) => void) {
  const entries = outlineOf(cells, state);
  return html`<nav class="outline" aria-label="Outline">
    ${entries.length === 0 ? html`<p class="hint">Headings and named cells will be listed here.</p>` : nothing}
    <ul>
      ${entries.map(
        (entry) =>
          html`<li class="level-${entry.level}">
            <a
              href="#cell=${encodeURIComponent(entry.id)}"
              aria-current=${entry.id === current ? "true" : nothing}
              @click=${(event: Event) => {
                event.preventDefault();
                go(entry.id);
              }}
              >${entry.level === 4 ? html`<code>${entry.text}</code>` : entry.text}
              ${entry.icon === null ? nothing : html`<span class="status-${entry.state}">${icon(entry.icon, entry.status)}</span>`}</a
            >
          </li>`,
      )}
    </ul>
  </nav>`;
}

/** What a value is and holds, in the page's words: a result by its sentence, a table by its size and columns. */
export function describe(variable: Variable, state: NotebookState): { type: string; preview: string } {
  const displays = (state.outputs[variable.cell] ?? []).flatMap((output) => (output.kind === "display" ? [output.data] : []));
  const only = state.cells[variable.cell]?.defines.length === 1;
  const finding = displays.map((data) => data["application/vnd.touchstone.finding+json"]).find(Boolean) as FindingView | undefined;
  const form = state.cells[variable.cell]?.form;
  if (finding !== undefined && form?.ok === true && form.result === variable.name) return { type: form.call, preview: finding.sentence };
  const type = variable.type.replace(/^_Table(?=[A-Z])/, "").toLowerCase();
  if (type === "relation") {
    const table = displays.map((data) => data["application/vnd.touchstone.table+json"]).find(Boolean) as TableView | undefined;
    if (table === undefined || !only) return { type, preview: "" };
    return {
      type: table.total === null ? type : `${type} · ${count(table.total)} x ${table.columns.length}`,
      preview: table.columns.map((column) => column.name).join(", "),
    };
  }
  if (type === "split" || type === "featureset") return { type: type === "split" ? type : "features", preview: "" };
  return { type: variable.type, preview: variable.preview };
}

export function variablesPanel(state: NotebookState, go: (cell: string) => void) {
  if (state.variables.length === 0)
    return html`<p class="hint">
      ${state.kernel.state === "none" || state.kernel.state === "dead" ? "No kernel yet: run a cell." : "Nothing is defined yet."}
    </p>`;
  const users = (name: string) =>
    Object.entries(state.cells)
      .filter(([, cell]) => cell.uses.includes(name))
      .map(([id]) => id);
  return html`<ul class="variables" aria-label="Variables">
    ${state.variables.map((variable) => {
      const { type, preview } = describe(variable, state);
      return html`<li>
        <button
          class="link"
          title=${`defined in ${variable.cell}${users(variable.name).length > 0 ? `, used by ${users(variable.name).join(", ")}` : ""}`}
          @click=${() => go(variable.cell)}
        >
          <code>${variable.name}</code>
        </button>
        <span class="hint">${type}${variable.size === null ? "" : ` · ${bytes(variable.size)}`}</span>
        ${preview === "" ? nothing : html`<span class="preview" title=${preview}>${preview}</span>`}
      </li>`;
    })}
  </ul>`;
}

export function problemsPanel(
  problems: ProblemEntry[],
  language: LanguageState,
  number: (cell: string) => number,
  go: (cell: string, line?: number, column?: number) => void,
) {
  return html`${
    language.state === "starting"
      ? html`<p class="hint">${icon("loader-circle")} The language service is starting.</p>`
      : language.state === "dead"
        ? html`<p class="hint">${icon("triangle-alert")} The language service stopped: ${language.why ?? "no reason was given"}.</p>`
        : nothing
  }${
    problems.length === 0
      ? html`<p class="hint">No problems.</p>`
      : html`<ul class="problems" aria-label="Problems">
          ${problems.map(
            (problem) =>
              html`<li class=${problem.severity}>
                ${icon(problem.severity === "error" ? "circle-x" : "triangle-alert", problem.severity)}
                <button class="link" @click=${() => go(problem.cell, problem.line, problem.column)}>
                  cell ${number(problem.cell)}${problem.line === undefined ? "" : `, line ${problem.line}`}
                </button>
                ${problem.message}
              </li>`,
          )}
        </ul>`
  }`;
}
