/**
 * Closes over the row function of `features({...})`: its source as its cell ran, what it uses of other cells, and imports, as one file (contracts 4).
 *
 * What the runtime gives is a CaptureScope: the cells as they RAN (not as they are edited now) and the values that their names have now.
 * A name is looked for in its own cell, then among the names of other cells, then in the library (`f` alone may be used), then among the
 * language's own pure globals. Everything else is refused with a CaptureError that names the cell and the name.
 */
import { dirname, relative } from "node:path";
import { buildBundle, virtual } from "../models/features-bundle.js";
import * as f from "../models/f.js";
import { FeatureSet } from "../models/features.js";
import { pureGlobals } from "../models/features-realm.js";
import type { Hash } from "../protocol/values.js";
import { libraryNames } from "../reactive/references.js";
import { bare, isFunction, isInert, needsOf, offences, place, readCell, rootOf, textOf, walk, type CellSource, type Node } from "./capture-source.js";
import { createValues, ValueError } from "./capture-values.js";

export interface RunCell {
  id: string;
  /** TypeScript as written when the cell last ran */
  source: string;
}

/** What capture needs of the kernel. */
export interface CaptureScope {
  /** cell by id, as it last ran */
  cell(id: string): RunCell | null;
  /** the cell that defines this name for other cells now */
  cellOf(name: string): RunCell | null;
  /** value that the name has now; undefined also for names that the cell does not export (`_private`) */
  value(cell: string, name: string): unknown;
  /** absolute path; imports count from its folder */
  notebookPath: string;
  /** absolute folder; files of it that are bundled are looked at as cells are */
  workspace: string;
}

/** Why features cannot be closed over: the cell and the name at fault. */
export class CaptureError extends Error {
  override name = "CaptureError";
  readonly cell: string;
  /** the name at fault */
  readonly fault: string;
  /** in the cell's source, from 1 */
  readonly line: number | null;
  readonly column: number | null;
  constructor(cell: string, fault: string, message: string, at: { line: number; column: number } | null = null) {
    super(message);
    this.cell = cell;
    this.fault = fault;
    this.line = at?.line ?? null;
    this.column = at?.column ?? null;
  }
}

const banned: Record<string, string> = {};
for (const [why, names] of Object.entries({
  "reads the environment":
    "process Deno Bun require module exports __dirname __filename Buffer navigator location document window global globalThis self os",
  "reaches the network": "fetch XMLHttpRequest WebSocket EventSource Request Response Headers",
  "reads the clock":
    "performance setTimeout setInterval setImmediate clearTimeout clearInterval clearImmediate requestAnimationFrame queueMicrotask Temporal",
  "draws at random": "crypto",
  "runs text as code": "eval Function",
  "depends on the machine's language": "Intl",
  "has no value when served": "arguments",
  "can share or lose state": "WeakRef FinalizationRegistry SharedArrayBuffer Atomics WebAssembly",
  "prints or shows": "console display view progress",
  "is a secret": "secret",
  "reads data; SQL shapes rows, not features": "sql relation file log",
  "makes tensors; features are plain numbers": "tf",
  "belongs to the run of a cell": "cell",
}))
  for (const name of names.split(" ")) banned[name] = why;

/** Makes features.mjs of a value that `features()` returned. Call it when the training run starts. */
export async function capture(feature: unknown, scope: CaptureScope): Promise<{ code: string; hash: Hash }> {
  if (!(feature instanceof FeatureSet)) throw new TypeError("Expected `features` to be made by `features({...})`");
  const collector = new Collector(feature, scope);
  const modules = collector.collect();
  const folder = dirname(scope.notebookPath);
  try {
    return await buildBundle({ input: feature.input, modules, folder, inspect: (path, source) => inspectFile(path, source, scope.workspace) });
  } catch (error) {
    if (error instanceof CaptureError) throw error;
    throw new CaptureError(
      collector.home.id,
      collector.name,
      `Features \`${collector.name}\` of cell ${collector.home.id} cannot be bundled: ${(error as Error).message}`,
    );
  }
}

/** One cell's part of the bundle. */
interface Part {
  cell: CellSource;
  /** lines by offset, so that they keep the cell's order */
  lines: { at: number; text: string }[];
  imports: Map<string, string>;
  exports: Set<string>;
}

