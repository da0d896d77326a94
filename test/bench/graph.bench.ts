/** A notebook of a thousand cells: one keystroke through the whole reducer, the order from nothing, and running them all on a kernel that answers at once. */
import { parseSync } from "oxc-parser";
import { buildGraph } from "../../kernels/reactive/graph.js";
import { analyse } from "../../kernels/reactive/references.js";
import type { Cell } from "../../kernels/protocol/document.js";
import { openState } from "../../server/sessions/opening.js";
import { apply } from "../../server/sessions/reducer.js";
import type { Input, SessionState } from "../../server/sessions/state.js";
import { quantile, type Figure } from "./figure.js";

const size = 1000;

/** Each cell reads the one before it, one far away and the first, and has a function of some lines. */
export function largeNotebook(count: number): Cell[] {
  return Array.from({ length: count }, (_, i): Cell => {
    const sql = i % 10 === 3;
    const source = sql
      ? `const x${i} = sql\`select * from range(${i}) t join x${Math.max(0, i - 10)} using (range) where range < \${x${i - 1}}\``
      : `const x${i} = ${i === 0 ? 1 : `x${i - 1} + x${i >> 1} + x0`}\n` +
        `function f${i}(rows: number[], limit = x${i}) {\n  const seen = new Map<number, number>()\n  for (const row of rows) if (row > limit) seen.set(row, (seen.get(row) ?? 0) + 1)\n  return [...seen].map(([key, n]) => ({ key, n }))\n}\n` +
        `display(f${i}([1, 2, 3]))`;
    return { id: `c${i}`, kind: sql ? "sql" : "code", source, options: {} };
  });
}

const take = (state: SessionState, input: Input): SessionState => {
  const outcome = apply(state, input);
  if ("refused" in outcome) throw new Error(outcome.refused.message);
  return outcome.state;
};
/** ms of the processor: what other programs take in the meantime does not count. */
const time = <T>(work: () => T): { ms: number; value: T } => {
  const before = process.cpuUsage();
  const value = work();
  const { user, system } = process.cpuUsage(before);
  return { ms: (user + system) / 1000, value };
};

/** Runs everything that waits, on a kernel that answers at once. */
function runAll(start: SessionState): SessionState {
  let state = take(start, { type: "command", client: "a", rev: start.doc.rev, command: { do: "run-all" }, at: 1 });
  state = take(state, { type: "ready", pid: 1, at: 2 });
  for (let run = state.running; run !== null; run = state.running)
    state = take(state, {
      type: "kernel",
      message: { type: "done", run: run.run, cell: run.cell, result: "ok", elapsedMs: 1, warnings: [], outputs: 0, reads: [] },
      at: 3,
    });
  return state;
}

export function bench(): Promise<Figure[]> {
  const cells = largeNotebook(size);
  const opened = time(() =>
    openState({
      epoch: "bench",
      path: "w/a.nb.ts",
      source: { front: {}, cells },
      broken: null,
      reopened: null,
      rev: 1,
      mode: "auto",
      results: {},
      outputs: {},
      runs: 0,
      memoryLimit: 1,
    }),
  );
  const parsing = time(() => {
    for (const cell of cells) void parseSync("cell.ts", cell.source, { lang: "ts", range: true, astType: "ts" }).program;
  });
  const analyses = cells.map((cell) => analyse(cell));
  const orders = Array.from({ length: 20 }, () => time(() => buildGraph(analyses)).ms);
  const all = time(() => runAll(opened.value));
  let state = all.value;
  const edits: number[] = [];
  const renames: number[] = [];
  // the first are for warming up
  for (let i = -30; i < 100; i++) {
    const id = `c${((i + 30) * 37) % size}`;
    const input = (insert: string, remove: number): Input => {
      const { source } = state.doc.source.cells.find((cell) => cell.id === id)!;
      const at = remove > 0 ? source.length - remove : source.length;
      return { type: "command", client: "a", rev: state.doc.rev, command: { do: "ops", ops: [{ op: "edit", id, at, remove, insert }] }, at: 4 };
    };
    const typed = time(() => take(state, input("\n1", 0)));
    state = typed.value;
    if (i >= 0) edits.push(typed.ms);
    // a new name changes the graph, not only the cell
    const named = time(() => take(state, input(`\nconst y${i + 30} = x1`, 2)));
    state = named.value;
    if (i >= 0) renames.push(named.ms);
  }
  const figures: Figure[] = [
    { name: "graph: an edit in 1,000 cells, whole step, median", value: quantile(edits, 0.5), unit: "ms", goal: "< 20" },
    { name: "graph: an edit in 1,000 cells, whole step, p95", value: quantile(edits, 0.95), unit: "ms", goal: "< 20" },
    { name: "graph: an edit that adds a name, whole step, median", value: quantile(renames, 0.5), unit: "ms", goal: "< 20" },
    { name: "graph: an edit that adds a name, whole step, p95", value: quantile(renames, 0.95), unit: "ms", goal: "< 20" },
    { name: "graph: full order of 1,000 cells, median", value: quantile(orders, 0.5), unit: "ms", goal: "< 50" },
    { name: "graph: full order of 1,000 cells, p95", value: quantile(orders, 0.95), unit: "ms", goal: "< 50" },
    { name: "graph: run all of 1,000, the server's share", value: all.ms, unit: "ms", goal: "< 1000" },
    { name: "graph: opening 1,000 cells, over parsing alone", value: opened.ms / parsing.ms, unit: "x", peer: "oxc-parser alone" },
  ];
  return Promise.resolve(figures);
}
