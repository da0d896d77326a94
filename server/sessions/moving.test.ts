/** Controls of cells, step by step: `// view x` in a cell of the test's kernel is a range from 0 to 10 whose default is 5. */
import { expect, it } from "vitest";
import { Machine, notebookOf } from "../../test/support/machine.js";

const start = (cells: Record<string, string> = {}, options: Record<string, string> = {}) => {
  const machine = new Machine(notebookOf({ a: "const a = 1\n// view x\n// view y", b: "const b = a", ...cells }, options));
  machine.do({ do: "run-all" });
  machine.drain();
  machine.used = [];
  return machine;
};
const move = (machine: Machine, value: number, key = "x") => machine.do({ do: "control", cell: "a", key, value });
const values = (machine: Machine, cell = "a") => Object.fromEntries((machine.state.doc.controls[cell] ?? []).map(({ key, value }) => [key, value]));

it("runs the cell with the value, then what reads it; in lazy mode that is stale", () => {
  const machine = start();
  expect(machine.state.doc.badge).toEqual({ state: "same" });
  expect(move(machine, 7)).toBe(null);
  expect([machine.drain(), machine.used]).toEqual([
    ["a", "b"],
    ["a.x 7", "a.y 5"],
  ]);
  expect(move(machine, 7)).toBe(null);
  expect(machine.drain()).toEqual([]);
  expect(machine.state.doc.badge).toMatchObject({ state: "unchecked", cells: ["a"], moved: ["x"] });
  machine.do({ do: "mode", mode: "lazy" });
  move(machine, 8);
  expect(machine.drain()).toEqual(["a"]);
  expect([machine.stale, machine.state.doc.badge.state]).toEqual([["b"], "stale"]);
});

it("makes one run of many moves: one in flight, one that waits, which has the newest value", () => {
  const machine = start();
  for (let value = 0; value <= 9; value++) {
    move(machine, value);
    expect(machine.pending.length).toBe(1);
    expect(machine.state.queue.map(({ cell }) => cell)).toEqual(value === 0 ? ["b"] : ["a", "b"]);
  }
  // the first run says what it has used, which does not move the control back
  machine.step();
  expect(values(machine)).toEqual({ x: 9, y: 5 });
  machine.drain();
  expect(machine.used).toEqual(["a.x 0", "a.y 5", "a.x 9", "a.y 5"]);
  expect([machine.stale, values(machine)]).toEqual([[], { x: 9, y: 5 }]);
  // back to the default while it runs
  move(machine, 1);
  machine.do({ do: "reset", cell: "a" });
  machine.drain();
  expect([values(machine), machine.stale, machine.state.doc.badge]).toEqual([{ x: 5, y: 5 }, [], { state: "same" }]);
});

it("is stale where the move's run was stopped before it began", () => {
  const machine = start();
  machine.do({ do: "run", cells: ["b"] });
  move(machine, 3);
  machine.do({ do: "interrupt" });
  machine.step("interrupted");
  expect(machine.cell("a")).toMatchObject({ stale: true, causes: ["x"] });
  machine.ran = [];
  machine.do({ do: "run-stale" });
  expect([machine.drain(), machine.used, machine.stale]).toEqual([["a", "b"], ["a.x 3", "a.y 5"], []]);
});

it("keeps what still fits the options, and forgets what is not shown any more", () => {
  const machine = start();
  move(machine, 9);
  move(machine, 2, "y");
  machine.drain();
  machine.set("a", "const a = 1\n// view y 4 of 6\n// view x 3 of 6");
  machine.run(["a"]);
  expect([values(machine), machine.state.doc.controls["a"]!.map(({ key }) => key), machine.stale]).toEqual([{ y: 2, x: 3 }, ["y", "x"], []]);
  // a run that failed has perhaps not come to its controls
  machine.set("a", "const a = 1");
  machine.run(["a"], ["a"]);
  expect(values(machine)).toEqual({ y: 2, x: 3 });
  machine.run(["a"]);
  expect(values(machine)).toEqual({});
  machine.set("a", "const a = 1\n// view y");
  machine.run(["a"]);
  expect(values(machine)).toEqual({ y: 5 });
});

