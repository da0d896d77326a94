import fc from "fast-check";
import { expect, it } from "vitest";
import { applyOperation } from "../../kernels/notebook/operations.js";
import type { NotebookSource, Operation } from "../../kernels/protocol/document.js";
import { confirm, edit, openDocument, putBack, rebase, refuse, saved, take, type LocalDocument } from "./document.js";

const source = (...texts: string[]): NotebookSource => ({
  front: {},
  cells: texts.map((text, i) => ({ id: `c${i}`, kind: "code", source: text, options: {} })),
});
const typed = (id: string, at: number, insert: string): Operation => ({ op: "edit", id, at, remove: 0, insert });

it("shows edits at once, sends one command at a time and confirms it", () => {
  let doc = edit(openDocument(source("ab"), 1), [typed("c0", 2, "c")]);
  expect(doc.source.cells[0]!.source).toBe("abc");
  doc = take(doc, "t1");
  expect(doc.inflight).toHaveLength(1);
  doc = edit(doc, [typed("c0", 3, "d")]);
  expect(take(doc, "t2")).toBe(doc);
  doc = confirm(doc, 2, doc.inflight, true);
  expect([doc.confirmed.cells[0]!.source, doc.source.cells[0]!.source, doc.rev]).toEqual(["abc", "abcd", 2]);
  expect(take(doc, "t2")).toMatchObject({ inflight: [typed("c0", 3, "d")], token: "t2", waiting: [] });
});

it("moves what is on its way past edits of others, and past a file merged meanwhile", () => {
  let doc = edit(openDocument(source("hello", "b"), 1), [typed("c0", 5, "!")]);
  doc = confirm(doc, 2, [{ op: "edit", id: "c0", at: 0, remove: 1, insert: "HHH" }], false);
  expect(doc.source.cells[0]!.source).toBe("HHHello!");
  doc = confirm(doc, 3, [{ op: "replace", source: source("HHHello, world", "b2") }], false);
  expect(doc.source.cells.map((cell) => cell.source)).toEqual(["HHHello, world!", "b2"]);
});

it("puts text aside whose cell is gone, and puts it back where it belongs", () => {
  let doc = edit(openDocument(source("a", "b"), 1), [typed("c1", 1, " + typed")]);
  doc = confirm(doc, 2, [{ op: "delete", id: "c1" }], false);
  expect([doc.waiting, doc.source.cells.length]).toEqual([[], 1]);
  expect(doc.aside).toEqual([{ cell: "c1", kind: "code", before: "b", text: "b + typed" }]);
  const [aside] = doc.aside;
  expect(putBack(doc.source, aside!, "n")).toEqual([
    { op: "insert", after: "c0", cell: { id: "n", kind: "code", source: "b + typed", options: {} } },
  ]);
  expect(putBack(source("a", "x b"), aside!, "n").reduce(applyOperation, source("a", "x b")).cells[1]!.source).toBe("x b + typed");
});

it("gives a cell another id when somebody else's has taken its own, and loses no text", () => {
  const back = (id: string, text: string): Operation => ({ op: "insert", after: "c0", cell: { id, kind: "code", source: text, options: {} } });
  // c1 was joined into c0, which is taken back while another program changes c1
  let doc = edit(openDocument(source("a", "b"), 1), [typed("c0", 1, "b"), { op: "delete", id: "c1" }]);
  doc = edit(take(doc, "t"), [{ op: "edit", id: "c0", at: 1, remove: 1, insert: "" }, back("c1", "b"), typed("c1", 1, "!")]);
  doc = confirm(doc, 2, [{ op: "replace", source: source("a", "changed") }], false);
  expect(doc.source.cells.map((cell) => [cell.id, cell.source])).toEqual([
    ["c0", "a"],
    ["c1-2", "b!"],
    ["c1", "changed"],
  ]);
  // the same cell with the same text is there once
  const twice = confirm(edit(openDocument(source("a"), 1), [back("n", "x")]), 2, [back("n", "x")], false);
  expect(twice.source.cells.map((cell) => cell.id)).toEqual(["c0", "n"]);
});

