import { describe, expect, it } from "vitest";
import { Machine, notebookOf } from "../../test/support/machine.js";
import { apply } from "./reducer.js";
import type { Action, Input } from "./state.js";

const chain = notebookOf({ a: "const a = 1", b: "const b = a + 1", c: "const c = b + 1", d: "const d = 1", e: "c + d" });

describe("running", () => {
  it("starts a kernel, runs one cell at a time in graph order, and says when all equals a clean run", () => {
    const machine = new Machine(notebookOf({ e: "c + 1", c: "const c = b + 1", b: "const b = 1" }));
    expect(machine.state.doc.kernel.state).toBe("none");
    machine.do({ do: "run-all" });
    expect(machine.state.doc.kernel.state).toBe("starting");
    expect(["b", "c", "e"].map((id) => machine.cell(id).status)).toEqual(["queued", "queued", "queued"]);
    expect(machine.client.queue).toEqual(["b", "c", "e"]);
    machine.step();
    expect(machine.cell("b")).toMatchObject({ status: "running" });
    expect(machine.cell("e")).toMatchObject({ status: "queued" });
    expect(machine.client.queue).toEqual(["c", "e"]);
    expect(machine.pending.length).toBe(1);
    expect(machine.drain()).toEqual(["b", "c", "e"]);
    expect(machine.state.doc.badge).toEqual({ state: "same" });
    expect(machine.state.doc.kernel.state).toBe("idle");
  });

  it.each([
    { name: "auto: what reads it follows", mode: "auto", ready: true, run: ["b"], ran: ["b", "c", "e"], stale: [] },
    { name: "auto: first what it needs", mode: "auto", ready: false, run: ["b"], ran: ["a", "b", "c"], stale: [] },
    { name: "lazy: only it", mode: "lazy", ready: true, run: ["b"], ran: ["b"], stale: ["c", "e"] },
    { name: "lazy: first what it needs", mode: "lazy", ready: false, run: ["c"], ran: ["a", "b", "c"], stale: [] },
  ] as const)("$name", ({ mode, ready, run, ran, stale }) => {
    const machine = new Machine(chain);
    machine.do({ do: "mode", mode });
    if (ready) {
      machine.do({ do: "run-all" });
      machine.drain();
    }
    expect(machine.run([...run])).toEqual(ran);
    expect(machine.stale).toEqual(stale);
  });

  it("names what a stale cell waits for, and runs only the stale ones, in order", () => {
    const machine = new Machine(chain);
    machine.do({ do: "mode", mode: "lazy" });
    machine.do({ do: "run-all" });
    machine.drain();
    machine.set("a", "const a = 2");
    expect(machine.cell("a")).toMatchObject({ edited: true, stale: false });
    expect(machine.state.doc.badge).toEqual({ state: "stale", cells: ["a"] });
    expect(machine.run(["a"])).toEqual(["a"]);
    expect(machine.cell("b").causes).toEqual(["a"]);
    expect(machine.cell("c").causes).toEqual(["b"]);
    expect(machine.state.doc.badge).toEqual({ state: "stale", cells: ["b", "c", "e"] });
    machine.do({ do: "run-stale" });
    expect(machine.drain()).toEqual(["b", "c", "e"]);
    expect(machine.state.doc.badge).toEqual({ state: "same" });
  });

  it("is edited no more when the text is back as it ran", () => {
    const machine = new Machine(chain);
    machine.run(["d"]);
    machine.set("d", "const d = 2");
    expect(machine.cell("d").edited).toBe(true);
    machine.set("d", "const d = 1");
    expect(machine.cell("d").edited).toBe(false);
  });

  it("cancels what reads a failed cell and names the failed one", () => {
    const machine = new Machine(chain);
    machine.do({ do: "run-all" });
    machine.drain(["b"]);
    expect(machine.cell("b").result).toBe("error");
    expect(machine.cell("c")).toMatchObject({ result: "cancelled", blockedBy: "b" });
    expect(machine.cell("e")).toMatchObject({ result: "cancelled", blockedBy: "b" });
    expect(machine.cell("d").result).toBe("ok");
    expect(machine.state.doc.badge).toEqual({ state: "error", cells: ["b"] });
    machine.set("b", "const b = a + 2");
    expect(machine.run(["b"])).toEqual(["b", "c", "e"]);
    expect(machine.state.doc.badge).toEqual({ state: "same" });
  });

  it("does not run costly or lazy cells on its own", () => {
    const machine = new Machine(notebookOf({ a: "const a = 1", b: "const b = a", c: "b" }, { b: "lazy" }));
    machine.do({ do: "run-all" });
    expect(machine.drain()).toEqual(["a", "b", "c"]);
    expect(machine.run(["a"])).toEqual(["a"]);
    expect(machine.stale).toEqual(["b", "c"]);
    expect(machine.run(["c"])).toEqual(["b", "c"]);
  });

  it.each([
    { name: "a training waits to be asked", marker: '[train] id="t"', ran: ["a"], stale: ["t", "u"] },
    { name: "a training that says lazy=false follows", marker: '[train] id="t" lazy=false', ran: ["a", "t", "u"], stale: [] },
    { name: "a promotion waits, whatever it says", marker: '[promote] id="t" lazy=false', ran: ["a"], stale: ["t", "u"] },
    { name: "a baseline follows", marker: '[baseline] id="t"', ran: ["a", "t", "u"], stale: [] },
  ])("$name", ({ marker, ran, stale }) => {
    const machine = new Machine(`// %% id="a"\nconst a = 1\n\n// %% ${marker}\nconst t = a\n\n// %% id="u"\nt\n`);
    machine.do({ do: "run-all", promote: true });
    machine.drain();
    expect(machine.run(["a"])).toEqual(ran);
    expect(machine.stale).toEqual(stale);
  });

  it("runs from here: the cell, all below, what depends on it, and what they lack; promotions only when asked for themselves", () => {
    const text = notebookOf({ u: "b", a: "const a = 1", b: "const b = a", c: "1", p: "2" }).replace('// %% id="p"', '// %% [promote] id="p"');
    const machine = new Machine(text);
    machine.do({ do: "run-from", cell: "b" });
    expect(machine.drain()).toEqual(["a", "b", "u", "c"]);
    machine.do({ do: "run-from", cell: "c" });
    expect(machine.drain()).toEqual(["c"]);
    machine.do({ do: "run-from", cell: "p" });
    expect(machine.drain()).toEqual(["p"]);
    expect(machine.do({ do: "run-from", cell: "nobody" })).toMatchObject({ code: "not-found" });
  });

  it("never starts a cell before its queued inputs, whatever was asked for first; an edit while they wait counts", () => {
    const machine = new Machine(notebookOf({ a: "const a = 1", b: "const b = 2", c: "const c = b", d: "4" }));
    machine.do({ do: "mode", mode: "lazy" });
    machine.do({ do: "run", cells: ["d"] });
    machine.do({ do: "run", cells: ["c"], inputs: false });
    machine.do({ do: "run", cells: ["b"], inputs: false });
    expect(machine.client.queue).toEqual(["d", "b", "c"]);
    machine.do({ do: "run", cells: ["a"] });
    machine.set("b", "const b = a");
    expect(machine.client.queue).toEqual(["d", "a", "b", "c"]);
    machine.do({ do: "cancel", cell: "b" });
    expect(machine.client.queue).toEqual(["d", "a"]);
    machine.step();
    machine.do({ do: "cancel", cell: null });
    expect(machine.client.queue).toEqual([]);
    expect(machine.drain()).toEqual(["d"]);
  });

  it("takes a cell that is disabled while it waits, and what reads it, out of the queue", () => {
    const machine = new Machine(notebookOf({ a: "const a = 1", b: "const b = a", c: "b", d: "a" }));
    machine.do({ do: "run-all" });
    machine.step();
    machine.do({ do: "ops", ops: [{ op: "options", id: "b", options: { disabled: true } }] });
    expect(machine.client.queue).toEqual(["d"]);
    expect(machine.cell("c")).toMatchObject({ status: "disabled", blockedBy: "b", result: "none" });
    expect(machine.drain()).toEqual(["a", "d"]);
  });

  it("leaves disabled cells and what reads them out", () => {
    const machine = new Machine(notebookOf({ a: "const a = 1", b: "const b = a", c: "b", d: "a" }, { b: "disabled" }));
    machine.do({ do: "run-all" });
    expect(machine.drain()).toEqual(["a", "d"]);
    expect(machine.cell("c")).toMatchObject({ status: "disabled", blockedBy: "b" });
    expect(machine.state.doc.badge).toEqual({ state: "same" });
    machine.do({ do: "ops", ops: [{ op: "options", id: "b", options: {} }] });
    expect(machine.run(["c"])).toEqual(["b", "c"]);
  });

  it("does not run a clash, and says why in the cell", () => {
    const machine = new Machine(notebookOf({ a: "const x = 1", b: "const x = 2", c: "x" }));
    machine.do({ do: "run-all" });
    expect(machine.drain()).toEqual([]);
    expect(machine.cell("a").result).toBe("error");
    expect(JSON.stringify(machine.state.doc.outputs["a"])).toMatch(/x/);
    expect(machine.cell("c")).toMatchObject({ result: "cancelled" });
    machine.do({ do: "rename", cell: "b", from: "x", to: "x2" });
    expect(machine.cell("a").problems).toEqual([]);
    machine.do({ do: "run-all" });
    expect(machine.drain()).toEqual(["a", "b", "c"]);
  });

  it("shows the first output of a run in place of the old ones, and nothing when it showed nothing", () => {
    const machine = new Machine(chain);
    machine.run(["d"]);
    const first = machine.state.doc.outputs["d"];
    machine.do({ do: "run", cells: ["d"] });
    expect(machine.state.doc.outputs["d"]).toEqual(first);
    machine.step();
    expect(machine.state.doc.outputs["d"]).not.toEqual(first);
    expect(machine.state.doc.outputs["d"]!.length).toBe(1);
    machine.drain();
    machine.do({ do: "run", cells: ["d"] });
    machine.step("ok", false);
    expect(machine.state.doc.outputs["d"]).toEqual([]);
  });

  it("says what a run found worth a warning until the cell runs again, also after a restart of the server", () => {
    const machine = new Machine(chain);
    machine.do({ do: "run", cells: ["a"] });
    machine.step();
    machine.step("ok", true, ["4 of 9 lines were left out"]);
    machine.drain();
    expect(machine.client.cells["a"]!.warnings).toEqual(["4 of 9 lines were left out"]);
    machine.restart();
    expect(machine.state.doc.cells["a"]!.warnings).toEqual(["4 of 9 lines were left out"]);
    machine.run(["a"]);
    expect(machine.state.doc.cells["a"]!.warnings).toEqual([]);
  });

  it("takes no late output of a run that was replaced", () => {
    const machine = new Machine(chain);
    machine.do({ do: "run", cells: ["d"] });
    machine.step();
    const old = machine.pending[0]!.run;
    machine.drain();
    machine.run(["d"]);
    const shown = machine.state.doc.outputs["d"];
    machine.give({
      type: "outputs",
      messages: [{ type: "output", run: old, cell: "d", n: 9, output: { kind: "stream", name: "stdout", text: "late" } }],
    });
    expect(machine.state.doc.outputs["d"]).toEqual(shown);
  });
});

