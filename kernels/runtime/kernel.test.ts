import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startKernel, type TestKernel } from "../../test/support/kernel.js";

let kernel: TestKernel;
beforeAll(async () => {
  kernel = await startKernel();
});
afterAll(() => kernel.close());

const text = async (source: string) => (await kernel.run(source)).displays.map((data) => data["text/plain"]);

describe("values", () => {
  it("says what of a cell's values may change, and which files it imports", async () => {
    const told = async (code: string) => {
      const { hands, files } = await kernel.run(code, { id: "told" });
      return [hands ?? null, files?.map(({ path, state }) => [path, state]) ?? null];
    };
    mkdirSync(join(kernel.workspace, "keep"), { recursive: true });
    writeFileSync(join(kernel.workspace, "keep/counter.ts"), "let n = 0\nexport const up = () => ++n");
    writeFileSync(
      join(kernel.workspace, "keep/deep.ts"),
      'import { up } from "./counter.ts"\nexport const twice = () => up() + up()\nexport const rate = 2',
    );
    expect(await told("const a = 1, b = 'x', c = null, d = 2n")).toEqual(["plain", null]);
    expect(await told("const a = 1, b = [1]")).toEqual([null, null]);
    expect(await told("1 + 1")).toEqual(["plain", null]);
    expect(await told("const it = [1][Symbol.iterator]()")).toEqual(["stream", null]);
    expect(await told("const re = /a/g")).toEqual(["stream", null]);
    expect(await told("const re = /a/")).toEqual([null, null]);
    expect(await told("const trap = new Proxy({}, { get() { throw 1 } })")).toEqual([null, null]);
    const deep = expect.arrayContaining([
      ["keep/counter.ts", "n"],
      ["keep/deep.ts", null],
    ]) as unknown;
    expect(await told('import { rate } from "./keep/deep.ts"')).toEqual(["plain", deep]);
    // the files that an imported file has imported before
    expect(await told('const { twice } = await import("./keep/deep.ts")')).toEqual([null, deep]);
    const first = (await kernel.run('import { up } from "./keep/counter.ts"')).files!;
    const second = (await kernel.run('import { up } from "./keep/counter.ts"')).files!;
    expect(second).toEqual(first);
    writeFileSync(join(kernel.workspace, "keep/counter.ts"), "let n = 1\nexport const up = () => ++n");
    expect((await kernel.run('import { up } from "./keep/counter.ts"')).files![0]!.version).toBeGreaterThan(first[0]!.version);
  });

  it("says why a name that is no table is none", async () => {
    const why = async (code: string, id: string) => (await kernel.run(code, { id })).error?.message;
    await kernel.run("const plain = [{ a: 1 }]\nconst double = (x) => 2 * x\nconst late = () => sql`from soon`", { id: "values" });
    expect(await why("sql`from plain`", "s1")).toBe(
      "`plain` of cell values is no table but an Array(1); `relation(plain)` makes one of rows or columns.",
    );
    expect(await why("sql`from Double`", "s2")).toBe("`double` of cell values is no table but a function.");
    expect(await why("const soon = relation([{ a: 1 }])\nawait sql`from soon`.rows()", "s3")).toBe(
      "`soon` is made in this cell, and its name is a table only when the cell is done: write ${soon} for it here.",
    );
    expect(await why("await sql`from nothing_at_all`.rows()", "s4")).toBe("There is no table or view `nothing_at_all`.");
  });

  it("shows the last expression, awaited", async () => {
    expect(await text("1 + 1")).toEqual(["2"]);
    expect(await text("const a = 1; Promise.resolve(a + 2)")).toEqual(["3"]);
    expect(await text("await Promise.resolve('x')")).toEqual(["x"]);
    expect(await text("const b = 1")).toEqual([]);
  });

  it("shows a split by the rows and the range of each part, and refuses one that cannot be made", async () => {
    const [shown] = await text('sql`select i as id from range(100) r(i)`.split({ by: "time", key: "id", cut: [60, 80] })');
    expect(shown).toContain("{ part: 'train', rows: 60, first: '0', last: '59' }");
    expect(shown).toContain("{ part: 'test', rows: 20, first: '80', last: '99' }");
    const { result, error } = await kernel.run('sql`select i as id from range(9) r(i)`.split({ by: "time", key: "nope", cut: [1, 2] })');
    expect([result, error?.message]).toEqual(["error", expect.stringContaining("nope")]);
  });

  it("hands names from cell to cell", async () => {
    await kernel.run("const a = 20\nlet b: number = 1\nb += 1\nexport function twice(x: number) { return x * 2 }\nclass K<T> { x?: T }", {
      id: "one",
    });
    expect(await text("[twice(a) + b, new K().constructor.name]")).toEqual(["[ 42, 'K' ]"]);
  });

  it("keeps _names and the names of loops to the cell", async () => {
    await kernel.run("const _p = 1; for (var i = 0; i < 3; i++); var v = 5; enum E { A = 7 }", { id: "private" });
    expect(await text("[typeof _p, typeof i, v, E.A]")).toEqual(["[ 'undefined', 'undefined', 5, 7 ]"]);
  });

  it("forgets what a cell had defined before", async () => {
    await kernel.run("const first = 1", { id: "again" });
    await kernel.run("const second = 2", { id: "again" });
    expect(await text("[typeof first, second]")).toEqual(["[ 'undefined', 2 ]"]);
    kernel.send({ type: "forget", cells: ["again"] });
    expect(await text("typeof second")).toEqual(["undefined"]);
  });

  it("keeps the values that were set before an error", async () => {
    const done = await kernel.run("const good = 1\nthrow new Error('no')\nconst bad = 2", { id: "half" });
    expect(done.result).toBe("error");
    expect(await text("good")).toEqual(["1"]);
    const after = await kernel.run("bad");
    expect(after.error?.message).toBe("bad is not defined");
    expect(after.error?.suggestion).toEqual({ label: "run the cell that defines bad", action: { type: "goto", cell: "half" } });
  });

  it("draws the same random numbers at each run of a cell, others in another cell", async () => {
    const draw = async (id: string) => (await kernel.run("[Math.random(), Math.random()]", { id })).displays;
    const first = await draw("seed-a");
    expect(await draw("seed-a")).toEqual(first);
    expect(await draw("seed-b")).not.toEqual(first);
  });
});

