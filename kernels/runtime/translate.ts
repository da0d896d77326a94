/**
 * A cell's TypeScript as the body of one async function (prototypes 1). vm.SourceTextModule never frees an instance, so cells are functions:
 * free names are parameters, `$$x({get a() {...}})` exposes the exports, imports go through `$$imp`, each `await` through `$$w`, so that a stopped
 * run does not continue (with its place, for errors from afar), and the last expression is shown by `$$show`.
 */
import MagicString from "magic-string";
import { LEAST_UPPER_BOUND, originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import { liveNames } from "./live.js";
import { namesOf, type Names } from "./names.js";
import { scopesOf, walk } from "../reactive/tree.js";
import { needsStripping, parse, type Node } from "./syntax.js";

export interface Translation extends Names {
  /** of a console: names of others, read where they stand */
  live: string[];
  /** body of a function; `$$x $$imp $$meta $$w $$wi $$show` and the free names are its parameters; returns a promise */
  code: string;
  /** place in the source, 1-based, of a place in `code`; null when it is the compiler's own text */
  locate(line: number, column: number): { line: number; column: number } | null;
}

const before = '"use strict";return(async()=>{';
const after = "\n})()";

/** What the last expression and the exports become. `live` of a console: names of others that are read where they stand, not when the run starts. */
export type Target = "cell" | "file" | { live(name: string): boolean };

/** Translates one cell, or one imported file (`target: "file"`: nothing is shown, `export`ed names alone are exposed). Throws ParseError. */
export async function translate(source: string, target: Target = "cell"): Promise<Translation> {
  const program = parse(source);
  let names = namesOf(program, typeof target === "object");
  const out = new MagicString(source);
  const body = program["body"] as Node[];
  let strip = false;
  walk(program, (node) => {
    strip ||= needsStripping(node);
    rewrite(node, source, out);
  });
  if (names.free.includes("arguments")) names = { ...names, free: withoutArguments(program, names.free, out) };
  const { free } = names;
  if (typeof target === "object") names = { ...names, free: liveNames(program, names.free, target.live, out) };
  const exposed = new Map<string, string>();
  let leading = true;
  for (const statement of body) {
    if (statement.type === "ImportDeclaration") {
      importLine(statement, names, out);
      if (!leading) out.move(statement.start, statement.end, 0);
    } else {
      leading = false;
      exportLine(statement, out, exposed, target);
    }
  }
  if (target !== "file") {
    // other cells see the names that are declared here, as the graph does
    exposed.clear();
    for (const name of names.exports) exposed.set(name, name);
  }
  const last = body.at(-1);
  if (target !== "file" && last?.type === "ExpressionStatement") {
    const expression = last["expression"] as Node;
    out.appendLeft(expression.start, ";await $$w($$show((").appendRight(expression.end, `)),${expression.start})`);
  }
  const open = typeof target === "object" ? assignable(body) : new Set<string>();
  const getters = [...exposed].map(
    ([name, local]) => `get ${JSON.stringify(name)}(){return ${local}}${open.has(name) ? `,set ${JSON.stringify(name)}($$v){${local}=$$v}` : ""}`,
  );
  out.prepend(`$$x({${getters.join(",")}});`);
  const left = new Set(names.free);
  return finish(out, { ...names, live: free.filter((name) => !left.has(name)) }, exposed, strip);
}

async function finish(
  out: MagicString,
  names: Names & Pick<Translation, "live">,
  exposed: Map<string, string>,
  strip: boolean,
): Promise<Translation> {
  let text = out.toString();
  let stripped: TraceMap | null = null;
  if (strip) {
    const { transform } = await import("esbuild");
    const result = await transform(text, {
      loader: "ts",
      target: "es2022",
      sourcemap: "external",
      sourcesContent: false,
      tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true, useDefineForClassFields: true, experimentalDecorators: true } },
    });
    text = result.code;
    stripped = new TraceMap(result.map);
  }
  let own: TraceMap | null = null;
  const locate = (line: number, column: number) => {
    let at: { line: number | null; column: number | null } = { line, column: column - 1 - (line === 1 ? before.length : 0) };
    if (at.column! < 0) return null;
    if (stripped) at = originalPositionFor(stripped, { line: at.line!, column: at.column! });
    if (at.line === null) return null;
    own ??= new TraceMap(out.generateDecodedMap({ hires: true, source: "cell" }) as never);
    const needle = { line: at.line, column: at.column! };
    let found = originalPositionFor(own, needle);
    // V8 places a call of what is not defined, at the start of a statement, in what the compiler put before it
    if (found.line === null) found = originalPositionFor(own, { ...needle, bias: LEAST_UPPER_BOUND });
    return found.line === null ? null : { line: found.line, column: found.column + 1 };
  };
  return { ...names, exports: [...exposed.keys()], code: before + text + after, locate };
}