describe("stopping", () => {
  it("interrupts the cell that runs and drops what waits", () => {
    const machine = new Machine(chain);
    machine.do({ do: "run-all" });
    machine.step();
    machine.do({ do: "interrupt" });
    expect(machine.actions.at(-1)).toMatchObject({ do: "interrupt", soft: false });
    expect(machine.state.doc.kernel.state).toBe("stopping");
    machine.step("interrupted");
    expect(machine.drain()).toEqual(["a"]);
    expect(machine.cell("a").result).toBe("interrupted");
    expect(machine.cell("b")).toMatchObject({ status: "idle", result: "none" });
    expect(machine.state.doc.kernel.state).toBe("idle");
    expect(machine.state.doc.badge.state).toBe("unchecked");
  });

  it("lets the rest go on after stop and keep best", () => {
    const machine = new Machine(chain);
    machine.do({ do: "run-all" });
    machine.step();
    machine.do({ do: "interrupt", soft: true });
    machine.step("ok");
    expect(machine.drain().length).toBeGreaterThan(2);
  });

  it("takes a cell and what needs it out of the queue", () => {
    const machine = new Machine(chain);
    machine.do({ do: "run-all" });
    machine.do({ do: "cancel", cell: "b" });
    expect(machine.drain()).toEqual(["a", "d"]);
  });

  it("explains a death, keeps outputs, and starts again on the next run", () => {
    const machine = new Machine(chain);
    machine.run(["a"]);
    machine.do({ do: "run", cells: ["d"] });
    machine.give({ type: "exit", expected: false, cause: "out of memory", code: null, signal: "SIGKILL", at: 5 });
    machine.pending = [];
    machine.ran = [];
    expect(machine.state.doc.kernel).toMatchObject({ state: "dead", pid: null, death: { cause: "out of memory", signal: "SIGKILL", cell: "d" } });
    expect(machine.cell("d").result).toBe("error");
    expect(machine.state.doc.outputs["a"]!.length).toBe(1);
    expect(machine.run(["d"])).toEqual(["d"]);
    expect(machine.state.doc.kernel).toMatchObject({ state: "idle", death: null });
    expect(machine.state.doc.badge).toMatchObject({ state: "unchecked" });
  });

  it.each([
    { then: "nothing", ran: [] },
    { then: "all", ran: ["a", "b", "c", "d", "e"] },
    { then: { to: "c" }, ran: ["a", "b", "c"] },
  ] as const)("restarts, then $then", ({ then, ran }) => {
    const machine = new Machine(chain);
    machine.do({ do: "run-all" });
    machine.drain();
    machine.do({ do: "restart", then });
    expect(machine.state.doc.variables).toEqual([]);
    expect(machine.state.doc.outputs["e"]!.length).toBe(1);
    expect(machine.drain()).toEqual(ran);
    expect(machine.state.doc.badge.state).toBe(then === "all" ? "same" : then === "nothing" ? "unchecked" : "stale");
  });

  it("runs inputs again that the new kernel does not have", () => {
    const machine = new Machine(chain);
    machine.do({ do: "run-all" });
    machine.drain();
    machine.do({ do: "restart", then: "nothing" });
    machine.drain();
    expect(machine.run(["e"])).toEqual(["a", "b", "c", "d", "e"]);
  });
});