it("outlives kernels and servers", () => {
  const machine = start();
  move(machine, 7);
  machine.drain();
  machine.do({ do: "restart", then: "all" });
  machine.used = [];
  machine.drain();
  expect(machine.used).toEqual(["a.x 7", "a.y 5"]);
  machine.restart();
  expect([values(machine), machine.state.doc.badge.state]).toEqual([{ x: 7, y: 5 }, "unchecked"]);
  // moved before anything has run again
  machine.used = [];
  move(machine, 8);
  machine.drain();
  expect(machine.used).toEqual(["a.x 8", "a.y 5"]);
});

it("goes with its cell, and comes back with it when the deletion is taken back", () => {
  const machine = start();
  move(machine, 7);
  machine.drain();
  const [cell] = machine.state.doc.source.cells;
  const insert = (source: string) => machine.do({ do: "ops", ops: [{ op: "insert", cell: { ...cell!, source }, after: null }] });
  const drop = () => machine.do({ do: "ops", ops: [{ op: "delete", id: "a" }] });
  drop();
  expect(machine.state.doc.controls).toEqual({});
  insert(cell!.source);
  expect(values(machine)).toEqual({ x: 7, y: 5 });
  machine.used = [];
  machine.run(["a"]);
  expect(machine.used).toEqual(["a.x 7", "a.y 5"]);
  drop();
  insert("const a = 2\n// view x");
  machine.run(["a"]);
  expect(values(machine)).toEqual({ x: 5 });
  machine.do({ do: "ops", ops: [{ op: "kind", id: "a", kind: "markdown" }] });
  expect(machine.state.doc.controls).toEqual({});
  // neither is it back when the server is
  drop();
  machine.restart();
  expect(machine.state.doc.controls).toEqual({});
});

it("refuses what it cannot do, with a sentence", () => {
  const machine = start();
  expect(move(machine, 11)).toMatchObject({ code: "bad-request", message: 'The control "x" does not take 11.' });
  expect(move(machine, 1, "z")).toMatchObject({ code: "not-found" });
  expect(machine.do({ do: "control", cell: "b", key: "x", value: 1 })).toMatchObject({ code: "not-found" });
  expect(machine.do({ do: "reset", cell: "nobody" })).toMatchObject({ code: "not-found" });
  machine.do({ do: "ops", ops: [{ op: "options", id: "a", options: { disabled: true } }] });
  expect(move(machine, 1)).toMatchObject({ code: "bad-request", message: expect.stringContaining("disabled") as string });
  expect(machine.drain()).toEqual([]);
});

it("makes a promotion stale, and runs it only when asked", () => {
  const machine = new Machine(`// %% [promote] id="p"\nconst p = 1\n// view x\n`);
  machine.run(["p"]);
  machine.do({ do: "control", cell: "p", key: "x", value: 3 });
  expect([machine.drain(), machine.stale]).toEqual([[], ["p"]]);
  expect([machine.run(["p"]), machine.stale]).toEqual([["p"], []]);
});

it("sets all back at once", () => {
  const machine = start({ c: "const c = 1\n// view x" });
  move(machine, 7);
  move(machine, 8, "y");
  machine.do({ do: "control", cell: "c", key: "x", value: 1 });
  machine.drain();
  expect(machine.state.doc.badge).toMatchObject({ moved: ["x", "y", "x"], cells: ["a", "c"] });
  machine.do({ do: "reset", cell: null });
  expect(machine.drain()).toEqual(["a", "b", "c"]);
  expect([values(machine), values(machine, "c"), machine.state.doc.badge]).toEqual([{ x: 5, y: 5 }, { x: 5 }, { state: "same" }]);
  machine.do({ do: "reset", cell: null });
  expect(machine.drain()).toEqual([]);
});
