import fc from "fast-check";
import { expect, it } from "vitest";
import type { Output } from "../protocol/output.js";
import { addOutputs, shortened, shownText } from "./shown.js";

const out = (text: string, cut?: number): Output & { kind: "stream" } => ({
  kind: "stream",
  name: "stdout",
  text,
  ...(cut !== undefined && { cut }),
});
const err = (text: string): Output => ({ kind: "stream", name: "stderr", text });
const display = (id: string, text: string): Output => ({ kind: "display", id, data: { "text/plain": text } });
const length = (outputs: Output[]) =>
  outputs.reduce((sum, output) => sum + (output.kind === "stream" ? output.text.length + (output.cut ?? 0) : 0), 0);

it("joins text of one stream, and puts a display of a known id in its place", () => {
  expect(addOutputs([out("a")], [out("b"), err("c"), display("d", "1"), out("e"), display("d", "2")])).toEqual([
    out("ab"),
    err("c"),
    display("d", "2"),
    out("e"),
  ]);
});

it("takes a piece that has lost its beginning for what came after all before it", () => {
  expect(addOutputs([out("abc", 2)], [out("xyz", 10)])).toEqual([out("xyz", 15)]);
});

it("cuts at a line's start, and counts what is gone", () => {
  const line = `${"x".repeat(99)}\n`;
  const [shown] = addOutputs([], [out(line.repeat(6000))]) as [Output & { kind: "stream" }];
  expect(shown.text.length).toBeLessThanOrEqual(shownText);
  expect(shown.text.startsWith("x") && shown.text.endsWith(line)).toBe(true);
  expect(shown.text.length + shown.cut!).toBe(600_000);
  expect(shortened(out("one line without an end"), 3)).toEqual(out("end", 20));
});

it("keeps displays and errors in their places among text that is cut", () => {
  const shown = addOutputs([], [out("a".repeat(300_000)), display("d", "1"), err("b".repeat(300_000)), display("e", "2"), out("c")]);
  expect(shown.filter((output) => output.kind === "display")).toEqual([display("d", "1"), display("e", "2")]);
  expect(addOutputs(shown, [display("e", "3")]).filter((output) => output.kind === "display")).toEqual([display("d", "1"), display("e", "3")]);
});

it("is bounded whatever is printed in whatever pieces, and loses no count", () => {
  const piece = fc.record({ name: fc.constantFrom("stdout" as const, "stderr" as const), size: fc.integer({ min: 1, max: 200_000 }) });
  fc.assert(
    fc.property(fc.array(fc.array(piece, { minLength: 1, maxLength: 300 }), { maxLength: 6 }), (batches) => {
      let shown: Output[] = [];
      let all = 0;
      for (const batch of batches) {
        shown = addOutputs(
          shown,
          batch.map(({ name, size }) => ({ kind: "stream", name, text: "y".repeat(size) })),
        );
        all += batch.reduce((sum, { size }) => sum + size, 0);
      }
      const text = shown.reduce((sum, output) => sum + (output.kind === "stream" ? output.text.length : 0), 0);
      return length(shown) === all && text <= shownText * 2 && shown.length <= 400;
    }),
    { numRuns: 40 },
  );
});
