/** What may be done to a document. Pure: the source that goes in is never changed. */
import type { Cell, NotebookSource, Operation } from "../protocol/document.js";

/** The document after one operation. Throws a RangeError that says which cell or place is wrong. */
export function applyOperation(source: NotebookSource, operation: Operation): NotebookSource {
  const { cells } = source;
  const index = (id: string) => {
    const i = cells.findIndex((cell) => cell.id === id);
    if (i < 0) throw new RangeError(`Cell ${JSON.stringify(id)} is not in this notebook`);
    return i;
  };
  const change = (id: string, part: Partial<Cell>) => ({ ...source, cells: cells.with(index(id), { ...cells[index(id)]!, ...part }) });

  switch (operation.op) {
    case "insert": {
      if (cells.some((cell) => cell.id === operation.cell.id))
        throw new RangeError(`A cell with the id ${JSON.stringify(operation.cell.id)} exists already`);
      if (operation.cell.id === "") throw new RangeError("Expected `cell.id` to be a non-empty string");
      return { ...source, cells: cells.toSpliced(operation.after === null ? 0 : index(operation.after) + 1, 0, operation.cell) };
    }
    case "delete":
      return { ...source, cells: cells.toSpliced(index(operation.id), 1) };
    case "move": {
      const cell = cells[index(operation.id)]!;
      if (operation.after === operation.id) throw new RangeError(`Cell ${JSON.stringify(operation.id)} cannot be moved after itself`);
      if (operation.after !== null) index(operation.after);
      const others = cells.filter((other) => other !== cell);
      const place = operation.after === null ? 0 : others.findIndex((other) => other.id === operation.after) + 1;
      return { ...source, cells: others.toSpliced(place, 0, cell) };
    }
    case "edit": {
      const text = cells[index(operation.id)]!.source;
      const { at, remove, insert } = operation;
      if (!Number.isInteger(at) || !Number.isInteger(remove) || at < 0 || remove < 0 || at + remove > text.length)
        throw new RangeError(`Edit of cell ${JSON.stringify(operation.id)} at ${at}, removing ${remove}, is outside its ${text.length} characters`);
      return change(operation.id, { source: text.slice(0, at) + insert + text.slice(at + remove) });
    }
    case "kind":
      return change(operation.id, { kind: operation.kind });
    case "options":
      return change(operation.id, { options: operation.options });
    case "front":
      return { ...source, front: operation.front };
    case "replace": {
      const ids = operation.source.cells.map((cell) => cell.id);
      if (new Set(ids).size !== ids.length) throw new RangeError("Two cells of the new source have the same id");
      return operation.source;
    }
    default:
      throw new RangeError(`Unknown operation ${JSON.stringify((operation as { op?: unknown }).op)}`);
  }
}
