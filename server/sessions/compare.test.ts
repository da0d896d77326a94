import { expect, it } from "vitest";
import type { Output } from "../../kernels/protocol/output.js";
import { Machine, notebookOf } from "../../test/support/machine.js";
import { compareOutputs } from "./compare.js";

const shown = (text: string, id = "d1"): Output => ({ kind: "display", id, data: { "text/plain": text } });
const said = (text: string): Output => ({ kind: "stream", name: "stdout", text });

it.each([
  ["equal displays of other ids", "code", [shown("1", "a")], [shown("1", "b")], true],
  ["another number", "code", [shown("1")], [shown("2")], false],
  ["a number that differs little is another number in code", "code", [shown("0.50001")], [shown("0.50002")], false],
  ["and within the tolerance of a training", "train", [shown("loss 0.50001")], [shown("loss 0.50002")], true],
  ["but not far from it", "train", [shown("loss 0.5")], [shown("loss 0.6")], false],
  ["other words of a training", "train", [shown("beats 0.5")], [shown("fails 0.5")], false],
  ["text in other pieces", "code", [said("a"), said("b")], [said("ab")], true],
  ["how long it took", "code", [said("done in 1.2 s at 2026-01-01T10:00:00.000Z")], [said("done in 0.9 s at 2026-01-02T10:00:01.000Z")], true],
  ["a run's number", "code", [said("run 0a1b2c-7")], [said("run ffffff-1")], true],
  ["one output more", "code", [shown("1")], [shown("1"), shown("2")], false],
  ["nothing and nothing", "code", [], [], true],
] as const)("%s", (_, kind, here, clean, same) => {
  expect(compareOutputs(kind, here, clean) === null).toBe(same);
});

it("tells the first output that differs", () => {
  expect(compareOutputs("code", [shown("1"), shown("2")], [shown("1"), shown("3")])).toEqual({ here: "2", clean: "3" });
  expect(compareOutputs("code", [], [shown("3")])).toEqual({ here: "nothing", clean: "3" });
});

it("counts for the badge until the next run or edit", () => {
  const machine = new Machine(notebookOf({ a: "const a = 1", b: "a" }));
  machine.do({ do: "run-all" });
  expect(machine.do({ do: "compare" })).toMatchObject({ code: "bad-request" });
  machine.drain();
  machine.do({ do: "compare" });
  const begun = machine.state.doc.clean!;
  expect(begun).toMatchObject({ status: "running", total: 2 });
  expect(machine.do({ do: "compare" })).toMatchObject({ code: "bad-request" });
  machine.give({ type: "clean", clean: { ...begun, status: "done", at: 7 } });
  expect(machine.client.badge).toEqual({ state: "same", verified: 7 });
  machine.give({ type: "clean", clean: { ...begun, status: "done", at: 8, differences: [{ cell: "b", here: "1", clean: "2" }] } });
  expect(machine.client.badge).toMatchObject({ state: "unchecked", cells: ["b"] });
  machine.run(["b"]);
  expect(machine.client.badge).toEqual({ state: "same" });
});