describe("writing", () => {
  it("has one writer, and others watch until they take over", () => {
    const machine = new Machine(chain);
    machine.give({ type: "join", client: "a", name: "Ana" });
    machine.give({ type: "join", client: "b", name: "Ben" });
    expect(machine.state.doc.writer).toEqual({ client: "a", name: "Ana" });
    expect(machine.do({ do: "run-all" }, "b")).toMatchObject({ code: "not-writer", message: expect.stringContaining("Ana") });
    expect(machine.do({ do: "interrupt" }, "b")).toBe(null);
    expect(machine.do({ do: "write" }, "b")).toBe(null);
    expect(machine.do({ do: "ops", ops: [{ op: "delete", id: "e" }] }, "a")).toMatchObject({ code: "not-writer" });
    machine.give({ type: "leave", client: "b" });
    expect(machine.state.doc.writer).toBe(null);
    expect(machine.do({ do: "ops", ops: [{ op: "delete", id: "e" }] }, "a")).toBe(null);
    expect(machine.state.doc.writer).toEqual({ client: "a", name: "Ana" });
  });

  it("refuses a command made for an older document, and changes nothing", () => {
    const machine = new Machine(chain);
    machine.set("a", "const a = 5");
    const { doc } = machine.state;
    expect(machine.do({ do: "ops", ops: [{ op: "edit", id: "a", at: 0, remove: 1, insert: "" }] }, "a", doc.rev - 1)).toMatchObject({
      code: "stale",
    });
    expect(machine.do({ do: "run", cells: ["a"] }, "a", doc.rev - 1)).toMatchObject({ code: "stale" });
    expect(machine.state.doc).toBe(doc);
  });

  it.each([
    { name: "unknown cell", command: { do: "run", cells: ["nope"] }, code: "not-found" },
    { name: "edit outside", command: { do: "ops", ops: [{ op: "edit", id: "a", at: 99, remove: 0, insert: "x" }] }, code: "bad-request" },
    {
      name: "second op wrong",
      command: {
        do: "ops",
        ops: [
          { op: "delete", id: "a" },
          { op: "delete", id: "a" },
        ],
      },
      code: "bad-request",
    },
    {
      name: "id taken",
      command: { do: "ops", ops: [{ op: "insert", after: null, cell: { id: "a", kind: "code", source: "", options: {} } }] },
      code: "bad-request",
    },
    {
      name: "id with a quote",
      command: { do: "ops", ops: [{ op: "insert", after: null, cell: { id: 'x" y', kind: "code", source: "", options: {} } }] },
      code: "bad-request",
    },
    {
      name: "id that every object has",
      command: { do: "ops", ops: [{ op: "insert", after: null, cell: { id: "constructor", kind: "code", source: "", options: {} } }] },
      code: "bad-request",
    },
    { name: "unknown kind", command: { do: "ops", ops: [{ op: "kind", id: "a", kind: "python" as "code" }] }, code: "bad-request" },
    { name: "title of two lines", command: { do: "ops", ops: [{ op: "front", front: { title: "a\nb" } }] }, code: "bad-request" },
    { name: "form of a code cell", command: { do: "field", cell: "a", path: "x" }, code: "bad-request" },
    { name: "rename of a missing name", command: { do: "rename", cell: "a", from: "zz", to: "yy" }, code: "bad-request" },
    { name: "rename to another cell's name", command: { do: "rename", cell: "a", from: "a", to: "b" }, code: "bad-request" },
    { name: "rename to no name", command: { do: "rename", cell: "a", from: "a", to: "1x" }, code: "bad-request" },
    { name: "clear of a missing cell", command: { do: "clear", cell: "nope" }, code: "not-found" },
    { name: "restart to a missing cell", command: { do: "restart", then: { to: "nope" } }, code: "not-found" },
    { name: "a mode that is none", command: { do: "mode", mode: "eager" as "auto" }, code: "bad-request" },
  ] as const)("refuses: $name", ({ command, code }) => {
    const machine = new Machine(chain);
    machine.give({ type: "join", client: "a", name: "Ana" });
    const { doc } = machine.state;
    expect(machine.do(structuredClone(command) as Parameters<Machine["do"]>[0])).toMatchObject({ code, message: expect.stringMatching(/\.$/) });
    expect(machine.state.doc).toBe(doc);
  });

  it("never changes a file that does not parse", () => {
    const machine = new Machine("<<<<<<< ours\nconst a = 1\n=======\n>>>>>>> theirs\n");
    expect(machine.state.doc.broken).not.toBe(null);
    expect(machine.do({ do: "ops", ops: [{ op: "edit", id: machine.state.doc.source.cells[0]!.id, at: 0, remove: 1, insert: "" }] })).toMatchObject({
      code: "bad-request",
    });
    expect(machine.do({ do: "run-all" })).toMatchObject({ code: "bad-request" });
  });
});

