/**
 * The document as this page shows it: what the server confirmed, plus our edits that are on their way. Pure.
 * One command with operations is in flight at a time, under a token by which the log tells it again; later edits wait. What others did moves ours (`transform.ts`).
 * The server refuses what was made for an older revision, so what is shown is always confirmed + inflight + waiting and all pages end equal.
 */
import { applyOperation } from "../../kernels/notebook/operations.js";
import type { CellKind, NotebookSource, Operation } from "../../kernels/protocol/document.js";
import { compact, splice } from "./splice.js";
import { difference, plain, transform } from "./transform.js";

export interface LocalDocument {
  confirmed: NotebookSource;
  rev: number;
  inflight: Operation[];
  /** of what is in flight; null when nothing is */
  token: string | null;
  waiting: Operation[];
  /** confirmed + inflight + waiting */
  source: NotebookSource;
  /** our own operations that the log has and the file may not: said again when the server comes back without them */
  recent: { token: string; rev: number; ops: Operation[]; before: NotebookSource }[];
  /** text typed here that could not be put into the document; it is offered back */
  aside: Aside[];
}

/** A cell's text as it was shown, with the confirmed text that it was made from. */
export interface Aside {
  cell: string;
  kind: CellKind;
  before: string;
  text: string;
}

export const openDocument = (source: NotebookSource, rev: number): LocalDocument => ({
  confirmed: source,
  rev,
  inflight: [],
  token: null,
  waiting: [],
  source,
  recent: [],
  aside: [],
});

/** `op` with the cell that it stands after replaced by the nearest one before it that is still there. */
function anchored(op: Operation, source: NotebookSource, order: readonly string[]): Operation {
  if ((op.op !== "insert" && op.op !== "move") || op.after === null) return op;
  const known = new Set(source.cells.map((cell) => cell.id));
  let at = order.indexOf(op.after);
  if (known.has(op.after) || at < 0) return op;
  while (at >= 0 && !known.has(order[at]!)) at--;
  return { ...op, after: at < 0 ? null : order[at]! };
}

/** `op` with the ids that cells have had to take. */
function renamed(op: Operation, names: ReadonlyMap<string, string>): Operation {
  if (names.size === 0) return op;
  const now = (id: string) => names.get(id) ?? id;
  const after = "after" in op && op.after !== null ? { after: now(op.after) } : {};
  if (op.op === "insert") return { ...op, ...after };
  return "id" in op ? { ...op, id: now(op.id), ...after } : op;
}

/** Applies what fits. `names`: a cell whose id somebody else's has by now comes under another one, and what follows finds it by this. */
function applyAll(
  source: NotebookSource,
  ops: readonly Operation[],
  order: readonly string[],
  names: Map<string, string>,
): { source: NotebookSource; kept: Operation[] } {
  const kept: Operation[] = [];
  for (const given of ops) {
    let op = anchored(renamed(given, names), source, order);
    if (op.op === "insert") {
      const { cell } = op;
      const other = source.cells.find(({ id }) => id === cell.id);
      if (other !== undefined && (other.source !== cell.source || other.kind !== cell.kind)) {
        const id = freeId(source, cell.id);
        names.set(cell.id, id);
        op = { ...op, cell: { ...cell, id } };
      }
    }
    try {
      source = applyOperation(source, op);
      kept.push(op);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      // its cell is gone, or is there already: what was typed is put aside by `rebuild`
    }
  }
  return { source, kept };
}

function freeId({ cells }: NotebookSource, id: string): string {
  const taken = new Set(cells.map((cell) => cell.id));
  for (let n = 2; ; n++) if (!taken.has(`${id}-${n}`)) return `${id}-${n}`;
}

/** The shown document anew. `was`: as it was shown before; `from`: as it was confirmed then. */
function rebuild(doc: LocalDocument, was: NotebookSource, from: NotebookSource): LocalDocument {
  const order = was.cells.map((cell) => cell.id);
  const names = new Map<string, string>();
  const first = applyAll(doc.confirmed, doc.inflight, order, names);
  const second = applyAll(first.source, doc.waiting, order, names);
  const next = { ...doc, inflight: first.kept, waiting: second.kept, source: second.source };
  const kept = new Set([...next.inflight, ...next.waiting].flatMap(cellOf));
  const dropped = [...doc.inflight, ...doc.waiting]
    .flatMap(cellOf)
    .filter((id) => !kept.has(id) && !second.source.cells.some((cell) => cell.id === id));
  return { ...next, token: next.inflight.length === 0 && doc.inflight.length > 0 ? null : next.token, aside: put(next.aside, dropped, was, from) };
}

