/** The badge says "same" only where no earlier run can show through what another cell gave, or through what the kernel shares. */
import { expect, it } from "vitest";
import { Machine, notebookOf } from "../../test/support/machine.js";

type Step =
  | string
  | { set: [string, string] }
  | { delete: string }
  | { disable: string }
  | { enable: string }
  | { move: [string, string | null] }
  | "all"
  | "restart";
const counter = { a: "let n = 0\nexport const inc = () => ++n", b: "inc()" };
const table = { a: "await sql`create or replace table t as select 1 as x`", b: "await sql`from t`" };

const grown = { a: "await sql`create table if not exists t as select 1 as x`\nawait sql`insert into t values (2)`", b: table.b };

const cases: [name: string, cells: Record<string, string>, steps: Step[], state: "same" | "unchecked", cells?: string[]][] = [
  ["each cell once", counter, ["all"], "same"],
  ["everything twice", counter, ["all", "all"], "same"],
  ["a reader again", counter, ["all", "b"], "unchecked", ["a"]],
  ["a reader again, then all", counter, ["all", "b", "all"], "same"],
  ["a reader again, then its owner and itself", counter, ["all", "b", "a", "b"], "same"],
  ["a reader at a distance", { ...counter, b: "const twice = () => inc() + inc()", c: "twice()" }, ["all", "c"], "unchecked", ["a"]],
  ["a reader that reads no more", counter, ["all", { set: ["b", "1"] }, "b"], "unchecked", ["a"]],
  ["a reader that is gone", { ...counter, c: "inc()" }, ["all", { delete: "b" }], "unchecked", ["a"]],
  ["readers against their order", { ...counter, c: "inc()" }, ["a", "c", "b"], "unchecked", ["a"]],
  [
    "a cache",
    { a: "const kept = new Map()\nconst get = (k) => { kept.set(k, kept.size); return kept.get(k) }", b: "get(1)" },
    ["all", "b"],
    "unchecked",
    ["a"],
  ],
  ["a counter in a closure", { a: "const next = (() => { let i = 0; return () => i++ })()", b: "next()" }, ["all", "b"], "unchecked", ["a"]],
  [
    "a sum by a callback that is over",
    { a: "let sum = 0\n;[1, 2].forEach((x) => { sum += x })\nconst f = () => sum", b: "f()" },
    ["all", "b"],
    "same",
  ],
  [
    "a function that keeps to itself",
    { a: "const f = (list) => { const own = []; for (const x of list) own.push(x); return own }", b: "f([1])" },
    ["all", "b"],
    "same",
  ],
  ["a plain value", { a: "const x = 1", b: "x" }, ["all", "b", "b"], "same"],
  ["a changer that is gone", { a: "const list = []", b: "list.push(1)", c: "list" }, ["all", { delete: "b" }], "unchecked", ["a"]],
  ["a changer that is gone, its owner made anew", { a: "const list = []", b: "list.push(1)", c: "list" }, ["all", { delete: "b" }, "a", "c"], "same"],
  ["a model that is trained elsewhere", { a: "const m = make()", b: "await m.fit(x)" }, ["all"], "unchecked", ["b"]],
  ["a function of a module that is called fit", { a: "import * as line from './line.js'", b: "line.fit([1])" }, ["all"], "same"],
  ["an iterator that is advanced", { a: "const it = [1][Symbol.iterator]()", b: "it.next()" }, ["all"], "unchecked", ["b"]],
  ["a changer that is disabled", { a: "const list = []", b: "list.push(1)", c: "list" }, ["all", { disable: "b" }], "unchecked", ["a"]],
  [
    "a changer that is disabled, its owner made anew",
    { a: "const list = []", b: "list.push(1)", c: "list" },
    ["all", { disable: "b" }, "a", "c"],
    "same",
  ],
  ["a changer that never ran and is disabled", { a: "const list = []", b: "list.push(1)", c: "list" }, [{ disable: "b" }, "all"], "same"],
  ["a reader that is disabled", { ...counter, c: "inc()" }, ["all", { disable: "b" }], "unchecked", ["a"]],
  ["a reader that is disabled and comes back", { ...counter, c: "inc()" }, ["all", { disable: "b" }, { enable: "b" }], "same"],
  ["a reader of what is disabled", { ...counter, c: "const d = 1", e: "inc() + d" }, ["all", { disable: "c" }], "unchecked", ["a"]],
  ["a table whose maker is disabled", table, ["all", { disable: "a" }], "unchecked", []],
  [
    "a changer that is edited and then deleted",
    { a: "const list = []", b: "list.push(1)", c: "list" },
    ["all", { set: ["b", "1"] }, { delete: "b" }],
    "unchecked",
    ["a"],
  ],
  [
    "a changer that changes nothing any more",
    { a: "const list = []", b: "list.push(1)", c: "list" },
    ["all", { set: ["b", "1"] }, "b"],
    "unchecked",
    ["a"],
  ],
  [
    "a changer through another name",
    { a: "const list = []", x: "const other = list", b: "other.push(1)", c: "list" },
    ["all", { delete: "b" }, "x"],
    "unchecked",
    ["a"],
  ],
  ["readers that change places", { ...counter, c: "inc()" }, ["all", { move: ["c", "a"] }], "unchecked", ["a"]],
  ["readers that change places and back", { ...counter, c: "inc()" }, ["all", { move: ["c", "a"] }, { move: ["c", "b"] }], "same"],
  [
    "a table made by a function that another cell calls",
    { a: "const make = () => sql`create or replace table t as select 1 as x`", b: "await make()" },
    ["all", "b"],
    "unchecked",
    [],
  ],
  ["a table made once", table, ["all"], "same"],
  ["a table made twice", grown, ["all", "a"], "unchecked", []],
  ["a table made twice, in a new kernel once", grown, ["all", "a", "restart", "all"], "same"],
  ["a table that is replaced by the same", table, ["all", "a", "a"], "same"],
  [
    "a table that is replaced by another",
    table,
    ["all", { set: ["a", "await sql`create or replace table t as select 2 as x`"] }, "a"],
    "unchecked",
    [],
  ],
  [
    "a table that is replaced, of another value",
    { n: "const n = 1", a: "await sql`create or replace table t as select ${n} as x`", b: table.b },
    ["all", "n", "a"],
    "unchecked",
    [],
  ],
  ["a table made of itself", { a: "await sql`create or replace table t as select x + 1 as x from t`" }, ["all", "a"], "unchecked", []],
  ["a table of two makers", { ...table, c: "await sql`create or replace table t as select 3 as x`" }, ["all", "a"], "unchecked", []],
  ["a table whose maker is gone", table, ["all", { delete: "a" }], "unchecked", []],
  ["a table whose maker makes none any more", table, ["all", { set: ["a", "1"] }, "a"], "unchecked", []],
  [
    "a plain cell above a table's maker, again",
    { a: "const x = 1", b: "await sql`create or replace table t as select 1 as x`" },
    ["all", "a"],
    "same",
  ],
  ["a reader of a table above its maker, again", { a: "sql`from t`", b: table.a }, ["b", "a"], "unchecked", []],
  ["a plain cell above one that sets a global, again", { a: "Math.max(1, 2)", b: "globalThis.x = 1" }, ["all", "a"], "same"],
  ["a name that nobody defines above one that sets a global, again", { a: "typeof x", b: "globalThis.x = 1" }, ["all", "a"], "unchecked", []],
  [
    "a cell that imports above one that sets the environment, again",
    { a: "import { y } from 'x'", b: "process.env.X = '1'" },
    ["all", "a"],
    "unchecked",
    [],
  ],
  ["a prototype set below", { a: "[].extra", b: "Array.prototype.extra = 1" }, ["all", "a"], "unchecked", []],
  ["a global set later and seen above", { a: "globalThis.x", b: "globalThis.x = 1" }, ["all", "a"], "unchecked", []],
  ["listeners of the cell's own signal", { a: "cell.signal.addEventListener('abort', () => {})\nconsole.clear()" }, ["all", "a"], "same"],
];