describe("outputs", () => {
  it("keeps the order of prints and displays", async () => {
    const done = await kernel.run(
      `console.log("a"); display(1); process.stdout.write("b"); console.error("\\u001b[31mc"); display({ x: 1 }, { id: "own" })`,
    );
    expect(done.outputs).toEqual([
      { kind: "stream", name: "stdout", text: "a\n" },
      { kind: "display", id: "d1", data: { "text/plain": "1" } },
      { kind: "stream", name: "stdout", text: "b" },
      { kind: "stream", name: "stderr", text: "\u001b[31mc\n" },
      { kind: "display", id: "own", data: { "text/plain": "{ x: 1 }" } },
    ]);
  });

  it("drops nothing of a storm of prints", async () => {
    const done = await kernel.run("for (let i = 0; i < 20000; i++) console.log(i)");
    expect(done.stdout).toBe(Array.from({ length: 20000 }, (_, i) => `${i}\n`).join(""));
    expect(done.outputs.length).toBeLessThan(2000);
  });

  it("reports what a timer prints and throws after the run", async () => {
    await kernel.run("setTimeout(() => { console.log('late'); throw new Error('in the timer') }, 5)", { id: "timer" });
    const late = await kernel.until((message) => "kind" in message && message.kind === "error" && message.error.message === "in the timer");
    expect(late).toMatchObject({ error: { cell: "timer", line: 1 } });
  });

  it("ends the timers of a cell that runs again", async () => {
    await kernel.run("globalThis.ticks = 0; setInterval(() => ticks++, 1)", { id: "ticker" });
    await kernel.run("cell.onDispose(() => { globalThis.disposed = cell.id })", { id: "ticker" });
    await kernel.run("1", { id: "ticker" });
    expect(await text("const before = ticks; await new Promise((r) => setTimeout(r, 30)); [ticks - before, disposed]")).toEqual(["[ 0, 'ticker' ]"]);
  });

  it("renders markdown", async () => {
    const done = await kernel.run("# Title", { kind: "markdown" });
    expect(done.displays).toEqual([{ "text/markdown": "# Title", "text/plain": "# Title" }]);
  });
});