class Collector {
  readonly home: CellSource;
  readonly name: string;
  private readonly scope: CaptureScope;
  private readonly row: { node: Node; text: string };
  private readonly parts = new Map<string, Part>();
  private readonly cells = new Map<string, CellSource>();
  private readonly values = createValues();

  constructor(feature: FeatureSet, scope: CaptureScope) {
    this.scope = scope;
    const home = feature.cell === null ? null : scope.cell(feature.cell);
    if (!home)
      throw new CaptureError(feature.cell ?? "", "features", "These features were not made by a cell that still exists; run their cell again");
    this.home = this.read(home);
    const found = this.find(feature);
    this.name = found.name;
    this.row = found.row;
  }

  collect(): Record<string, string> {
    const part = this.part(this.home);
    this.check(this.home, this.row.node, null, "row");
    part.lines.push({ at: Number.MAX_SAFE_INTEGER, text: `export const $$row = $$fix(${this.row.text});` });
    for (const need of needsOf(this.home, this.row.node, null)) this.need(this.home, need.name, need.node);
    const modules: Record<string, string> = {};
    for (const [id, { cell, lines, imports, exports }] of this.parts) {
      const body = lines.sort((a, b) => a.at - b.at).map((line) => line.text);
      const names = [...exports].map((name) => `export { ${name} };`);
      modules[cell === this.home ? "row" : this.moduleOf(id)] = [
        `import { fix as $$fix, join as $$join } from "${virtual}driver";`,
        ...imports.values(),
        ...body,
        ...names,
      ].join("\n");
    }
    modules.values = this.values.module(`${virtual}driver`);
    return modules;
  }

  /** The `features({...})` call of the value, and its row function. */
  private find(feature: FeatureSet): { name: string; row: { node: Node; text: string } } {
    const { home } = this;
    const calls: { node: Node; name: string | null; nested: boolean }[] = [];
    walk(home.program, (node, parents) => {
      if (node.type !== "CallExpression") return;
      const callee = bare(node.callee as Node);
      if (callee.type !== "Identifier" || callee.name !== "features") return;
      const holder = parents.findLast((one) => bare(one) === one && one.type !== "AwaitExpression");
      const id = holder?.type === "VariableDeclarator" ? (holder.id as Node) : null;
      calls.push({
        node,
        name: id?.type === "Identifier" ? (id.name as string) : null,
        nested: parents.some((one) => /Function|^For|While/.test(one.type)),
      });
    });
    const refuse = (why: string): never => {
      throw new CaptureError(
        home.id,
        "features",
        `Features of cell ${home.id}: ${why}. Write \`const feats = features({ input, fit, row })\` at the top level of the cell`,
      );
    };
    const match = calls.filter((call) => !call.nested && call.name !== null && this.scope.value(home.id, call.name) === feature);
    const open = calls.filter((call) => !call.nested && (call.name === null || this.scope.value(home.id, call.name) === undefined));
    const call = match[0] ?? (calls.length === 1 && open.length === 1 ? open[0] : undefined);
    if (!call) {
      if (calls.some((one) => one.nested)) return refuse("`features` is called inside a function or loop, whose variables cannot be read later");
      if (calls.length === 0) return refuse("its source does not call `features`");
      return refuse("they are from an earlier run of the cell, or have no name of their own");
    }
    const argument = bare((call.node.arguments as Node[])[0]!);
    let spec = argument;
    if (spec.type === "Identifier") {
      const definition = home.definitions.get(spec.name as string);
      if (definition?.how === "const" && definition.init) spec = bare(definition.init);
    }
    if (spec.type !== "ObjectExpression") return refuse("`features` is not given an object literal");
    const property = (spec.properties as Node[]).findLast(
      (one) => one.type === "Property" && !one.computed && ((one.key as Node).name ?? (one.key as Node).value) === "row",
    );
    if (!property) return refuse("`row` does not stand in the object literal");
    const after = (spec.properties as Node[]).slice((spec.properties as Node[]).indexOf(property) + 1);
    if (after.some((one) => one.type === "SpreadElement" || one.computed === true))
      return refuse("a spread or computed key after `row` may replace it");
    if (property.kind !== "init") return refuse("`row` is a getter");
    const value = property.value as Node;
    const name = call.name ?? "features";
    if (property.method === true) {
      const text = textOf(home, property);
      return { name, row: { node: value, text: `({ ${text} }).row` } };
    }
    if (!isFunction(value) && rootOf(value) === null)
      return refuse("`row` is computed by a call or expression, whose variables cannot be read later");
    return { name, row: { node: value, text: `(${textOf(home, value)}\n)` } };
  }

