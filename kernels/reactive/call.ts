/** A built-in cell's call as its form sees it, and the smallest edit that changes one field (prototypes 3). The code stays the only truth. */
import type { CallField, CallView } from "../protocol/document.js";
import { bare, parseCell, place, walk, type Node } from "./tree.js";

/** A splice of the source, UTF-16 units. */
export interface Splice {
  at: number;
  remove: number;
  insert: string;
}
type Value = CallField["value"];

/** Reads `const x = await callName({...})`. */
export function readCall(source: string, callName: string): CallView {
  const found = findCall(source, callName);
  if (typeof found === "string") return { ok: false, reason: found };
  const fields: CallField[] = [];
  if (found.object) readObject(found.object, "", source, fields);
  return { ok: true, call: callName, result: found.result, fields };
}

/**
 * The one splice that sets a field; `value` undefined removes it. Paths go into nested objects ("task.kind"); missing ones are made, and a text in the
 * place of an object is its `name`.
 * Throws a RangeError when the form may not write there (computed value, duplicate key, after a spread).
 */
export function writeField(source: string, callName: string, path: string, value: Value | undefined): Splice {
  const found = findCall(source, callName);
  if (typeof found === "string") throw new RangeError(found);
  const keys = path.split(".");
  if (keys.some((key) => key === "")) throw new RangeError(`Expected \`path\` to be names joined by dots, got ${JSON.stringify(path)}`);
  if (value !== undefined) check(value);
  if (!found.object) {
    if (value === undefined) return { at: found.inside, remove: 0, insert: "" };
    return { at: found.inside, remove: 0, insert: `{ ${keys.map(printKey).join(": { ")}: ${printValue(value)}${" }".repeat(keys.length)}` };
  }
  let object = found.object;
  for (const [depth, key] of keys.entries()) {
    const here = keys.slice(0, depth + 1).join(".");
    const { property, readOnly } = findProperty(object, key);
    if (readOnly) throw new RangeError(`\`${here}\` cannot be changed in the form: ${readOnly}`);
    const rest = keys.slice(depth + 1);
    if (!property) {
      if (value === undefined) return { at: object.end, remove: 0, insert: "" };
      return addProperty(
        source,
        object,
        `${printKey(key)}: ${rest.map((name) => `{ ${printKey(name)}: `).join("")}${printValue(value)}${" }".repeat(rest.length)}`,
      );
    }
    if (rest.length === 0) return value === undefined ? removeProperty(source, object, property) : changeProperty(source, property, value);
    const inner = bare(property.value as Node);
    if (inner.type !== "ObjectExpression") {
      // `optimizer: "sgd"` is short for `optimizer: { name: "sgd" }`
      const short = inner.type === "Literal" && typeof inner.value === "string" ? text(inner, source) : null;
      if (short !== null && rest.length === 1 && rest[0] === "name")
        return value === undefined ? removeProperty(source, object, property) : changeProperty(source, property, value);
      if (short !== null && value !== undefined) {
        const entry = `${rest.map(printKey).join(": { ")}: ${printValue(value)}${" }".repeat(rest.length - 1)}`;
        return changeProperty(source, property, { type: "code", text: `{ name: ${short}, ${entry} }` });
      }
      if (value === undefined) return { at: object.end, remove: 0, insert: "" };
      throw new RangeError(`\`${here}\` is not an object literal, so \`${path}\` cannot be changed in the form`);
    }
    object = inner;
  }
  throw new RangeError(`Expected \`path\` to name a field, got ${JSON.stringify(path)}`);
}

interface Call {
  result: string | null;
  object: Node | null;
  /** offset just inside the call's parentheses */
  inside: number;
}

function findCall(source: string, callName: string): Call | string {
  const parsed = parseCell(source);
  const error = parsed.errors[0];
  if (error) return `the code has a syntax error in line ${place(source, error.at).line}: ${error.message}`;
  const calls: { node: Node; result: string | null; nested: boolean }[] = [];
  walk(parsed.program, (node, parents) => {
    if (node.type !== "CallExpression") return;
    const callee = bare(node.callee as Node);
    if (callee.type !== "Identifier" || callee.name !== callName) return;
    const holder = parents.findLast(
      (parent) =>
        !["AwaitExpression", "ParenthesizedExpression", "TSAsExpression", "TSSatisfiesExpression", "TSNonNullExpression"].includes(parent.type),
    );
    const id = holder?.type === "VariableDeclarator" ? (holder.id as Node) : null;
    calls.push({
      node,
      result: id?.type === "Identifier" ? (id.name as string) : null,
      nested: parents.some((parent) => /Function|Loop|^For|^While|^DoWhile/.test(parent.type)),
    });
  });
  if (calls.length === 0) return `the code does not call ${callName}(...)`;
  if (calls.length > 1) return `the code calls ${callName}(...) ${calls.length} times; the form shows one call`;
  const { node, result, nested } = calls[0]!;
  if (nested) return `${callName}(...) is called inside a function or loop`;
  const args = node.arguments as Node[];
  if (args.length === 0) return { result, object: null, inside: openParen(source, node) };
  const object = bare(args[0]!);
  if (args.length > 1 || object.type !== "ObjectExpression") return `${callName}(...) is not called with one object literal`;
  return { result, object, inside: openParen(source, node) };
}

/** Offset after the "(" of a call without arguments. */
function openParen(source: string, call: Node): number {
  return source.lastIndexOf("(", call.end - 1) + 1;
}

function readObject(object: Node, prefix: string, source: string, fields: CallField[]): void {
  const properties = object.properties as Node[];
  const names = properties.map(keyOf);
  for (const [i, property] of properties.entries()) {
    const name = names[i];
    if (name == null) {
      fields.push({ path: `${prefix}…`, value: { type: "code", text: text(property, source) }, readOnly: "it is a spread or a computed key" });
      continue;
    }
    const path = prefix + name;
    const { readOnly } = findProperty(object, name);
    const inner = property.type === "Property" && !property.method && property.kind === "init" ? bare(property.value as Node) : null;
    if (inner?.type === "ObjectExpression" && !readOnly && (inner.properties as Node[]).length > 0) readObject(inner, `${path}.`, source, fields);
    else
      fields.push({ path, value: inner ? readValue(inner, source) : { type: "code", text: text(property, source) }, ...(readOnly && { readOnly }) });
  }
}

function readValue(node: Node, source: string): Value {
  const one = bare(node);
  const code: Value = { type: "code", text: text(node, source) };
  switch (one.type) {
    case "Literal":
      return one.value === null || ["string", "number", "boolean"].includes(typeof one.value)
        ? one.regex || one.bigint
          ? code
          : { type: "literal", value: one.value as string | number | boolean | null }
        : code;
    case "UnaryExpression": {
      const argument = bare(one.argument as Node);
      return one.operator === "-" && argument.type === "Literal" && typeof argument.value === "number"
        ? { type: "literal", value: -argument.value }
        : code;
    }
    case "TemplateLiteral": {
      const quasis = one.quasis as { value: { cooked: string } }[];
      return quasis.length === 1 ? { type: "literal", value: quasis[0]!.value.cooked } : code;
    }
    case "Identifier":
      return one.name === "undefined" ? code : { type: "name", name: one.name as string };
    case "MemberExpression":
      return /^[\p{ID_Start}$_][\p{ID_Continue}$]*(\.[\p{ID_Start}$_][\p{ID_Continue}$]*)*$/u.test(text(one, source))
        ? { type: "name", name: text(one, source) }
        : code;
    case "ArrayExpression": {
      const items = one.elements as (Node | null)[];
      return items.some((item) => !item || item.type === "SpreadElement")
        ? code
        : { type: "list", items: items.map((item) => readValue(item!, source)) };
    }
    default:
      return code;
  }
}

function keyOf(property: Node): string | null {
  if (property.type !== "Property" || property.computed) return null;
  const key = property.key as Node;
  return key.type === "Identifier" ? (key.name as string) : key.type === "Literal" ? String(key.value) : null;
}

function findProperty(object: Node, name: string): { property: Node | null; readOnly?: string } {
  const properties = object.properties as Node[];
  const spread = properties.findLastIndex((property) => keyOf(property) === null);
  const found = properties.filter((property) => keyOf(property) === name);
  if (found.length > 1) return { property: found.at(-1)!, readOnly: "the key stands there twice" };
  const property = found[0] ?? null;
  if (property && (property.kind !== "init" || property.method === true)) return { property, readOnly: "it is a method or accessor" };
  if (spread >= 0 && (!property || properties.indexOf(property) < spread)) return { property, readOnly: "a spread or computed key may set it" };
  return { property };
}

const text = (node: Node, source: string) => source.slice(node.start, node.end);
const plain = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;
const printKey = (key: string) => (plain.test(key) ? key : JSON.stringify(key));

function changeProperty(source: string, property: Node, value: Value): Splice {
  const inner = property.value as Node;
  const insert = printValue(value);
  // shorthand `flights` stands for key and value at once
  if (property.shorthand) return insert === text(inner, source) ? splice(inner, insert) : { at: inner.end, remove: 0, insert: `: ${insert}` };
  return splice(inner, insert);
}
const splice = (node: Node, insert: string): Splice => ({ at: node.start, remove: node.end - node.start, insert });

function addProperty(source: string, object: Node, entry: string): Splice {
  const properties = object.properties as Node[];
  const last = properties.at(-1);
  if (!last) {
    // comments inside the braces stay: the entry stands right after the brace
    const between = source.slice(object.start + 1, object.end - 1);
    return between.trim() === ""
      ? { at: object.start + 1, remove: between.length, insert: ` ${entry} ` }
      : { at: object.start + 1, remove: 0, insert: ` ${entry},` };
  }
  const lineStart = source.lastIndexOf("\n", last.start) + 1;
  const indent = /^[ \t]*/.exec(source.slice(lineStart, last.start))![0];
  const ownLine = lineStart > object.start && lineStart + indent.length === last.start;
  const lead = ownLine ? `${source[lineStart - 2] === "\r" ? "\r\n" : "\n"}${indent}` : " ";
  const comma = commaAfter(source, last.end, object.end - 1);
  if (comma < 0) return { at: last.end, remove: 0, insert: `,${lead}${entry}` };
  return { at: comma + 1, remove: 0, insert: `${lead}${entry}${ownLine || source[object.end - 2] !== " " ? "," : ""}` };
}

function removeProperty(source: string, object: Node, property: Node): Splice {
  const properties = object.properties as Node[];
  const i = properties.indexOf(property);
  const next = properties[i + 1];
  const before = properties[i - 1];
  const comma = commaAfter(source, property.end, next ? next.start : object.end - 1);
  const end = comma < 0 ? property.end : comma + 1;
  const lineStart = source.lastIndexOf("\n", property.start) + 1;
  const eol = source.indexOf("\n", end);
  const alone =
    lineStart > object.start &&
    source.slice(lineStart, property.start).trim() === "" &&
    eol >= 0 &&
    source.slice(end, eol).trim() === "" &&
    eol < object.end;
  // the last one without a comma: the comma before it may stay, it is a trailing comma then
  if (alone) return { at: lineStart, remove: eol + 1 - lineStart, insert: "" };
  if (next) {
    const gap = /^[ \t]*/.exec(source.slice(end, next.start))![0].length;
    return { at: property.start, remove: end + gap - property.start, insert: "" };
  }
  const from = before ? commaAfter(source, before.end, property.start) : -1;
  // comments between the comma and the property stay where they are
  if (from >= 0 && source.slice(from + 1, property.start).trim() === "") return { at: from, remove: end - from, insert: "" };
  const lead = /[ \t]*$/.exec(source.slice(object.start + 1, property.start))![0].length;
  return { at: property.start - lead, remove: end - property.start + lead, insert: "" };
}

/** Offset of the comma between two offsets, comments skipped; -1 when there is none. */
function commaAfter(source: string, from: number, to: number): number {
  for (let i = from; i < to; i++) {
    if (source.startsWith("//", i)) i = Math.max(i, source.indexOf("\n", i) < 0 ? to : source.indexOf("\n", i));
    else if (source.startsWith("/*", i)) i = source.indexOf("*/", i + 2) + 1;
    else if (source[i] === ",") return i;
  }
  return -1;
}

/** Refuses what would not stay one expression. */
function check(value: Value): void {
  if (value.type === "list") return value.items.forEach(check);
  if (value.type === "name" && !/^[\p{ID_Start}$_][\p{ID_Continue}$]*(\.[\p{ID_Start}$_][\p{ID_Continue}$]*)*$/u.test(value.name))
    throw new RangeError(`Expected a name, got ${JSON.stringify(value.name)}`);
  if (value.type === "literal" && typeof value.value === "number" && !Number.isFinite(value.value))
    throw new RangeError(`Expected a finite number, got ${value.value}`);
  if (value.type === "code") {
    const parsed = parseCell(`(${value.text}\n)`);
    const statement = parsed.body[0];
    const inner = statement?.type === "ExpressionStatement" ? (statement.expression as Node) : null;
    if (
      parsed.errors.length > 0 ||
      parsed.body.length !== 1 ||
      inner?.type !== "ParenthesizedExpression" ||
      (inner.expression as Node).type === "SequenceExpression" ||
      /\/\/[^\n]*$/.test(value.text)
    )
      throw new RangeError(`Expected one expression, got ${JSON.stringify(value.text)}`);
  }
}

function printValue(value: Value): string {
  switch (value.type) {
    case "literal":
      return typeof value.value === "string"
        ? JSON.stringify(value.value).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029")
        : Object.is(value.value, -0)
          ? "-0"
          : String(value.value);
    case "name":
      return value.name;
    case "list":
      return `[${value.items.map(printValue).join(", ")}]`;
    case "code":
      return value.text;
  }
}
