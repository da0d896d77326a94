import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TablePage } from "../../kernels/protocol/document.js";
import type { WireValue } from "../../kernels/protocol/output.js";
import { choicesOf } from "../../kernels/protocol/review.js";
import { createDisk } from "../registry/disk.js";
import { createReviews, itemsOf, type Reviews } from "./reviews.js";

let root: string;
let path: string;
let reviews: Reviews;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "touchstone-review-"));
  mkdirSync(join(root, "workspaces", "w"), { recursive: true });
  path = join(root, "workspaces/w/data/review/late.ndjson");
  reviews = createReviews({ root, now: () => Date.UTC(2026, 0, 2) });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const pageOf = (values: WireValue[]): TablePage => ({ offset: 0, columns: [{ name: "x", type: "INTEGER" }], rows: values.map((x) => [x]) });
const step = (batch = "b", rows = 0) => ({
  ...{ queue: "late", batch, rows, probability: 0.25 },
  reason: { kind: "drift segment" as const, text: "`x` 1 to 3" },
});
const send = (values: WireValue[], batch = "b", to = reviews) =>
  to.send("w", step(batch), pageOf(values), { notebook: "workspaces/w/late.nb.ts", cell: "d" });
const view = (to = reviews) => to.view("w", "late", false);
const said = (rev: number, label = "use") => ({ rev, by: "Ann", use: "use" as const, label, guessSeen: false, ms: 1000 });