  private read(cell: RunCell): CellSource {
    let known = this.cells.get(cell.id);
    if (!known) this.cells.set(cell.id, (known = readCell(cell.id, cell.source)));
    return known;
  }
  private part(cell: CellSource): Part {
    let part = this.parts.get(cell.id);
    if (!part) this.parts.set(cell.id, (part = { cell, lines: [], imports: new Map(), exports: new Set() }));
    return part;
  }
  private moduleOf(id: string): string {
    return id === this.home.id ? "row" : `cell ${id}`;
  }

  private refuse(cell: CellSource, name: string, why: string, at: number | null): never {
    const where = at === null ? null : place(cell.source, at);
    const line = where ? `, line ${where.line}` : "";
    throw new CaptureError(cell.id, name, `Features \`${this.name}\` cannot be closed over: \`${name}\` (cell ${cell.id}${line}) ${why}`, where);
  }

  /** Refuses what a piece of source may not do. */
  private check(cell: CellSource, node: Node, self: string | null, name: string): void {
    const [first] = offences(cell, node, (other) => this.scope.cellOf(other) !== null, self);
    if (first) this.refuse(cell, name, first.message, first.at);
  }

  /** Makes a name known in the cell's module. */
  private need(cell: CellSource, name: string, node: Node): void {
    const part = this.part(cell);
    if (part.imports.has(name) || part.exports.has(name)) return;
    if (cell.definitions.has(name)) return this.define(cell, name);
    const other = this.scope.cellOf(name);
    if (other && other.id !== cell.id) {
      const owner = this.read(other);
      if (!owner.definitions.has(name)) this.refuse(owner, name, "is not declared at the top level of its cell", null);
      part.imports.set(name, `import { ${name} } from ${JSON.stringify(virtual + this.moduleOf(owner.id))};`);
      return this.define(owner, name);
    }
    if (name === "f") {
      part.imports.set(name, `import * as f from "${virtual}f";`);
      return;
    }
    if (Object.hasOwn(banned, name)) this.refuse(cell, name, `${banned[name]}; that is not allowed in features`, node.start);
    if (libraryNames.includes(name)) this.refuse(cell, name, "is a library call; features are a function of one record", node.start);
    if (!pureGlobals.includes(name)) this.refuse(cell, name, "is not defined by any cell, nor a pure name of JavaScript itself", node.start);
  }

  /** Puts the definition of a top-level name into its cell's module. */
  private define(cell: CellSource, name: string): void {
    const part = this.part(cell);
    if (part.exports.has(name)) return;
    const definition = cell.definitions.get(name)!;
    part.exports.add(name);
    switch (definition.how) {
      case "import":
        this.addImport(part, name, definition.from, definition.imported);
        return;
      case "let":
      case "var":
        return this.refuse(
          cell,
          name,
          `is declared with \`${definition.how}\`, so its value may change; declare it with \`const\``,
          definition.node.start,
        );
      case "using":
      case "namespace":
        return this.refuse(cell, name, `is a \`${definition.how}\`, which cannot be captured`, definition.node.start);
      case "function":
      case "class":
      case "enum":
        if (definition.writtenAt !== null) this.refuse(cell, name, "is assigned after its declaration, so it may change", definition.writtenAt);
        this.unchanged(cell, name, definition.how);
        return this.addSource(cell, name, definition.node, `${textOf(cell, definition.node)}\n$$fix(${name});`);
      case "const":
        return this.constant(cell, name, definition.node, definition.init);
    }
  }