describe("coming back", () => {
  it("has document, results and staleness after a restart of the server", () => {
    const machine = new Machine(chain);
    machine.do({ do: "mode", mode: "lazy" });
    machine.do({ do: "run-all" });
    machine.drain();
    machine.set("a", "const a = 7");
    machine.run(["a"]);
    const before = machine.state.doc;
    machine.restart();
    const after = machine.state.doc;
    expect(after.source).toEqual(before.source);
    expect(after.mode).toBe("lazy");
    expect(after.rev).toBe(before.rev);
    for (const id of ["a", "b", "c", "d", "e"])
      expect(after.cells[id]).toMatchObject({
        result: "ok",
        run: before.cells[id]!.run,
        stale: before.cells[id]!.stale,
        edited: false,
        startedAt: before.cells[id]!.startedAt,
      });
    expect(after.badge).toMatchObject({ state: "stale", cells: ["b", "c", "e"] });
    expect(machine.run(["a"])).toEqual(["a"]);
  });
});

describe("a result on disk", () => {
  it("is told with what it saved until the cell runs, and is forgotten when asked", () => {
    const machine = new Machine(notebookOf({ a: "const a = 1", b: "const b = a" }, { b: "cache" }));
    machine.run(["b"]);
    expect(machine.cell("b").cached).toBe(null);
    machine.do({ do: "run", cells: ["b"], fresh: true });
    expect(machine.pending.map(({ cell, fresh }) => [cell.id, fresh])).toEqual([["b", true]]);
    const { run } = machine.pending.shift()!;
    const cached = { savedMs: 1200, at: 5 };
    machine.give({
      type: "kernel",
      message: { type: "done", run, cell: "b", result: "ok", elapsedMs: 2, warnings: [], outputs: 0, reads: [], cached },
      at: machine.now++,
    });
    expect([machine.cell("b").cached, machine.client.cells["b"]!.cached]).toEqual([cached, cached]);
    machine.run(["b"]);
    expect(machine.cell("b").cached).toBe(null);
  });
});

