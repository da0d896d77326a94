/** Whatever happens in whatever order: clients equal the server, no cell is lost or doubled, nothing is left hanging, a restart brings it back. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { accepts, isMoved } from "../../kernels/protocol/controls.js";
import type { Operation } from "../../kernels/protocol/document.js";
import { Machine, notebookOf } from "../../test/support/machine.js";
import { badgeOf, markAll } from "./badge.js";
import { deriveCells } from "./derive.js";
import { reach, walkOf } from "./plan.js";
import { decodeLines, encodeLine, restore } from "./journal.js";

const names = ["a", "b", "c", "d", "e", "f"];
const sources = [
  "const NAME = 1",
  "const NAME = a",
  "const NAME = b + c",
  "NAMES = 2",
  "const a = 5",
  "((",
  "",
  "let x = d; x++",
  "const NAME = e\nNAME",
  "const NAME = 3\n// view x\n// view y",
  "const NAME = a\n// view y 1 of 2",
];
const id = fc.constantFrom(...names, "g", "h");
const source = fc.tuple(fc.constantFrom(...sources), id).map(([text, name]) => text.replaceAll("NAME", name));
const operation = fc.oneof(
  fc.record({
    op: fc.constant("insert" as const),
    cell: fc.record({
      id,
      kind: fc.constantFrom("code" as const, "markdown" as const, "promote" as const),
      source,
      options: fc.constantFrom({}, { lazy: true }, { disabled: true }),
    }),
    after: fc.option(id),
  }),
  fc.record({ op: fc.constant("delete" as const), id }),
  fc.record({ op: fc.constant("move" as const), id, after: fc.option(id) }),
  fc.record({ op: fc.constant("edit" as const), id, at: fc.nat(4), remove: fc.nat(3), insert: source }),
  fc.record({ op: fc.constant("options" as const), id, options: fc.constantFrom({}, { lazy: true }, { disabled: true }) }),
);

type Doing =
  | { what: "ops"; ops: Operation[]; client: string; old: boolean }
  | { what: "run"; cells: string[]; inputs: boolean }
  | { what: "do"; do: "run-all" | "run-stale" | "interrupt" | "shutdown" | "write" }
  | { what: "cancel" | "clear" | "from"; cell: string }
  | { what: "move"; cell: string; key: string; value: number }
  | { what: "reset"; cell: string }
  | { what: "restart"; then: "nothing" | "all" | "stale" }
  | { what: "mode"; mode: "auto" | "lazy" }
  | { what: "step"; result: "ok" | "error" | "interrupted"; show: boolean }
  | { what: "death" | "server" | "changed" }
  | { what: "join" | "leave"; client: string };
const client = fc.constantFrom("a", "b");
const doing: fc.Arbitrary<Doing> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ what: fc.constant("ops" as const), ops: fc.array(operation, { minLength: 1, maxLength: 3 }), client, old: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ what: fc.constant("run" as const), cells: fc.array(id, { maxLength: 3 }), inputs: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constant("do" as const),
      do: fc.constantFrom("run-all" as const, "run-stale" as const, "interrupt" as const, "shutdown" as const, "write" as const),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      what: fc.constant("step" as const),
      result: fc.constantFrom("ok" as const, "ok" as const, "error" as const, "interrupted" as const),
      show: fc.boolean(),
    }),
  },
  fc.record({ what: fc.constantFrom("cancel" as const, "clear" as const, "from" as const), cell: id }),
  {
    weight: 4,
    arbitrary: fc.record({ what: fc.constant("move" as const), cell: id, key: fc.constantFrom("x", "y"), value: fc.constantFrom(0, 1, 2, 5, 9) }),
  },
  fc.record({ what: fc.constant("reset" as const), cell: id }),
  fc.record({ what: fc.constant("restart" as const), then: fc.constantFrom("nothing" as const, "all" as const, "stale" as const) }),
  fc.record({ what: fc.constant("mode" as const), mode: fc.constantFrom("auto" as const, "lazy" as const) }),
  fc.record({ what: fc.constantFrom("death" as const, "server" as const, "changed" as const) }),
  fc.record({ what: fc.constantFrom("join" as const, "leave" as const), client }),
);

function perform(machine: Machine, one: Doing): void {
  switch (one.what) {
    case "ops": {
      const before = machine.state.doc;
      const refused = machine.do({ do: "ops", ops: one.ops }, one.client, before.rev - (one.old ? 1 : 0));
      if (one.old) expect(refused?.code === "stale" || refused?.code === "not-writer").toBe(true);
      if (refused !== null) expect(machine.state.doc.source).toBe(before.source);
      return;
    }
    case "run":
      return void machine.do({ do: "run", cells: one.cells, inputs: one.inputs });
    case "do":
      return void machine.do({ do: one.do });
    case "cancel":
      return void machine.do({ do: "cancel", cell: one.cell === "h" ? null : one.cell });
    case "from":
      return void machine.do({ do: "run-from", cell: one.cell });
    case "clear":
      return void machine.do({ do: "clear", cell: one.cell });
    case "move":
      return void machine.do({ do: "control", cell: one.cell, key: one.key, value: one.value });
    case "reset":
      return void machine.do({ do: "reset", cell: one.cell === "h" ? null : one.cell });
    case "restart":
      return void machine.do({ do: "restart", then: one.then });
    case "mode":
      return void machine.do({ do: "mode", mode: one.mode });
    case "step":
      return void machine.step(one.result, one.show);
    case "death":
      machine.pending = [];
      if (!["none", "dead"].includes(machine.state.doc.kernel.state)) {
        machine.starting = false;
        machine.give({ type: "exit", expected: false, cause: "killed", code: null, signal: "SIGKILL", at: machine.now++ });
      }
      return;
    case "server": {
      const before = machine.state.doc;
      machine.restart();
      expect(machine.state.doc.source).toEqual(before.source);
      expect(machine.state.doc.rev).toBe(before.rev);
      expect(machine.state.doc.controls).toEqual(before.controls);
      return;
    }
    case "changed":
      return void machine.give({
        type: "kernel",
        message: { type: "changed", cells: machine.state.doc.source.cells.slice(0, 1).map((cell) => cell.id), file: "x.csv" },
        at: machine.now++,
      });
    case "join":
      return void machine.give({ type: "join", client: one.client, name: one.client });
    case "leave":
      return void machine.give({ type: "leave", client: one.client });
  }
}

function invariants(machine: Machine): void {
  const { doc, queue, running, graph } = machine.state;
  expect(machine.client).toEqual(doc);
  const ids = doc.source.cells.map((cell) => cell.id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(Object.keys(doc.cells).sort()).toEqual([...ids].sort());
  expect([...graph.order].sort()).toEqual([...ids].sort());
  for (const [cell, controls] of Object.entries(doc.controls)) {
    expect(ids).toContain(cell);
    expect(new Set(controls.map(({ key }) => key)).size).toBe(controls.length);
    for (const { spec, value } of controls) expect(accepts(spec, value)).toBe(true);
    if (doc.badge.state === "same" && doc.badge.verified === undefined) expect(controls.some(isMoved)).toBe(false);
  }
  const queued = queue.map((item) => item.cell);
  expect(new Set(queued).size).toBe(queued.length);
  for (const cell of queued) expect(ids).toContain(cell);
  for (const [cell, state] of Object.entries(doc.cells)) {
    if (running?.cell === cell) expect(state.status).toBe("running");
    else if (queued.includes(cell)) expect(state).toMatchObject({ status: "queued" });
    else expect(["idle", "disabled"]).toContain(state.status);
  }
  for (const cell of Object.keys(doc.outputs)) expect(ids).toContain(cell);
  expect(doc.queue).toEqual(queued);
  // no cell waits in front of one whose names it reads, directly or through others
  const { inputs } = walkOf(machine.state);
  const cyclic = (cell: string) => reach(inputs, [cell]).has(cell);
  queued.forEach((cell, at) => {
    const up = reach(inputs, [cell]);
    for (const later of queued.slice(at + 1)) if (!cyclic(later)) expect(up.has(later), `${cell} waits in front of ${later}`).toBe(false);
  });
  // what is told step by step is what follows from the whole
  expect(deriveCells(machine.state, null)).toEqual({});
  expect(doc.badge).toEqual(badgeOf({ ...machine.state, marks: markAll(machine.state) }));
}

it("holds for any order of events", () => {
  fc.assert(
    fc.property(fc.array(doing, { maxLength: 40 }), (all) => {
      const machine = new Machine(notebookOf({ a: "const a = 1", b: "const b = a", c: "const c = 3", d: "b + c", e: "const e = c" }));
      for (const one of all) {
        perform(machine, one);
        invariants(machine);
      }
      machine.drain();
      invariants(machine);
      // nothing waits for a kernel that has nothing to do
      expect(machine.state.queue).toEqual([]);
      expect(machine.state.running).toBe(null);
      const results = Object.fromEntries(
        Object.entries(machine.state.doc.cells).map(([cell, { result, run, stale, edited }]) => [cell, { result, run, stale, edited }]),
      );
      machine.state.doc.source.cells.forEach((cell) => machine.cell(cell.id));
      machine.restart();
      for (const [cell, before] of Object.entries(results))
        expect({ cell, ...machine.cell(cell) }).toMatchObject({ cell, result: before.result, run: before.run, edited: before.edited });
    }),
    { numRuns: 300 },
  );
});

it("gives the old document or the new one, wherever the journal is cut", () => {
  fc.assert(
    fc.property(fc.array(doing, { maxLength: 12 }), (all) => {
      const machine = new Machine(notebookOf({ a: "const a = 1", b: "const b = a" }));
      for (const one of all) perform(machine, one.what === "server" ? { what: "step", result: "ok", show: true } : one);
      const bytes = Buffer.from(machine.journal.map(encodeLine).join(""));
      const states = machine.journal.map((_, index) => restore(machine.journal.slice(0, index + 1)));
      const ends = machine.journal.reduce<number[]>((list, record) => [...list, (list.at(-1) ?? 0) + Buffer.byteLength(encodeLine(record))], []);
      // every byte of the last three lines
      const from = ends.at(-4) ?? 0;
      for (let cut = from; cut <= bytes.length; cut++) {
        const { records, good } = decodeLines(bytes.subarray(0, cut));
        const whole = ends.filter((end) => end <= cut).length;
        expect(records.length).toBe(whole);
        expect(good).toBe(whole === 0 ? 0 : ends[whole - 1]);
        expect(restore(records)).toEqual(whole === 0 ? null : states[whole - 1]);
      }
    }),
    { numRuns: 20 },
  );
});

it("reads no line that was changed", () => {
  const line = encodeLine({ type: "mode", mode: "lazy" });
  expect(decodeLines(Buffer.from(line + line)).records.length).toBe(2);
  for (let at = 0; at < line.length; at++) {
    const wrong = line.slice(0, at) + (line[at] === "0" ? "1" : "0") + line.slice(at + 1);
    expect(decodeLines(Buffer.from(line + wrong)).records.length).toBe(1);
  }
});