  private constant(cell: CellSource, name: string, node: Node, init: Node | null): void {
    const part = this.part(cell);
    const value = this.scope.value(cell.id, name);
    const source = () => `const ${name} = $$fix(${textOf(cell, init!)}\n);`;
    if (init && (isFunction(init) || bare(init).type === "ClassExpression")) {
      this.unchanged(cell, name, "function");
      return this.addSource(cell, name, init, source());
    }
    if (value === undefined && name.startsWith("_")) {
      // a private name has no value that can be read: its text must say everything
      if (!init || !isInert(init))
        this.refuse(cell, name, "is private to its cell and not a literal, so its value cannot be read; give it a name without _", node.start);
      return this.addSource(cell, name, init!, source());
    }
    if (value === undefined && init && !isUndefined(init))
      this.refuse(cell, name, "has no value; its cell has failed, or gave undefined", node.start);
    if (typeof value === "function") {
      const helper = Object.entries(f).find(([, one]) => one === value)?.[0];
      if (helper !== undefined) {
        part.imports.set(name, `import { ${helper} as ${name} } from "${virtual}f";`);
        return;
      }
      const root = init && rootOf(init);
      if (root) return this.addSource(cell, name, init, `const ${name} = ${cell.source.slice(init.start, init.end)};`);
      this.refuse(
        cell,
        name,
        "is a function that a call made, whose variables cannot be read; declare it as a function at the top level of its cell",
        node.start,
      );
    }
    if (value === f) {
      part.imports.set(name, `import * as ${name} from "${virtual}f";`);
      return;
    }
    try {
      const exported = this.values.add(name, value);
      part.imports.set(name, `import { ${exported} as ${name} } from "${virtual}values";`);
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      const at = error.path === name || error.path === "" ? "" : `: \`${error.path}\``;
      this.refuse(cell, name, at === "" ? error.message : `cannot be captured${at} ${error.message}`, node.start);
    }
  }

  /** A function to which a cell has pinned values could count on them. */
  private unchanged(cell: CellSource, name: string, how: string): void {
    const value = this.scope.value(cell.id, name);
    if (how !== "function" || typeof value !== "function" || /^class\b/.test(Function.prototype.toString.call(value))) return;
    const own = Reflect.ownKeys(value).filter((key) => !["length", "name", "prototype", "arguments", "caller"].includes(key as string));
    if (own.length > 0) this.refuse(cell, name, `is a function with a property of its own (${String(own[0])}), which can change between calls`, null);
  }

  private addSource(cell: CellSource, name: string, node: Node, text: string): void {
    this.check(cell, node, name, name);
    this.part(cell).lines.push({ at: node.start, text });
    for (const need of needsOf(cell, node, name)) this.need(cell, need.name, need.node);
  }

  private addImport(part: Part, name: string, from: string, imported: string): void {
    if (from === "touchstone") {
      if (imported === "f") part.imports.set(name, `import * as ${name} from "${virtual}f";`);
      else this.refuse(part.cell, name, "is a library call; features are a function of one record", null);
      return;
    }
    const clause =
      imported === "*"
        ? `* as ${name}`
        : imported === "default"
          ? name
          : `{ ${/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(imported) ? imported : JSON.stringify(imported)} as ${name} }`;
    part.imports.set(name, `import ${clause} from ${JSON.stringify(from)};`);
  }
}

const isUndefined = (node: Node) => bare(node).name === "undefined" || bare(node).operator === "void";

/** Files of the workspace are held to the rules of cells: no clock, no chance, no variable that a function writes. */
function inspectFile(path: string, source: string, workspace: string): void {
  const file = relative(workspace, path);
  const cell = readCell(file, source);
  const refuse = (name: string, why: string, at: number): never => {
    const where = place(source, at);
    throw new CaptureError(file, name, `Features cannot use ${file}, line ${where.line}: \`${name}\` ${why}`, where);
  };
  for (const variable of cell.top.variables) {
    const write = variable.references.find((reference) => reference.isWrite() && !reference.init && reference.from.variableScope !== cell.top);
    if (write)
      refuse(
        variable.name,
        "is written by a function: what one record leaves behind would change the next",
        (write.identifier as unknown as Node).start,
      );
  }
  for (const reference of cell.scopes.globalScope!.through) {
    const node = reference.identifier as unknown as Node;
    if (reference.isValueReference && Object.hasOwn(banned, node.name as string) && node.name !== "console")
      refuse(node.name as string, `${banned[node.name as string]}; that is not allowed in features`, node.start);
  }
  for (const [name, definition] of cell.definitions) {
    if (definition.how === "import") continue;
    const [first] = offences(cell, definition.node, () => false, name).filter((one) => /changes|clock|random|language/.test(one.message));
    if (first) refuse(name, first.message, first.at);
  }
}