describe("a cell that changes a value of another", () => {
  it("is not taken for the same as a clean run until one was compared", () => {
    const machine = new Machine(notebookOf({ a: "const a = [1]", b: "a.push(2)" }));
    machine.run(["a", "b"]);
    expect(machine.client.badge).toMatchObject({ state: "unchecked", cells: ["b"] });
    const { rev } = machine.state.doc;
    const { runs } = machine.state;
    machine.give({ type: "clean", clean: { status: "done", at: 9, rev, runs, done: 2, total: 2, differences: [] } });
    expect(machine.client.badge).toEqual({ state: "same", verified: 9 });
  });
});

it("gives a run to the kernel before the rest of the step, and the same run", () => {
  const machine = new Machine(chain);
  machine.give({ type: "command", client: "a", rev: 1, command: { do: "run-all" }, at: 1 });
  const ready: Input = { type: "ready", pid: 1, at: 2 };
  const late = apply(machine.state, ready);
  const early: Action[] = [];
  const outcome = apply(machine.state, ready, (action) => early.push(action));
  if ("refused" in late || "refused" in outcome) throw new Error("refused");
  expect(late.actions.filter(({ do: what }) => what === "run")).toEqual(early);
  expect(early).toMatchObject([{ do: "run", request: { cell: { id: "a" } } }]);
  expect(outcome.actions.filter(({ do: what }) => what === "run")).toEqual([]);
  expect(outcome.events).toEqual(late.events);
  expect(outcome.state.doc).toEqual(late.state.doc);
});
