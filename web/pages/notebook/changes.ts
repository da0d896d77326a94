/** Editing commands as pure steps: what to do to the document, how to take it back, and where the selection goes. */
import { newId, plainSource } from "../../controllers/scope.js";
import { applyOperation } from "../../../kernels/notebook/operations.js";
import { difference, transform } from "../../controllers/transform.js";
import type { Cell, CellKind, NotebookSource, Operation } from "../../../kernels/protocol/document.js";
import type { ScopeName } from "../../../kernels/protocol/cells.js";

export interface Change {
  ops: Operation[];
  undo: Operation[];
  /** the cell that is selected afterwards; none: the selection stays */
  select?: string;
  /** with the caret in it */
  caret?: boolean;
}

const disabledOff = (cell: Cell) => Object.fromEntries(Object.entries(cell.options).filter(([name]) => name !== "disabled"));

/** A new cell after this one ("null": first). An empty code cell that stands there is used up by a kind chosen for it. */
export function insertion(cells: readonly Cell[], kind: CellKind, after: string | null, source: string): Change {
  const id = newId(cells);
  const here = cells.find((cell) => cell.id === after);
  const cell: Cell = { id, kind, source, options: {} };
  if (kind !== "code" && here !== undefined && here.kind === "code" && here.source.trim() === "")
    return {
      ops: [
        { op: "insert", cell, after: here.id },
        { op: "delete", id: here.id },
      ],
      undo: [
        { op: "insert", cell: here, after: id },
        { op: "delete", id },
      ],
      select: id,
    };
  return { ops: [{ op: "insert", cell, after }], undo: [{ op: "delete", id }], select: id };
}

export function deletion(cells: readonly Cell[], ids: readonly string[]): Change {
  const at = cells.findIndex((cell) => cell.id === ids[0]);
  const before = cells[at - 1]?.id ?? null;
  const gone = cells.filter((cell) => ids.includes(cell.id));
  const rest = cells.filter((cell) => !ids.includes(cell.id));
  const next = rest[Math.min(at, rest.length - 1)]?.id;
  return {
    ops: ids.map((id) => ({ op: "delete", id })),
    undo: gone.map((cell, i): Operation => ({ op: "insert", cell, after: i === 0 ? before : gone[i - 1]!.id })),
    ...(next !== undefined && { select: next }),
  };
}

/** Copies of cells, each with an id of its own. */
export function pasting(cells: readonly Cell[], copies: readonly Cell[], after: string | null): Change {
  const made: Cell[] = [];
  for (const cell of copies) made.push({ ...cell, id: newId([...cells, ...made]) });
  return {
    ops: made.map((cell, i): Operation => ({ op: "insert", cell, after: i === 0 ? after : made[i - 1]!.id })),
    undo: made.map((cell) => ({ op: "delete", id: cell.id })),
    ...(made.length > 0 && { select: made.at(-1)!.id }),
  };
}

/** A query typed as plain words becomes the template that a SQL cell is. */
export function conversion(cells: readonly Cell[], cell: Cell, kind: CellKind, scope: ScopeName[]): Change {
  const ops: Operation[] = [{ op: "kind", id: cell.id, kind }];
  if (kind === "sql" && !cell.source.includes("sql`")) {
    const text = cell.source.trim() === "" ? plainSource("sql", scope) : `const query = sql\`\n${cell.source.trim().replaceAll("`", "\\`")}\``;
    ops.push({ op: "edit", id: cell.id, at: 0, remove: cell.source.length, insert: text });
  }
  return { ops, undo: inverse(cells, ops) };
}

/** Cuts the cell at the caret; what the caret stood before becomes the next cell. */
export function splitting(cells: readonly Cell[], cell: Cell, at: number): Change {
  const head = cell.source.slice(0, at).replace(/\n$/, "");
  const tail = cell.source.slice(at).replace(/^\n/, "");
  const id = newId(cells);
  return {
    ops: [
      { op: "edit", id: cell.id, at: head.length, remove: cell.source.length - head.length, insert: "" },
      { op: "insert", cell: { id, kind: cell.kind, source: tail, options: {} }, after: cell.id },
    ],
    undo: [
      { op: "delete", id },
      { op: "edit", id: cell.id, at: head.length, remove: 0, insert: cell.source.slice(head.length) },
    ],
    select: id,
    caret: true,
  };
}