it.each(cases)("%s", (_, cells, steps, state, named) => {
  const machine = new Machine(notebookOf(cells));
  machine.do({ do: "mode", mode: "lazy" });
  for (const step of steps) {
    if (typeof step === "object" && "set" in step) machine.set(...step.set);
    else if (typeof step === "object" && "move" in step)
      expect(machine.do({ do: "ops", ops: [{ op: "move", id: step.move[0], after: step.move[1] }] })).toBe(null);
    else if (typeof step === "object" && !("delete" in step)) {
      const [id, options] = "disable" in step ? [step.disable, { disabled: true }] : [step.enable, {}];
      expect(machine.do({ do: "ops", ops: [{ op: "options", id, options }] })).toBe(null);
    } else if (typeof step === "object") expect(machine.do({ do: "ops", ops: [{ op: "delete", id: step.delete }] })).toBe(null);
    else if (step === "all") machine.do({ do: "run-all" });
    else if (step === "restart") machine.do({ do: "restart", then: "nothing" });
    else machine.do({ do: "run", cells: [step] });
    machine.drain();
  }
  const { badge } = machine.state.doc;
  expect(badge).toMatchObject({ state, ...(named && { cells: named }) });
});

const file = (path: string, state: string | null, version = 1) => ({ path, state, version });
const up = { a: "import { up } from './counter.ts'", b: "up()" };
const keeps = { a: { files: [file("counter.ts", "n")] } };
const imports: [
  name: string,
  cells: Record<string, string>,
  says: Machine["says"],
  steps: string[],
  state: "same" | "unchecked",
  cells?: string[],
][] = [
  ["each cell once", up, keeps, ["all"], "same"],
  ["a reader again", up, keeps, ["all", "b"], "unchecked", ["a"]],
  ["a reader again, and the importer, which loads nothing anew", up, keeps, ["all", "b", "a", "b"], "unchecked", ["a"]],
  ["a reader again, in a new kernel once", up, keeps, ["all", "b", "restart", "all"], "same"],
  ["an importer that only hands on, again", { a: up.a }, keeps, ["all", "a"], "same"],
  ["an importer that calls, again", { a: "import { up } from './counter.ts'\nup()" }, keeps, ["all", "a"], "unchecked", ["a"]],
  ["a file that keeps nothing", up, { a: { files: [file("pure.ts", null)] } }, ["all", "b", "a", "b"], "same"],
  [
    "a list of a file",
    { a: "import { list } from './list.ts'", b: "list.push(1)" },
    { a: { files: [file("list.ts", null)] } },
    ["all", "b"],
    "unchecked",
    ["a"],
  ],
  [
    "a list of a file, by its importer",
    { a: "import { list } from './list.ts'\nlist.push(1)" },
    { a: { files: [file("list.ts", null)] } },
    ["all", "a"],
    "unchecked",
    ["a"],
  ],
  ["what a reader makes a number of", { ...up, c: "const n = up()", d: "n" }, { ...keeps, c: { hands: "plain" } }, ["all", "d"], "same"],
  ["what a reader makes a function of", { ...up, c: "const twice = () => up() + up()", d: "twice()" }, keeps, ["all", "d"], "unchecked", ["a"]],
  [
    "a number of a cell with a counter",
    { a: "let n = 0\nconst inc = () => ++n", b: "const first = inc()", c: "first" },
    { b: { hands: "plain" } },
    ["all", "c"],
    "same",
  ],
  ["an iterator that is spread", { a: "const it = make()", b: "[...it]" }, { a: { hands: "stream" } }, ["all", "b"], "unchecked", ["a"]],
];

