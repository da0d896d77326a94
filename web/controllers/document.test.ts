import fc from "fast-check";
import { expect, it } from "vitest";
import type { NotebookSource, Operation } from "../../kernels/protocol/document.js";
import { compact, confirm, edit, openDocument, rebase, refuse, shift, splice, take } from "./document.js";

const source = (...texts: string[]): NotebookSource => ({
  front: {},
  cells: texts.map((text, i) => ({ id: `c${i}`, kind: "code", source: text, options: {} })),
});
type Edit = Extract<Operation, { op: "edit" }>;
const run = (text: string, op: Edit) => text.slice(0, op.at) + op.insert + text.slice(op.at + op.remove);

it("shows edits at once, sends one command at a time and confirms it", () => {
  let doc = openDocument(source("ab"), 1);
  doc = edit(doc, [{ op: "edit", id: "c0", at: 2, remove: 0, insert: "c" }]);
  expect(doc.source.cells[0]!.source).toBe("abc");
  const first = take(doc);
  expect(first.ops).toHaveLength(1);
  doc = edit(first.doc, [{ op: "edit", id: "c0", at: 3, remove: 0, insert: "d" }]);
  expect(take(doc).ops).toEqual([]);
  doc = confirm(doc, 2, first.ops, true);
  expect([doc.confirmed.cells[0]!.source, doc.source.cells[0]!.source, doc.rev]).toEqual(["abc", "abcd", 2]);
  expect(take(doc).ops).toEqual([{ op: "edit", id: "c0", at: 3, remove: 0, insert: "d" }]);
});

it("moves what is on its way past edits of others", () => {
  let doc = openDocument(source("hello"), 1);
  doc = edit(doc, [{ op: "edit", id: "c0", at: 5, remove: 0, insert: "!" }]);
  doc = confirm(doc, 2, [{ op: "edit", id: "c0", at: 0, remove: 1, insert: "HHH" }], false);
  expect(doc.source.cells[0]!.source).toBe("HHHello!");
  doc = confirm(doc, 3, [{ op: "delete", id: "c0" }], false);
  expect(doc.waiting).toEqual([]);
});

it("converges for any two concurrent splices that do not overlap", () => {
  const text = "0123456789";
  const op = fc.record({ at: fc.integer({ min: 0, max: 10 }), remove: fc.integer({ min: 0, max: 4 }), insert: fc.stringMatching(/^[a-z]{0,3}$/) });
  fc.assert(
    fc.property(op, op, (x, y) => {
      const a: Edit = { op: "edit", id: "c", ...x, remove: Math.min(x.remove, 10 - x.at) };
      const b: Edit = { op: "edit", id: "c", ...y, remove: Math.min(y.remove, 10 - y.at) };
      fc.pre(a.at + a.remove < b.at || b.at + b.remove < a.at);
      expect(run(run(text, a), shift(b, a, true))).toBe(run(run(text, b), shift(a, b, false)));
    }),
  );
});

it("keeps unsent edits of untouched cells over a reconnect and drops an insert that arrived", () => {
  let doc = openDocument(source("a", "b"), 1);
  doc = edit(doc, [
    { op: "edit", id: "c0", at: 1, remove: 0, insert: "1" },
    { op: "edit", id: "c1", at: 1, remove: 0, insert: "2" },
    { op: "insert", after: null, cell: { id: "n", kind: "code", source: "", options: {} } },
  ]);
  const server = source("a", "changed");
  const arrived = { ...server, cells: [{ id: "n", kind: "code" as const, source: "", options: {} }, ...server.cells] };
  const next = rebase(refuse(take(doc).doc, true), arrived, 7);
  expect(next.source.cells.map((cell) => cell.source)).toEqual(["", "a1", "changed"]);
});

it("finds the smallest splice and joins typing", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      const found = splice(a, b);
      if (found === null) expect(a).toBe(b);
      else expect(a.slice(0, found.at) + found.insert + a.slice(found.at + found.remove)).toBe(b);
    }),
  );
  expect(
    compact([
      { op: "edit", id: "c", at: 0, remove: 1, insert: "a" },
      { op: "edit", id: "c", at: 1, remove: 0, insert: "b" },
      { op: "edit", id: "d", at: 1, remove: 0, insert: "b" },
    ]),
  ).toHaveLength(2);
});