describe("errors", () => {
  it("point at the cell's own line, also after types and an await", async () => {
    const source =
      "type T = {\n  a: number\n}\nawait new Promise((r) => setTimeout(r, 1))\nconst deep = (x: T) => {\n  throw new RangeError('wrong')\n}\ndeep({ a: 1 })";
    const { error } = await kernel.run(source, { id: "lines" });
    expect(error).toMatchObject({ name: "RangeError", message: "wrong", cell: "lines", line: 6, column: 9, code: "  throw new RangeError('wrong')" });
    expect(error?.frames.map(({ cell, line, name }) => ({ cell, line, name }))).toEqual([
      { cell: "lines", line: 6, name: "deep" },
      { cell: "lines", line: 8, name: undefined },
    ]);
  });

  it("point into the cell that threw when another calls it", async () => {
    await kernel.run("function broken() {\n  return null.x\n}", { id: "lib" });
    const { error } = await kernel.run("const z = 1\nbroken()", { id: "user" });
    expect(error).toMatchObject({ name: "TypeError", cell: "lib", line: 2, code: "  return null.x" });
    expect(error?.frames[1]).toMatchObject({ cell: "user", line: 2 });
  });

  it("point at the await when the stack does not lead to the cell", async () => {
    const { error } = await kernel.run("const a = 1\nawait import('nowhere-at-all')", { id: "far" });
    expect(error).toMatchObject({ cell: "far", line: 2, column: 1, suggestion: { action: { type: "install", packages: ["nowhere-at-all"] } } });
    const { error: late } = await kernel.run("\nconst rows = await sql`select 1 as x`.where('y > 1').rows()", { id: "late" });
    expect(late).toMatchObject({ name: "SqlError", cell: "late", line: 2, column: 14 });
  });

  it("point into the SQL", async () => {
    const { error } = await kernel.run("const n = 3\nconst t = sql`select x\n  from range(${n}) r(y)`", { id: "sql" });
    expect(error).toMatchObject({ name: "SqlError", cell: "sql", line: 2, column: 22, code: "const t = sql`select x" });
  });

  it("name the place of a syntax error", async () => {
    const { error } = await kernel.run("const a = 1\nconst b = = 2", { id: "syntax" });
    expect(error).toMatchObject({ name: "SyntaxError", cell: "syntax", line: 2, column: 11, code: "const b = = 2" });
  });

  it("offer the name that was meant", async () => {
    await kernel.run("const flights = 1", { id: "f" });
    expect((await kernel.run("fligths + 1", { id: "typo" })).error?.suggestion).toEqual({
      label: "did you mean flights?",
      action: { type: "replace", cell: "typo", from: "fligths", to: "flights" },
    });
  });

  it.each([
    ["nothing(1)", 1, 1],
    ["const before = 1\nnothing(1)", 2, 1],
    ["const before: number = 1\nnothing<number>(1)", 2, 1],
    ["nothing`x`", 1, 1],
    ["const z = nothing(1)", 1, 11],
    ["[1].map(() => nothing(1))", 1, 15],
  ])("know the place of a call of what is not defined: %s", async (source, line, column) => {
    expect((await kernel.run(source)).error).toMatchObject({ message: "nothing is not defined", line, column });
  });

  it("describe any thrown value and the cause", async () => {
    expect((await kernel.run("throw { a: 1 }")).error).toMatchObject({ name: "Thrown", message: "a value that is no Error was thrown: { a: 1 }" });
    expect((await kernel.run("throw new Error('outer', { cause: new TypeError('inner') })")).error).toMatchObject({
      cause: { name: "TypeError", message: "inner" },
    });
  });

  it("do not let a cell end the process", async () => {
    expect((await kernel.run("process.exit(3)")).error?.message).toContain("would end the kernel");
    await kernel.run("Promise.reject(new Error('nobody waits'))\nundefined", { id: "unhandled" });
    await kernel.until((message) => "kind" in message && message.kind === "error" && message.error.message === "nobody waits");
    expect(await text("1")).toEqual(["1"]);
  });

  it("are told although a cell or a package takes all listeners of the process away", async () => {
    await kernel.run(`process.removeAllListeners()
      for (const event of ["uncaughtException", "unhandledRejection"]) {
        process.removeAllListeners(event)
        for (const listener of process.listeners(event)) process.off(event, listener).removeListener(event, listener)
      }`);
    await kernel.run("Promise.reject(new Error('nobody waits here either'))\nsetTimeout(() => { throw new Error('thrown late') })\nundefined");
    for (const said of ["nobody waits here either", "thrown late"])
      await kernel.until((message) => "kind" in message && message.kind === "error" && message.error.message === said);
    expect(await text("1")).toEqual(["1"]);
  });
});