describe("a queue", () => {
  it("grows by the rows that are new, keeps why and how likely they were chosen, and is there for another server", () => {
    expect(send([1, 2, 3])).toEqual({ workspace: "w", queue: "late", href: "/review/w/late", added: 3, already: 0, waiting: 3 });
    expect(send([3, 4], "c")).toMatchObject({ added: 1, already: 1, waiting: 4 });
    expect(send([1, 2, 3])).toMatchObject({ added: 0, already: 3 });
    const again = createReviews({ root, now: Date.now });
    const { queue, open } = again.view("w", "late", false);
    expect(queue).toMatchObject({ total: 4, answered: 0, waiting: 4, oldest: "2026-01-02T00:00:00.000Z", file: "data/review/late.ndjson" });
    expect(queue.batches).toEqual([
      { id: "b", rows: 3 },
      { id: "c", rows: 1 },
    ]);
    expect(open[0]).toMatchObject({ rev: 0, probability: 0.25, reason: { kind: "drift segment" }, from: { cell: "d", batch: "b" }, answer: null });
    expect(again.list(["w"]).map((one) => [one.name, one.waiting])).toEqual([["late", 4]]);
  });
  it("takes equal rows for as many items as they are", () => {
    expect(send([7, 7, 7])).toMatchObject({ added: 3 });
    expect(send([7, 7])).toMatchObject({ added: 0, already: 2 });
  });
  it("counts answers and skips; an undo takes the last one back", () => {
    send([1, 2, 3]);
    const keys = view().open.map((item) => item.key);
    reviews.answer("w", "late", { key: keys[0]!, ...said(0) });
    reviews.skip("w", "late", { key: keys[1]!, rev: 0, by: "Ann" });
    expect(view().queue).toMatchObject({ answered: 1, skipped: 1, waiting: 2 });
    // the skipped one comes last
    expect(view().open.map((item) => item.key)).toEqual([keys[2], keys[1]]);
    reviews.undo("w", "late", { key: keys[0]!, rev: 1, by: "Ann" });
    expect(view().open.map((item) => item.key)).toEqual([keys[0], keys[2], keys[1]]);
    reviews.answer("w", "late", { key: keys[0]!, ...said(2, "other") });
    expect(view().done.map((item) => [item.key, item.answer?.label])).toEqual([[keys[0], "other"]]);
    expect(createReviews({ root, now: Date.now }).view("w", "late", false)).toEqual(view());
  });
  it("keeps a note and a flag beside the answer, and neither of them makes a window's revision old", () => {
    send([1, 2]);
    const [key, other] = view().open.map((item) => item.key) as [string, string];
    reviews.note("w", "late", { key, by: "Ann", text: "looks wrong" });
    reviews.flag("w", "late", { key, by: "Ann", flagged: true });
    expect(reviews.answer("w", "late", { key, ...said(0) }).done[0]).toMatchObject({ note: "looks wrong", flagged: true, rev: 1 });
    reviews.note("w", "late", { key, by: "Ann", text: "" });
    reviews.flag("w", "late", { key: other, by: "Ann", flagged: true });
    const again = createReviews({ root, now: Date.now }).view("w", "late", false);
    expect([again.done[0]!.note, again.open[0]!.note, again.queue.flagged]).toEqual([null, null, 2]);
    expect(() => reviews.flag("w", "late", { key: "nobody", by: "Ann", flagged: true })).toThrow("not in queue");
  });
  it("keeps what was answered first when two windows answer the same item", () => {
    send([1]);
    const { key } = view().open[0]!;
    reviews.answer("w", "late", { key, ...said(0, "late") });
    const before = readFileSync(path, "utf8");
    expect(() => reviews.answer("w", "late", { key, ...said(0, "on time") })).toThrow(
      "Meanwhile this item was answered `late` by Ann in another window",
    );
    expect(() => reviews.skip("w", "late", { key, rev: 1, by: "Ben" })).toThrow("is answered");
    expect(() => reviews.undo("w", "late", { key: "nobody", rev: 0, by: "Ben" })).toThrow("not in queue");
    expect(readFileSync(path, "utf8")).toBe(before);
  });
  it("hides the guess until the answer, unless it is asked for", () => {
    const page: TablePage = {
      offset: 0,
      columns: ["id", "row", "record", "prediction"].map((name) => ({ name, type: "JSON" })),
      rows: [["r1", 0, `{"x":1}`, "0.75"]],
    };
    reviews.send("w", step(), page, { notebook: "n", cell: "c" });
    expect(view().open[0]).toMatchObject({ record: { x: 1 }, hasGuess: true, guess: null });
    expect(reviews.view("w", "late", true).open[0]!.guess).toBe(0.75);
    reviews.answer("w", "late", { key: view().open[0]!.key, ...said(0) });
    expect(view().done[0]!.guess).toBe(0.75);
  });
  it("offers its labels on keys of their own", () => {
    expect(choicesOf([]).map(({ key, use }) => [key, use])).toEqual([
      ["1", "use"],
      ["2", "unusable"],
      ["3", "unsure"],
    ]);
    expect(choicesOf(["7", "0"]).map(({ key, label }) => [key, label])).toEqual([
      ["7", "7"],
      ["0", "0"],
      ["1", "unusable"],
      ["2", "unsure"],
    ]);
    const many = choicesOf(Array.from({ length: 20 }, (_, i) => `label ${i}`)).map(({ key }) => key);
    expect(new Set(many).size).toBe(22);
    expect(many.join("")).not.toMatch(/[sunfighv]/);
    reviews.create("w", "other", ["late", "on time"]);
    expect(reviews.view("w", "other", false).queue.choices.map(({ label }) => label)).toEqual(["late", "on time", "unusable", "unsure"]);
  });
  it("is named by letters and digits and never leaves its workspace", () => {
    for (const name of ["../x", "a/b", "..", "", ".hidden", "a\0b", "x.ndjson", "-x", "ü", "a".repeat(64)])
      expect(() => reviews.create("w", name, []), name).toThrow(/queue's name/);
    for (const workspace of ["../w", "w/../..", "", "nowhere"]) expect(() => reviews.create(workspace, "late", []), workspace).toThrow();
    mkdirSync(join(root, "workspaces", "linked"));
    symlinkSync(tmpdir(), join(root, "workspaces", "linked", "data"));
    expect(() => reviews.create("linked", "late", [])).toThrow(/outside/);
    expect(() => reviews.view("w", "none", false)).toThrow("There is no queue none in w.");
    expect(existsSync(path)).toBe(false);
  });
});

describe("its file", () => {
  it("loses nothing that was told, wherever a write is cut, and takes the same rows again", () => {
    send([1, 2]);
    reviews.answer("w", "late", { key: view().open[0]!.key, ...said(0) });
    const told = readFileSync(path);
    send([3, "four", null], "c");
    const whole = readFileSync(path);
    for (let cut = told.length; cut <= whole.length; cut++) {
      writeFileSync(path, whole.subarray(0, cut));
      const after = createReviews({ root, now: Date.now });
      const before = after.view("w", "late", false).queue;
      expect(before.answered).toBe(1);
      expect(before.total).toBeGreaterThanOrEqual(2);
      const { added, already } = send([3, "four", null], "c", after);
      expect(added + already).toBe(3);
      expect(added).toBe(5 - before.total);
      const { queue } = createReviews({ root, now: Date.now }).view("w", "late", false);
      expect([queue.total, queue.warnings]).toEqual([5, []]);
    }
  });
  it("takes back half a write when the disk fails", () => {
    send([1, 2]);
    const before = readFileSync(path);
    const failing = createReviews({
      root,
      now: Date.now,
      disk: createDisk((name) => {
        if (name.endsWith("half written")) throw new Error("the disk is full");
      }),
    });
    expect(() => send([3, 4], "c", failing)).toThrow("the disk is full");
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(failing.view("w", "late", false).queue.total).toBe(2);
  });
  it("is read anew when git or a person changed it, and what cannot be read is said and left", () => {
    send([1, 2]);
    const { key } = view().open[0]!;
    appendFileSync(
      path,
      `<<<<<<< HEAD\n${JSON.stringify({ type: "answer", at: "2026", key, use: "use", label: "by hand", by: "Cy", guessSeen: false, ms: null })}\r\n>>>>>>> x\n{"type":"answer"}\n`,
    );
    expect(view().done[0]!.answer).toMatchObject({ label: "by hand", by: "Cy" });
    expect(view().queue.warnings).toEqual([
      expect.stringContaining("data/review/late.ndjson: line 3 is a conflict mark of git"),
      expect.stringContaining("line 5 is a conflict mark"),
      expect.stringContaining("line 6 does not fit at `"),
    ]);
    expect(send([9])).toMatchObject({ added: 1 });
    expect(readFileSync(path, "utf8")).toContain("<<<<<<< HEAD");
  });
  it("gives back every row as it came, whatever it holds", () => {
    const value: fc.Arbitrary<WireValue> = fc.letrec<{ value: WireValue }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 2 },
        fc.constant(null),
        fc.boolean(),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => (Object.is(x, -0) ? 0 : x)),
        fc.string({ unit: "grapheme" }),
        fc.array(tie("value")),
        fc.dictionary(fc.string(), tie("value")),
      ),
    })).value;
    const name = fc.oneof(fc.string({ unit: "grapheme" }), fc.constantFrom("__proto__", "constructor", "key", "type", "\u2028", "id", "row"));
    fc.assert(
      fc.property(
        fc.uniqueArray(name, { minLength: 1, maxLength: 5 }),
        fc.array(fc.array(value, { minLength: 5, maxLength: 5 }), { minLength: 1, maxLength: 6 }),
        (names, cells) => {
          rmSync(path, { force: true });
          const page: TablePage = {
            offset: 0,
            columns: names.map((one) => ({ name: one, type: "VARCHAR" })),
            rows: cells.map((row) => row.slice(0, names.length)),
          };
          const sent = reviews.send("w", step(), page, { notebook: "n", cell: "c" });
          expect(sent.added).toBe(page.rows.length);
          const back = createReviews({ root, now: Date.now }).view("w", "late", false);
          expect(back.queue.warnings).toEqual([]);
          expect(JSON.stringify(back.open.map((item) => [item.key, Object.entries(item.record)]))).toBe(
            JSON.stringify(itemsOf(page).map((item) => [item.key, Object.entries(item.record)])),
          );
          expect(reviews.send("w", step(), page, { notebook: "n", cell: "c" }).added).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });
  it("refuses a row that is too long, and nothing of its batch is kept", () => {
    expect(() => send([1, "x".repeat(5_000_000)])).toThrow(/row is 5 MB long/);
    expect(existsSync(path)).toBe(false);
  });
});
