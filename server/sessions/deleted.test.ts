/** Deleting a cell and taking that back leaves the page as it was: text, outputs, what its run came to. */
import { expect, it } from "vitest";
import type { Operation } from "../../kernels/protocol/document.js";
import { Machine, notebookOf } from "../../test/support/machine.js";

const cells = { a: "const x = 1", b: "const y = x + 1", c: "y" };
function open(): Machine {
  const machine = new Machine(notebookOf(cells));
  machine.do({ do: "mode", mode: "lazy" });
  machine.do({ do: "run-all" });
  machine.drain();
  return machine;
}
const ops = (machine: Machine, ...all: Operation[]) => expect(machine.do({ do: "ops", ops: all })).toBe(null);
const back = (id: string, source: string, after: string | null): Operation => ({
  op: "insert",
  after,
  cell: { id, kind: "code", source, options: {} },
});

it("brings outputs and result back with the cell, also to clients and after a restart of the server", () => {
  const machine = open();
  const before = machine.state.doc;
  ops(machine, { op: "delete", id: "b" });
  expect(machine.state.doc.outputs["b"]).toBeUndefined();
  expect(machine.stale).toEqual(["c"]);
  ops(machine, back("b", cells.b, "a"));
  expect(machine.state.doc.outputs["b"]).toEqual(before.outputs["b"]);
  expect(machine.cell("b")).toMatchObject({ result: "ok", run: before.cells["b"]!.run, stale: false, edited: false });
  // what it gave is still what its reader read
  expect(machine.stale).toEqual([]);
  expect(machine.client).toEqual(machine.state.doc);
  // the kernel has forgotten its names
  expect(machine.state.doc.badge).toMatchObject({ state: "unchecked", cells: ["b"], why: expect.stringContaining("came back") as string });
  expect(machine.run(["c"])).toEqual(["b", "c"]);
  expect(machine.state.doc.badge).toEqual({ state: "same" });
  ops(machine, { op: "delete", id: "b" }, { op: "delete", id: "c" });
  ops(machine, back("b", cells.b, "a"));
  machine.restart();
  expect(machine.cell("b")).toMatchObject({ result: "ok" });
});

it("is stale where its inputs have run meanwhile", () => {
  const machine = open();
  ops(machine, { op: "delete", id: "b" });
  machine.run(["a"]);
  ops(machine, back("b", cells.b, "a"));
  expect(machine.cell("b")).toMatchObject({ result: "ok", stale: true, causes: ["x"] });
  expect(machine.state.doc.outputs["b"]).toHaveLength(1);
});

it("comes back edited where it was edited, and with nothing where the text was never its own", () => {
  const machine = open();
  machine.set("b", "const y = x + 2");
  ops(machine, { op: "delete", id: "b" });
  ops(machine, back("b", "const y = x + 2", "a"));
  expect(machine.cell("b")).toMatchObject({ result: "ok", edited: true });
  ops(machine, { op: "delete", id: "b" });
  ops(machine, back("b", "const y = 9", "a"));
  expect(machine.cell("b")).toMatchObject({ result: "none" });
  expect(machine.state.doc.outputs["b"]).toBeUndefined();
  // forgotten then
  ops(machine, { op: "delete", id: "b" });
  ops(machine, back("b", cells.b, "a"));
  expect(machine.cell("b")).toMatchObject({ result: "none" });
});

it("remembers the last twenty, and drops the outputs of the others from the disk", () => {
  const many = Object.fromEntries(Array.from({ length: 22 }, (_, i) => [`n${i}`, `const v${i} = ${i}`]));
  const machine = new Machine(notebookOf(many));
  machine.do({ do: "run-all" });
  machine.drain();
  machine.actions = [];
  for (const id of Object.keys(many)) ops(machine, { op: "delete", id });
  expect(machine.actions.filter((action) => action.do === "keep").map((action) => action.cell)).toEqual(["n0", "n1"]);
  ops(machine, back("n0", many["n0"]!, null), back("n2", many["n2"]!, null));
  expect([machine.cell("n0").result, machine.cell("n2").result]).toEqual(["none", "ok"]);
});

it("a cell that is deleted while it runs comes back with nothing", () => {
  const machine = open();
  machine.do({ do: "run", cells: ["b"] });
  ops(machine, { op: "delete", id: "b" });
  ops(machine, back("b", cells.b, "a"));
  machine.drain();
  expect(machine.cell("b")).toMatchObject({ result: "none", status: "idle" });
  expect(machine.run(["b"])).toEqual(["b"]);
  expect(machine.cell("b")).toMatchObject({ result: "ok" });
});