function rewrite(node: Node, source: string, out: MagicString): void {
  if (node.type === "AwaitExpression") {
    const argument = node["argument"] as Node;
    out.appendLeft(argument.start, "$$w(").appendRight(argument.end, `,${node.start})`);
  } else if (node.type === "ForOfStatement" && node["await"] === true) {
    const right = node["right"] as Node;
    out.appendLeft(right.start, "$$wi(").appendRight(right.end, `,${node.start})`);
  } else if (node.type === "ImportExpression") {
    out.update(node.start, node.start + "import".length, "$$imp");
  } else if (node.type === "MetaProperty" && source.startsWith("import", node.start)) {
    out.update(node.start, node.end, "$$meta");
  }
}

/** `arguments` where no function has any: as in a module it is not defined, and not what the compiler's own function was called with. */
function withoutArguments(program: Node, free: readonly string[], out: MagicString): string[] {
  const { through } = scopesOf(program).globalScope!;
  // one that is written does not compile
  const places = new Set<unknown>(through.filter((one) => one.identifier.name === "arguments" && !one.isWrite()).map((one) => one.identifier));
  walk(program, (node, parents) => {
    if (!places.has(node)) return;
    const parent = parents.at(-1);
    // it must not continue the line before
    const thrown = 'new class{constructor(){throw new ReferenceError("arguments is not defined")}}()';
    const text = parent?.type === "UnaryExpression" && parent["operator"] === "typeof" ? "undefined" : thrown;
    out.update(node.start, node.end, parent?.type === "Property" && parent["shorthand"] === true ? `arguments:${text}` : text);
  });
  return free.filter((name) => name !== "arguments");
}

function importLine(node: Node, names: Names, out: MagicString): void {
  const spec = JSON.stringify((node["source"] as Node)["value"]);
  const specifiers = node["specifiers"] as Node[];
  if (node["importKind"] === "type") return void blank(node, out);
  if (specifiers.length === 0) return void out.update(node.start, node.end, `await $$w($$imp(${spec}),${node.start});`);
  const parts: string[] = [];
  const strict: string[] = [];
  let space: string | null = null;
  for (const specifier of specifiers) {
    const local = (specifier["local"] as Node)["name"] as string;
    const needed = names.imports.get(local);
    if (needed === undefined) continue;
    if (specifier.type === "ImportNamespaceSpecifier") {
      space = local;
      continue;
    }
    const imported = specifier["imported"] as Node | undefined;
    const name = specifier.type === "ImportDefaultSpecifier" ? "default" : ((imported?.["name"] ?? imported?.["value"]) as string);
    parts.push(name === local ? name : `${JSON.stringify(name)}:${local}`);
    if (needed) strict.push(name);
  }
  if (parts.length === 0 && space === null) return void blank(node, out);
  const lines = [];
  if (space !== null) lines.push(`const ${space}=await $$w($$imp(${spec}),${node.start});`);
  if (parts.length > 0) lines.push(`const {${parts.join(",")}}=await $$w($$imp(${spec},undefined,${JSON.stringify(strict)}),${node.start});`);
  out.update(node.start, node.end, lines.join(""));
}

function blank(node: Node, out: MagicString): void {
  out.update(node.start, node.end, ";");
}