/** Joins cells of one plain kind into the first of them; null: these cannot be joined. */
export function merging([first, ...rest]: readonly Cell[]): Change | null {
  if (first === undefined || (first.kind !== "code" && first.kind !== "markdown") || rest.some((cell) => cell.kind !== first.kind)) return null;
  const tail = rest.map((cell) => `${first.kind === "markdown" ? "\n\n" : "\n"}${cell.source}`).join("");
  return {
    ops: [
      { op: "edit", id: first.id, at: first.source.length, remove: 0, insert: tail },
      ...rest.map((cell): Operation => ({ op: "delete", id: cell.id })),
    ],
    undo: [
      { op: "edit", id: first.id, at: first.source.length, remove: tail.length, insert: "" },
      ...rest.map((cell, i): Operation => ({ op: "insert", cell, after: i === 0 ? first.id : rest[i - 1]!.id })),
    ],
    select: first.id,
  };
}

/** Makes the cell a text cell that begins with a heading of this level. */
export function headed(cells: readonly Cell[], cell: Cell, level: number): Change {
  const before = /^#{1,6} +/.exec(cell.source)?.[0].length ?? 0;
  const ops: Operation[] = [
    ...(cell.kind === "markdown" ? [] : [{ op: "kind" as const, id: cell.id, kind: "markdown" as const }]),
    { op: "edit", id: cell.id, at: 0, remove: before, insert: `${"#".repeat(level)} ` },
  ];
  return { ops, undo: inverse(cells, ops) };
}

export function optionsChange(cell: Cell, options: Cell["options"]): Change {
  return { ops: [{ op: "options", id: cell.id, options }], undo: [{ op: "options", id: cell.id, options: cell.options }] };
}

export const disabling = (cell: Cell): Change =>
  optionsChange(cell, cell.options.disabled === true ? disabledOff(cell) : { ...cell.options, disabled: true });

/** Runs by itself when an input changes, or only when asked; what the kind does on its own is not written. `costly`: the kind is lazy on its own. */
export function lazing(cell: Cell, costly: boolean): Change {
  const { lazy, ...rest } = cell.options;
  const next = !(lazy ?? costly);
  return optionsChange(cell, next === costly ? rest : { ...rest, lazy: next });
}

/** Keeps the cell's result on disk from now on, or no longer. */
export function caching(cell: Cell): Change {
  const { cache, ...rest } = cell.options;
  return optionsChange(cell, cache === true ? rest : { ...rest, cache: true });
}

/** Up or down by `delta`; null at the ends. */
export function moving(cells: readonly Cell[], at: number, delta: number): Change | null {
  const to = at + delta;
  const cell = cells[at];
  if (cell === undefined || to < 0 || to >= cells.length) return null;
  const { id } = cell;
  const after = delta > 0 ? cells[to]!.id : (cells[to - 1]?.id ?? null);
  return { ops: [{ op: "move", id, after }], undo: [{ op: "move", id, after: cells[at - 1]?.id ?? null }] };
}

/** Operations that take `ops` back, for cells as they are before. */
export function inverse(cells: readonly Cell[], ops: readonly Operation[]): Operation[] {
  const out: Operation[] = [];
  let source: NotebookSource = { front: {}, cells: [...cells] };
  for (const op of ops) {
    const at = "id" in op ? source.cells.findIndex((cell) => cell.id === op.id) : -1;
    const cell = source.cells[at];
    const before = source.cells[at - 1]?.id ?? null;
    if (op.op === "insert") out.unshift({ op: "delete", id: op.cell.id });
    else if (cell === undefined) continue;
    else if (op.op === "delete") out.unshift({ op: "insert", cell, after: before });
    else if (op.op === "move") out.unshift({ op: "move", id: op.id, after: before });
    else if (op.op === "kind") out.unshift({ op: "kind", id: op.id, kind: cell.kind });
    else if (op.op === "options") out.unshift({ op: "options", id: op.id, options: cell.options });
    else if (op.op === "edit")
      out.unshift({ op: "edit", id: op.id, at: op.at, remove: op.insert.length, insert: cell.source.slice(op.at, op.at + op.remove) });
    try {
      source = applyOperation(source, op);
    } catch (error) {
      if (error instanceof RangeError) return out;
      throw error;
    }
  }
  return out;
}

/**
 * An undo that was made when the cells were `after`, for the document as it is `now`: what was typed since stays.
 * Null when that cannot be: it would remove a cell whose text it also brings elsewhere, and that text was changed since.
 */
export function current(undo: readonly Operation[], after: NotebookSource, now: NotebookSource): Operation[] | null {
  const since = difference(after, now);
  const touched = new Set(since.flatMap((op) => ("id" in op ? [op.id] : [])));
  const deletes = undo.filter((op) => op.op === "delete");
  if (deletes.length < undo.length && deletes.some((op) => touched.has(op.id))) return null;
  return undo.flatMap((op) => (op.op === "edit" ? transform([op], since).mine : [op]));
}