it("puts everything aside that is refused for good", () => {
  let doc = edit(openDocument(source("a"), 1), [
    typed("c0", 1, "1"),
    { op: "insert", after: "c0", cell: { id: "n", kind: "sql", source: "select 1", options: {} } },
  ]);
  doc = refuse(take(doc, "t"));
  expect(doc.source).toBe(doc.confirmed);
  expect(doc.aside.map(({ cell, text }) => [cell, text])).toEqual([
    ["c0", "a1"],
    ["n", "select 1"],
  ]);
});

it("inserts after the nearest cell that is left when its own neighbour is gone", () => {
  let doc = edit(openDocument(source("a", "b", "c"), 1), [
    { op: "insert", after: "c1", cell: { id: "n", kind: "code", source: "new", options: {} } },
  ]);
  doc = confirm(doc, 2, [{ op: "delete", id: "c1" }], false);
  expect(doc.source.cells.map((cell) => cell.id)).toEqual(["c0", "n", "c2"]);
});

it("keeps unsent edits over a reconnect and does not send again what had arrived", () => {
  let doc = take(edit(openDocument(source("a", "b"), 1), [typed("c0", 1, "1")]), "t");
  doc = edit(doc, [typed("c1", 1, "2"), typed("c0", 2, "3")]);
  const arrived = rebase(doc, source("a1", "changed b"), 7, "t", false);
  expect(arrived.source.cells.map((cell) => cell.source)).toEqual(["a13", "changed b2"]);
  expect(arrived.inflight).toEqual([]);
  const not = rebase(doc, source("a", "changed b"), 7, null, false);
  expect(not.source.cells.map((cell) => cell.source)).toEqual(["a13", "changed b2"]);
  expect(not.token).toBe("t");
});

it("says again what a killed server had confirmed and not yet kept", () => {
  let doc = openDocument(source("a"), 1);
  for (const [i, letter] of ["b", "c", "d"].entries()) {
    doc = take(edit(doc, [typed("c0", i + 1, letter)]), `t${i}`);
    doc = confirm(doc, i + 2, doc.inflight, true);
  }
  // revision 2 is in the file
  doc = saved(doc, 2);
  expect(doc.recent.map((one) => one.token)).toEqual(["t1", "t2"]);
  expect(rebase(doc, source("abc"), 9, "t1", true).source.cells[0]!.source).toBe("abcd");
  expect(rebase(doc, source("ab"), 9, "t0", true).source.cells[0]!.source).toBe("abcd");
  expect(rebase(doc, source("abcd"), 9, "t2", true).waiting).toEqual([]);
});

/** A log of one server that refuses old revisions, and pages that do what they like with what reaches them when it reaches them. */
interface Page {
  doc: LocalDocument;
  /** events of the log that it has seen */
  seen: number;
  sent: { rev: number; ops: Operation[]; token: string } | null;
}
type Move = {
  page: number;
  do: "type" | "send" | "arrive" | "hear" | "reconnect" | "outside";
  cell: number;
  at: number;
  remove: number;
  shape: number;
};

const move = fc.record<Move>({
  page: fc.nat(2),
  do: fc.constantFrom("type", "type", "send", "arrive", "hear", "hear", "reconnect", "outside"),
  ...{ cell: fc.nat(3), at: fc.nat(20), remove: fc.nat(4), shape: fc.nat(9) },
});