function exportLine(node: Node, out: MagicString, exposed: Map<string, string>, target: Target): void {
  if (node.type === "ExportNamedDeclaration") {
    const declaration = node["declaration"] as Node | null;
    if (declaration) {
      if (target === "file") for (const name of declared(declaration)) exposed.set(name, name);
      out.remove(node.start, declaration.start);
      return;
    }
    if (node["source"]) return void reExport(node, out, exposed);
    if (node["exportKind"] !== "type") {
      for (const specifier of node["specifiers"] as Node[]) {
        if (specifier["exportKind"] === "type") continue;
        exposed.set(nameOf(specifier["exported"]), nameOf(specifier["local"]));
      }
    }
    blank(node, out);
  } else if (node.type === "ExportDefaultDeclaration") {
    const declaration = node["declaration"] as Node;
    const id = declaration["id"] as Node | null | undefined;
    if (/Declaration$/.test(declaration.type) && id) {
      out.remove(node.start, declaration.start);
      exposed.set("default", nameOf(id));
    } else if (target !== "file") {
      out.update(node.start, declaration.start, "await $$w($$show((").appendLeft(declaration.end, ")))");
    } else {
      out.update(node.start, declaration.start, "const $$default=");
      exposed.set("default", "$$default");
    }
  } else if (node.type === "ExportAllDeclaration") {
    const spec = JSON.stringify((node["source"] as Node)["value"]);
    if (node["exported"]) {
      const local = `$$r${exposed.size}`;
      out.update(node.start, node.end, `const ${local}=await $$w($$imp(${spec}),${node.start});`);
      exposed.set(nameOf(node["exported"]), local);
    } else {
      // no name of a cell comes from afar: the graph could not tell it
      const all = `await $$w($$imp(${spec}),${node.start})`;
      out.update(node.start, node.end, target === "file" ? `$$x(${all});` : `${all};`);
    }
  }
}

function reExport(node: Node, out: MagicString, exposed: Map<string, string>): void {
  const local = `$$r${exposed.size}`;
  out.update(node.start, node.end, `const ${local}=await $$w($$imp(${JSON.stringify((node["source"] as Node)["value"])}));`);
  for (const specifier of node["specifiers"] as Node[]) {
    if (specifier["exportKind"] !== "type") exposed.set(nameOf(specifier["exported"]), `${local}[${JSON.stringify(nameOf(specifier["local"]))}]`);
  }
}

/** Names that a later request of a console may assign to. */
function assignable(body: Node[]): Set<string> {
  const names = new Set<string>();
  for (const statement of body) {
    const declaration = (statement.type === "ExportNamedDeclaration" ? (statement["declaration"] as Node | null) : null) ?? statement;
    const open =
      declaration.type === "VariableDeclaration" ? /^(let|var)$/.test(declaration["kind"] as string) : /^(Function|Class)/.test(declaration.type);
    if (open) for (const name of declared(declaration)) names.add(name);
  }
  return names;
}

/** Names of a declaration; patterns are walked. */
function declared(node: Node): string[] {
  if (node.type !== "VariableDeclaration") {
    if (/^TS(Interface|TypeAlias|DeclareFunction)/.test(node.type) || node["declare"] === true) return [];
    return node["id"] ? [nameOf(node["id"])] : [];
  }
  const names: string[] = [];
  const pattern = (target: Node | null): void => {
    if (!target) return;
    if (target.type === "Identifier") names.push(target["name"] as string);
    else if (target.type === "AssignmentPattern") pattern(target["left"] as Node);
    else if (target.type === "RestElement") pattern(target["argument"] as Node);
    else if (target.type === "ArrayPattern") (target["elements"] as (Node | null)[]).forEach(pattern);
    else if (target.type === "ObjectPattern")
      for (const property of target["properties"] as Node[]) pattern(property.type === "RestElement" ? property : (property["value"] as Node));
  };
  for (const declarator of node["declarations"] as Node[]) pattern(declarator["id"] as Node);
  return names;
}

function nameOf(node: unknown): string {
  const { name, value } = node as { name?: string; value?: string };
  return (name ?? value) as string;
}