/** The cell whose text an operation brings. */
const cellOf = (op: Operation): string[] => (op.op === "edit" && op.insert !== "" ? [op.id] : op.op === "insert" ? [op.cell.id] : []);

function put(aside: readonly Aside[], ids: readonly string[], shown: NotebookSource, from: NotebookSource): Aside[] {
  const out = [...aside];
  for (const id of new Set(ids)) {
    const cell = shown.cells.find((other) => other.id === id);
    if (cell === undefined || cell.source.trim() === "") continue;
    const before = from.cells.find((other) => other.id === id)?.source ?? "";
    if (cell.source !== before) out.push({ cell: id, kind: cell.kind, before, text: cell.source });
  }
  return out;
}

/** A change made on this page. Throws when it cannot be applied to what is shown. */
export function edit(doc: LocalDocument, ops: Operation[]): LocalDocument {
  let source = doc.source;
  for (const op of ops) source = applyOperation(source, op);
  return { ...doc, waiting: compact([...doc.waiting, ...ops]), source };
}

/** The waiting operations become those in flight, under this token, if none are. */
export function take(doc: LocalDocument, token: string): LocalDocument {
  if (doc.inflight.length > 0 || doc.waiting.length === 0) return doc;
  return { ...doc, inflight: doc.waiting, token, waiting: [] };
}

/** Operations that the server put into the log; `own` when they are our command in flight. */
export function confirm(doc: LocalDocument, rev: number, ops: Operation[], own: boolean): LocalDocument {
  const before = doc.confirmed;
  const confirmed = ops.reduce(applyOperation, before);
  if (own) {
    const recent = [...doc.recent, { token: doc.token!, rev, ops, before }];
    return rebuild({ ...doc, confirmed, rev, inflight: [], token: null, recent }, doc.source, before);
  }
  return over({ ...doc, rev }, before, confirmed, plain(before, ops));
}

/** Our pending operations past `theirs`, which led from `before` to `confirmed`. */
function over(doc: LocalDocument, before: NotebookSource, confirmed: NotebookSource, theirs: Operation[]): LocalDocument {
  const moved = transform(doc.inflight, theirs);
  const inflight = moved.mine;
  const waiting = transform(doc.waiting, moved.theirs).mine;
  return rebuild({ ...doc, confirmed, inflight, waiting }, doc.source, before);
}

/** The file has the document of `rev`: what we did up to then is safe. */
export const saved = (doc: LocalDocument, rev: number): LocalDocument =>
  doc.recent.length === 0 ? doc : { ...doc, recent: doc.recent.filter((one) => one.rev > rev) };

/** The server refused for good: what is shown is what it has, what was typed is put aside. */
export function refuse(doc: LocalDocument): LocalDocument {
  const aside = put(doc.aside, [...doc.inflight, ...doc.waiting].flatMap(cellOf), doc.source, doc.confirmed);
  return { ...doc, inflight: [], token: null, waiting: [], source: doc.confirmed, aside };
}

/**
 * The server's whole document after a break, with our unsent edits on top of it. `applied` is the token of the last command of ours that is in it;
 * `lost`: the server came back from its disk, and what it confirmed just before it died may be missing.
 */
export function rebase(doc: LocalDocument, source: NotebookSource, rev: number, applied: string | null, lost: boolean): LocalDocument {
  let { confirmed: from, inflight, token, waiting, recent } = doc;
  if (token !== null && applied === token) {
    from = applyAll(from, inflight, [], new Map()).source;
    [inflight, token] = [[], null];
  } else if (lost) {
    // those after the last one that it has; all of them when it has none
    const missing = recent.slice(recent.findIndex((one) => one.token === applied) + 1);
    if (missing.length > 0) {
      from = missing[0]!.before;
      waiting = [...missing.flatMap((one) => one.ops), ...inflight, ...waiting];
      [inflight, token] = [[], null];
    }
  }
  if (lost) recent = [];
  const next = { ...doc, inflight, token, waiting, recent, rev };
  return over(next, from, source, difference(from, source));
}

/** What puts an aside back: the same change of the cell as it is now, or a new cell when it is gone. */
export function putBack(source: NotebookSource, { cell, kind, before, text }: Aside, id: string): Operation[] {
  const now = source.cells.find((other) => other.id === cell);
  if (now === undefined) return [{ op: "insert", after: source.cells.at(-1)?.id ?? null, cell: { id, kind, source: text, options: {} } }];
  const mine = splice(before, text);
  const theirs = splice(before, now.source);
  if (mine === null) return [];
  return transform([{ op: "edit", id: cell, ...mine }], theirs === null ? [] : [{ op: "edit", id: cell, ...theirs }]).mine;
}