it.each(imports)("of what the kernel says: %s", (_, cells, says, steps, state, named) => {
  const machine = new Machine(notebookOf(cells));
  machine.says = says;
  machine.do({ do: "mode", mode: "lazy" });
  for (const step of steps) {
    if (step === "all") machine.do({ do: "run-all" });
    else if (step === "restart") machine.do({ do: "restart", then: "nothing" });
    else machine.do({ do: "run", cells: [step] });
    machine.drain();
  }
  expect(machine.state.doc.badge).toMatchObject({ state, ...(named && { cells: named }) });
});

it("a file that is loaded anew begins anew", () => {
  const machine = new Machine(notebookOf(up));
  machine.says = keeps;
  machine.do({ do: "mode", mode: "lazy" });
  for (const cells of [["a", "b"], ["b"]]) machine.run(cells);
  expect(machine.state.doc.badge).toMatchObject({ state: "unchecked", why: expect.stringMatching(/`n` in counter\.ts/) as string });
  machine.says = { a: { files: [file("counter.ts", "n", 2)] } };
  for (const cells of [["a"], ["b"]]) machine.run(cells);
  expect(machine.state.doc.badge).toEqual({ state: "same" });
});

it("what a console may have changed is no clean run's, whatever it only looks at is", () => {
  const open = (cells: Record<string, string>) => {
    const machine = new Machine(notebookOf(cells));
    machine.do({ do: "mode", mode: "lazy" });
    machine.run(Object.keys(cells));
    expect(machine.state.doc.badge).toEqual({ state: "same" });
    return machine;
  };
  const asked = (cells: Record<string, string>, ...sources: string[]) => {
    const machine = open(cells);
    for (const source of sources) machine.give({ type: "console", source });
    return machine.state.doc.badge;
  };
  const list = { a: "const list = [1]", b: "list.length" };
  expect(asked(list, "list", "list.map((x) => x + 1)")).toEqual({ state: "same" });
  expect(asked(list, "list.push(2)")).toMatchObject({ state: "unchecked", cells: ["a"] });
  expect(asked(counter, "inc()")).toMatchObject({ state: "unchecked", cells: ["a"] });
  expect(asked(list, "globalThis.x = 1")).toMatchObject({ state: "unchecked", cells: [] });
  expect(asked(list, "((")).toEqual({ state: "same" });
  const machine = open(counter);
  machine.give({ type: "console", source: "const twice = () => inc() + inc()" });
  machine.run(["a"]);
  machine.run(["b"]);
  expect(machine.state.doc.badge).toEqual({ state: "same" });
  machine.give({ type: "console", source: "twice()" });
  expect(machine.state.doc.badge).toMatchObject({ state: "unchecked", cells: ["a"] });
});