describe("imports", () => {
  const file = (name: string, content: string) => {
    mkdirSync(join(kernel.workspace, name, ".."), { recursive: true });
    writeFileSync(join(kernel.workspace, name), content);
  };

  it("knows Node's modules, static and dynamic", async () => {
    expect(
      await text(
        `import { join as j } from "node:path"\nimport * as os from "os"\nj("a", "b") + typeof os.cpus + (await import("node:url")).URL.name`,
      ),
    ).toEqual(["a/bfunctionURL"]);
  });

  it("takes packages of the workspace, with names of CommonJS ones", async () => {
    file("node_modules/common/package.json", `{ "name": "common", "main": "index.js" }`);
    file("node_modules/common/index.js", `const o = {}; for (const n of ["chunk"]) o[n] = () => n; module.exports = o`);
    file("node_modules/modern/package.json", `{ "name": "modern", "type": "module", "exports": { "import": "./m.js" } }`);
    file("node_modules/modern/m.js", `export default 1; export const two = 2`);
    expect(
      await text(`import { chunk } from "common"\nimport one, { two } from "modern"\nimport type { Nothing } from "nowhere"\n[chunk(), one, two]`),
    ).toEqual(["[ 'chunk', 1, 2 ]"]);
  });

  it("says which package to install and which name is missing", async () => {
    const missing = await kernel.run(`import { x } from "left-pad-not-there/sub"`);
    expect(missing.error).toMatchObject({
      message: 'the package "left-pad-not-there" is not installed in this workspace',
      suggestion: { action: { type: "install", packages: ["left-pad-not-there"] } },
    });
    expect((await kernel.run(`import { nothing } from "node:path"\nnothing()`)).error?.message).toBe('"node:path" does not export `nothing`');
  });

  it("compiles relative files, follows their changes and says so", async () => {
    file("lib/base.ts", "export const base: number = 1");
    file(
      "lib/util.ts",
      `import { base } from "./base.js"\nexport type T = 1\nexport const add = (x: number): number => x + base\nexport default class {}\nexport { base as again }`,
    );
    const source = `import { add, again } from "./lib/util.ts"\nimport D from "./lib/util"\n[add(1), again, typeof D]`;
    const first = await kernel.run(source, { id: "imports" });
    expect(first.displays[0]).toEqual({ "text/plain": "[ 2, 1, 'function' ]" });
    expect(first.reads.map((line) => line.split(" ")[0])).toEqual(["lib/base.ts", "lib/util.ts"]);
    file("lib/base.ts", "export const base: number = 10");
    const changed = await kernel.until((message) => "type" in message && message.type === "changed");
    expect(changed).toMatchObject({ cells: ["imports"], file: join(kernel.workspace, "lib/base.ts") });
    expect((await kernel.run(source, { id: "imports" })).displays[0]).toEqual({ "text/plain": "[ 11, 10, 'function' ]" });
  });

  it("points at the line of an imported file", async () => {
    file("lib/bad.ts", "interface A {}\nexport function fail(a: A) {\n  throw new Error('in the file')\n}");
    const { error } = await kernel.run(`import { fail } from "./lib/bad.ts"\nfail({})`, { id: "badfile" });
    expect(error?.frames[0]).toMatchObject({ file: join(kernel.workspace, "lib/bad.ts"), line: 3, name: "fail" });
    expect(error).toMatchObject({ cell: "badfile", line: 2 });
  });

  it('gives the library by name from "touchstone", also in files', async () => {
    file("lib/uses.ts", `import { sql } from "touchstone"\nexport const one = async () => (await sql\`select 1 as x\`.rows())[0].x`);
    expect(
      await text(
        `import { relation, f } from "touchstone"\nimport { one } from "./lib/uses.ts"\n[await relation([{ a: 1 }]).count(), typeof f.z, await one()]`,
      ),
    ).toEqual(["[ 1, 'function', 1 ]"]);
  });

  it("lets files import each other", async () => {
    file("lib/a.ts", `import { b } from "./b.ts"\nexport const a = () => b() + 1`);
    file("lib/b.ts", `import * as other from "./a.ts"\nexport const b = () => typeof other.a === "function" ? 1 : 0`);
    expect(await text(`import { a } from "./lib/a.ts"\na()`)).toEqual(["2"]);
  });
});