it("converges: three pages, each edit applied once, nothing typed is lost, whatever is late or cut", () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
      let state = source("one", "two", "three");
      const log: { ops: Operation[]; by: number; token?: string; rev: number }[] = [];
      const applied: (string | null)[] = [null, null, null];
      const pages: Page[] = [0, 1, 2].map(() => ({ doc: openDocument(state, 0), seen: 0, sent: null }));
      let n = 0;
      const put = (ops: Operation[], by: number, token?: string) => {
        state = ops.reduce(applyOperation, state);
        log.push({ ops, by, rev: log.length + 1, ...(token === undefined ? {} : { token }) });
      };
      const hear = (page: Page, self: number) => {
        const event = log[page.seen];
        if (event === undefined) return false;
        page.seen++;
        page.doc = confirm(page.doc, event.rev, event.ops, event.by === self && event.token === page.doc.token);
        return true;
      };
      const arrive = (page: Page, self: number) => {
        const command = page.sent;
        if (command === null) return;
        page.sent = null;
        if (applied[self] === command.token || command.rev !== log.length) return;
        applied[self] = command.token;
        put(command.ops, self, command.token);
      };
      const send = (page: Page) => {
        if (page.sent !== null) return;
        page.doc = take(page.doc, `t${n++}`);
        if (page.doc.token !== null) page.sent = { rev: page.doc.rev, ops: page.doc.inflight, token: page.doc.token };
      };
      const letters: string[] = [];
      /** letters that somebody removed, seeing them */
      const removed = new Set<string>();
      const type = (text: NotebookSource, { cell, at, remove, shape }: Move): Operation[] => {
        const target = text.cells[cell % Math.max(1, text.cells.length)];
        const letter = String.fromCodePoint(0x4e00 + n++);
        if (target === undefined || shape === 0) {
          letters.push(letter);
          return [{ op: "insert", after: target?.id ?? null, cell: { id: `n${n}`, kind: "code", source: letter, options: {} } }];
        }
        if (shape === 1) {
          [...target.source].forEach((one) => removed.add(one));
          return [{ op: "delete", id: target.id }];
        }
        if (shape === 2) return [{ op: "move", id: target.id, after: text.cells.find((other) => other !== target)?.id ?? null }];
        letters.push(letter);
        const place = Math.min(at, target.source.length);
        const cut = Math.min(remove, target.source.length - place);
        [...target.source.slice(place, place + cut)].forEach((one) => removed.add(one));
        return [{ op: "edit", id: target.id, at: place, remove: cut, insert: letter }];
      };
      for (const one of moves) {
        const page = pages[one.page]!;
        if (one.do === "type") {
          try {
            page.doc = edit(page.doc, type(page.doc.source, one));
          } catch (error) {
            if (!(error instanceof RangeError)) throw error;
          }
        } else if (one.do === "send") send(page);
        else if (one.do === "arrive") arrive(page, one.page);
        else if (one.do === "hear") hear(page, one.page);
        else if (one.do === "outside") {
          const ops = type(state, one);
          put(one.shape > 5 ? [{ op: "replace", source: ops.reduce(applyOperation, state) }] : ops, -1);
        } else {
          // the command on its way is lost; the page gets a snapshot
          page.sent = null;
          page.doc = rebase(page.doc, state, log.length, applied[one.page]!, false);
          page.seen = log.length;
        }
        // what is shown is what is confirmed and what is on its way
        expect([...page.doc.inflight, ...page.doc.waiting].reduce(applyOperation, page.doc.confirmed)).toEqual(page.doc.source);
      }
      for (let quiet = false; !quiet;) {
        quiet = true;
        for (const [self, page] of pages.entries()) {
          while (hear(page, self)) quiet = false;
          if (page.doc.inflight.length + page.doc.waiting.length > 0) quiet = false;
          send(page);
          arrive(page, self);
        }
      }
      for (const page of pages) {
        expect(page.doc.source).toEqual(state);
        expect(page.doc.confirmed).toEqual(state);
      }
      const all = state.cells.map((cell) => cell.source).join("");
      const aside = pages.flatMap((page) => page.doc.aside.map((one) => one.text)).join("");
      for (const letter of letters) {
        expect(all.split(letter).length).toBeLessThanOrEqual(2);
        if (!removed.has(letter)) expect(all.includes(letter) || aside.includes(letter)).toBe(true);
      }
    }),
    { numRuns: 1500 },
  );
});
