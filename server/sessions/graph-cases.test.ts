import { describe, expect, it } from "vitest";
import { Machine } from "../../test/support/machine.js";
import { graphCases, type GraphCase } from "./graph-cases.js";

const words = (text: string) => text.split(" ").filter(Boolean);

function open({ cells }: GraphCase): Machine {
  const text = Object.entries(cells).map(([key, source]) => {
    const [id, mark] = key.split(" ");
    const kind = mark === "sql" || mark === "markdown" ? `[${mark}] ` : "";
    const body = mark === "markdown" ? `// ${source}` : source;
    return `// %% ${kind}id="${id}"${mark === "disabled" ? " disabled" : ""}\n${body}\n`;
  });
  const machine = new Machine(text.join("\n"));
  machine.do({ do: "mode", mode: "lazy" });
  return machine;
}

function happen(machine: Machine, then: GraphCase["then"], first: string): void {
  const step = then ?? { run: first };
  const ops = (...of: Extract<Parameters<Machine["do"]>[0], { do: "ops" }>["ops"]) => expect(machine.do({ do: "ops", ops: of })).toBe(null);
  if ("set" in step) machine.set(...step.set);
  if ("delete" in step) ops({ op: "delete", id: step.delete });
  if ("move" in step) ops({ op: "move", id: step.move[0], after: step.move[1] });
  if ("disable" in step) ops({ op: "options", id: step.disable, options: { disabled: true } });
  if ("rename" in step) expect(machine.do({ do: "rename", cell: step.rename[0], from: step.rename[1], to: step.rename[2] })).toBe(null);
  if ("insert" in step) ops({ op: "insert", cell: { id: step.insert[0], kind: "code", source: step.insert[1], options: {} }, after: null });
  if ("during" in step) {
    machine.do({ do: "run", cells: [step.during[0]] });
    machine.set(...step.during);
    machine.drain();
    expect(machine.cell(step.during[0])).toMatchObject({ edited: true, result: "ok" });
  }
  if ("run" in step && step.run !== undefined) machine.run([step.run]);
}

describe("the reactive rules", () => {
  it("are a table of at least 120 cases, each with a name of its own", () => {
    expect(graphCases.length).toBeGreaterThanOrEqual(120);
    expect(new Set(graphCases.map((one) => one.name)).size).toBe(graphCases.length);
  });

  it.each(graphCases)("$name", (one) => {
    const machine = open(one);
    const { cells, order } = machine.state.graph;
    const edges = [...cells.values()].flatMap((cell) => [...new Set(machine.inputs(cell.id))].map((from) => `${from}>${cell.id}`));
    expect(edges.sort()).toEqual(words(one.edges).sort());
    expect(order).toEqual(words(one.order));
    const errors = [...cells.values()].flatMap((cell) => [...new Set(cell.problems.map((problem) => `${cell.id} ${problem.type}`))]);
    expect(errors).toEqual(one.errors === "" ? [] : one.errors.match(/\S+ \S+/g));
    // a problem of another place than the syntax names its line
    for (const cell of cells.values())
      for (const problem of cell.problems)
        if (problem.type === "mutation" || problem.type === "foreign-write") expect(problem.line).toBeGreaterThan(0);
    expect(machine.do({ do: "run-all" })).toBe(null);
    machine.drain();
    expect(machine.stale).toEqual([]);
    happen(machine, one.then, machine.state.doc.source.cells[0]!.id);
    expect(machine.stale).toEqual(words(one.stale));
  });
});