describe("life", () => {
  it("lists the variables", async () => {
    await kernel.run("const list = [1, 2]; const big = new Float64Array(4); function fn() {}", { id: "vars" });
    const variables = (await kernel.query({ query: "variables" })) as { name: string; cell: string; type: string; size: number | null }[];
    expect(variables.filter(({ cell }) => cell === "vars").map(({ name, type, size }) => [name, type, size])).toEqual([
      ["list", "Array(2)", null],
      ["big", "Float64Array", 32],
      ["fn", "function", null],
    ]);
  });

  it("disposes and ends when told to, and leaves nothing when killed", async () => {
    const other = await startKernel();
    const mark = join(other.workspace, "mark");
    await other.run(
      `import { writeFileSync } from "node:fs"\nlet typed: number = 1\ncell.onDispose(() => writeFileSync(${JSON.stringify(mark)}, ""))`,
    );
    other.send({ type: "shutdown" });
    expect(await other.exited).toEqual({ code: 0, signal: null });
    expect(existsSync(mark)).toBe(true);
    await other.close();

    const killed = await startKernel();
    await killed.run("let typed: number = 1");
    const children = () => readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && parentOf(pid) === killed.pid);
    const before = children();
    expect(before.length).toBeGreaterThan(0);
    killed.process.kill("SIGKILL");
    await killed.exited;
    for (const pid of before) while (existsSync(`/proc/${pid}`)) await new Promise((resolve) => setImmediate(resolve));
    await killed.close();
    rmSync(mark, { force: true });
  });

  it("ends itself, even from a loop, when the server is gone", async () => {
    const other = await startKernel();
    const { run } = other.start("console.log('spin'); for (;;);");
    await other.until((message) => "kind" in message && message.kind === "stream" && message.text.includes("spin"));
    expect(run).toBe("r1");
    other.disconnect();
    expect((await other.exited).signal).toBe("SIGKILL");
    await other.close();
  });
});

function parentOf(pid: string): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return null;
  }
}

describe("tensors", () => {
  it("a leak is reported with its cell; what names hold, models and tidy code are none", async () => {
    const leaky = await kernel.run("for (let i = 0; i < 50; i++) tf.ones([1000]).square()", { id: "leaky" });
    expect(leaky.warnings).toEqual([expect.stringMatching(/^100 tensors \(0\.4 MB\) that this cell made are held by no name: .*tf\.tidy/)]);
    const clean = [
      "let total = 0; for (let i = 0; i < 50; i++) total += tf.tidy(() => tf.ones([1000]).square().sum().dataSync()[0]); total",
      "const list = Array.from({ length: 40 }, () => tf.ones([10])); const byName = new Map([['a', { deep: tf.split(tf.ones([30]), 30) }]])",
      `const net = tf.sequential({ layers: [tf.layers.dense({ inputShape: [4], units: 8 }), tf.layers.dense({ units: 1 })] });
       net.compile({ optimizer: "adam", loss: "meanSquaredError" });
       const [x, y] = [tf.ones([16, 4]), tf.ones([16, 1])];
       await net.fit(x, y, { epochs: 2, verbose: 0 })`,
    ];
    for (const [i, source] of clean.entries()) expect((await kernel.run(source, { id: `clean${i}` })).warnings).toEqual([]);
  });
});
