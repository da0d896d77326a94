/** What comes over a WebSocket is checked before it is believed. Pure; answers a sentence, or null when all is well. */
import { z } from "zod";
import { parseFront } from "../../kernels/notebook/front.js";
import { isReserved } from "../../kernels/notebook/parse.js";
import { parseMarker, printMarker } from "../../kernels/notebook/marker.js";
import type { CellOptions, ClientMessage, Filter, Operation, SortKey } from "../../kernels/protocol/document.js";
import { wellFormed } from "./well-formed.js";

const id = z.string().min(1).max(200);
const text = z.string().max(10_000_000);
const kind = z.enum(["code", "sql", "markdown", "label", "baseline", "train", "distill", "ab-test", "drift", "diagnose", "review", "promote"]);
const flags = z
  .object({ lazy: z.boolean().optional(), cache: z.boolean().optional(), disabled: z.boolean().optional(), rest: z.array(z.string()).optional() })
  .refine(fitsMarker, "words that a marker line gives back");
const oneLine = z.string().regex(/^[^\r\n]*$/, "one line");
const front = z.object({
  title: oneLine.optional(),
  seed: z.number().int().optional(),
  mode: z.enum(["auto", "lazy"]).optional(),
  rest: z.array(oneLine).refine(fitsFront, "comment lines that the head does not know").optional(),
});
// an id stands in the marker's line, between quotes
const newId = z
  .string()
  .regex(/^[\w.-]{1,80}$/, "letters, digits, . _ -")
  .refine((id) => !isReserved(id), "no property that every object has");
const cell = z.object({ id: newId, kind, source: text, options: flags });
const place = z.number().int().min(0);

const operation: z.ZodType = z.discriminatedUnion("op", [
  z.object({ op: z.literal("insert"), cell, after: id.nullable() }),
  z.object({ op: z.literal("delete"), id }),
  z.object({ op: z.literal("move"), id, after: id.nullable() }),
  z.object({ op: z.literal("edit"), id, at: place, remove: place, insert: text }),
  z.object({ op: z.literal("kind"), id, kind }),
  z.object({ op: z.literal("options"), id, options: flags }),
  z.object({ op: z.literal("front"), front }),
  z.object({ op: z.literal("replace"), source: z.object({ front, cells: z.array(cell) }) }),
]);

/** Why these operations are not ones, or null. A carriage return would be lost in the file: sources hold \n alone. */
export function checkOps(ops: readonly Operation[]): string | null {
  const parsed = z.array(operation).min(1).max(10_000).safeParse(ops);
  return parsed.success ? null : describe("ops", parsed.error);
}

const value: z.ZodType = z.lazy(() =>
  z.discriminatedUnion("type", [
    z.object({ type: z.literal("literal"), value: z.union([z.string(), z.number(), z.boolean(), z.null()]) }),
    z.object({ type: z.literal("name"), name: z.string() }),
    z.object({ type: z.literal("list"), items: z.array(value) }),
    z.object({ type: z.literal("code"), text }),
  ]),
);
const count = z.number().int().min(0);
const sortKeys = z.array(z.strictObject({ column: z.string(), desc: z.boolean() })).max(1000);
const sort = sortKeys.optional();
const scalar = z.union([z.string(), z.number()]);
const filters = z
  .array(
    z.discriminatedUnion("op", [
      z.strictObject({ column: z.string(), op: z.literal("range"), min: scalar.optional(), max: scalar.optional() }),
      z.strictObject({ column: z.string(), op: z.literal("contains"), text: z.string() }),
      z.strictObject({ column: z.string(), op: z.literal("regex"), text: z.string() }),
      z.strictObject({ column: z.string(), op: z.literal("in"), values: z.array(z.union([z.string(), z.number(), z.boolean(), z.null()])) }),
      z.strictObject({ column: z.string(), op: z.literal("null") }),
      z.strictObject({ column: z.string(), op: z.literal("not-null") }),
      z.strictObject({ op: z.literal("search"), text: z.string().max(1000) }),
    ]),
  )
  .max(1000);
const where = filters.optional();
const relation = z.string().min(1).max(1000);
// table.export writes a file: it is asked for by a route of its own, never by a client
const query = z.discriminatedUnion("query", [
  z.object({
    query: z.literal("table.page"),
    relation,
    offset: count,
    limit: count.max(10_000),
    columns: z.array(z.string()).optional(),
    sort,
    where,
  }),
  z.object({ query: z.literal("table.count"), relation, where }),
  z.object({ query: z.literal("table.profile"), relation, columns: z.array(z.string()), where }),
  z.object({
    query: z.literal("value.children"),
    handle: z.string().max(500),
    path: z.array(count).max(1000),
    offset: count,
    limit: count.max(1000),
  }),
  z.object({ query: z.literal("variables") }),
  z.object({ query: z.literal("memory") }),
]);

const at = { cell: z.string().max(200), at: place, code: text.optional() };
const question = z.discriminatedUnion("ask", [
  z.object({ ask: z.literal("complete"), ...at, trigger: z.string().max(4).optional() }),
  z.object({ ask: z.literal("detail"), ...at, label: z.string().max(1000) }),
  z.object({ ask: z.literal("hover"), ...at }),
  z.object({ ask: z.literal("signature"), ...at }),
  z.object({ ask: z.literal("definition"), ...at }),
  z.object({ ask: z.literal("references"), ...at }),
  z.object({ ask: z.literal("rename"), ...at, to: z.string().max(1000).nullable() }),
  z.object({ ask: z.literal("format"), cell: id }),
  z.object({ ask: z.literal("fixes"), cell: id, from: place, to: place }),
  z.object({ ask: z.literal("problems") }),
]);

const then = z.union([z.enum(["nothing", "all", "stale", "same"]), z.object({ to: id })]);
const command: z.ZodType = z.discriminatedUnion("do", [
  z.object({ do: z.literal("ops"), ops: z.array(operation).min(1).max(10_000), token: z.string().min(1).max(100).optional() }),
  z.object({ do: z.literal("field"), cell: id, path: z.string().min(1).max(200), value: value.optional() }),
  z.object({ do: z.literal("rename"), cell: id, from: z.string().min(1), to: z.string().min(1) }),
  z.object({ do: z.literal("run"), cells: z.array(id).max(10_000), inputs: z.boolean().optional(), fresh: z.boolean().optional() }),
  z.object({ do: z.literal("run-from"), cell: id }),
  z.object({ do: z.literal("run-all"), promote: z.boolean().optional() }),
  z.object({ do: z.literal("run-stale") }),
  z.object({ do: z.literal("compare") }),
  z.object({ do: z.literal("interrupt"), soft: z.boolean().optional() }),
  z.object({ do: z.literal("cancel"), cell: id.nullable() }),
  z.object({ do: z.literal("answer"), question: id, value: text.nullable() }),
  z.object({
    do: z.literal("control"),
    cell: id,
    key: z.string().min(1).max(100_000),
    value: z.union([z.null(), z.boolean(), z.number(), text, z.array(text).max(100_000)]),
  }),
  z.object({ do: z.literal("reset"), cell: id.nullable() }),
  z.object({ do: z.literal("restart"), then }),
  z.object({ do: z.literal("limit"), bytes: z.number().int().positive(), then: then.optional() }),
  z.object({ do: z.literal("shutdown") }),
  z.object({ do: z.literal("clear"), cell: id.nullable() }),
  z.object({ do: z.literal("mode"), mode: z.enum(["auto", "lazy"]) }),
  z.object({ do: z.literal("write") }),
  z.object({ do: z.literal("flush") }),
  z.object({ do: z.literal("call"), call: query }),
  z.object({ do: z.literal("language"), question }),
]);

const message: z.ZodType = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("hello"),
    client: id,
    name: z.string().max(200),
    epoch: z.string().nullable(),
    cursor: z.number(),
    watch: z.boolean().optional(),
  }),
  z.object({ type: z.literal("command"), id: z.number(), rev: z.number(), command }),
  z.object({ type: z.literal("cancel"), id: z.number() }),
  z.object({ type: z.literal("ping"), id: z.number() }),
]);

/** What an address says of a table: its name, and the keys and filters as JSON. Throws a sentence. */
export function readTable(given: { relation?: string | undefined; sort?: string | undefined; where?: string | undefined }): {
  relation: string;
  sort?: SortKey[];
  where?: Filter[];
} {
  const read = <T>(name: string, schema: z.ZodType<T>, json: string | undefined): T | undefined => {
    if (json === undefined) return undefined;
    let value: unknown;
    try {
      value = JSON.parse(json);
    } catch {
      throw new Error(`Expected \`${name}\` to be a JSON list.`);
    }
    const parsed = schema.safeParse(value);
    if (!parsed.success) throw new Error(describe(name, parsed.error));
    return value as T;
  };
  const named = relation.safeParse(given.relation);
  if (!named.success) throw new Error("Expected `relation` in the query: a table's name of up to 1,000 characters.");
  const keys = read("sort", sortKeys, given.sort);
  const conditions = read("where", filters, given.where);
  return { relation: named.data, ...(keys && { sort: keys }), ...(conditions && { where: conditions as Filter[] }) };
}

/** A client's message, or why it is none; `id` lets the refusal be an answer. */
export function readMessage(textOf: string): { message: ClientMessage } | { wrong: string; id: number | null } {
  let json: unknown;
  try {
    json = JSON.parse(textOf);
  } catch {
    return { wrong: "Expected a JSON message.", id: null };
  }
  const parsed = message.safeParse(json);
  if (parsed.success) return { message: json as ClientMessage };
  const given = (json as { id?: unknown } | null)?.id;
  return { wrong: describe("message", parsed.error), id: typeof given === "number" ? given : null };
}

function describe(what: string, error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return `The ${what} cannot be read.`;
  const at = issue.path.map(String).join(".");
  return `Expected ${what}${at === "" ? "" : ` at \`${at}\``} to fit the protocol: ${issue.message}.`;
}

/** Options stand in the marker's line: they must be read from it as they are. */
function fitsMarker(options: CellOptions): boolean {
  const line = printMarker("code", "x", options, false);
  if (/[\r\n]/.test(line) || wellFormed(line) !== line) return false;
  const { kind, id, unfinished, options: read } = parseMarker(line.slice(5));
  const sorted = ({ lazy, cache, disabled, rest = [] }: CellOptions) => JSON.stringify([lazy, cache, disabled, rest]);
  return kind === "code" && id === "x" && !unfinished && sorted(read) === sorted(options);
}

function fitsFront(lines: readonly string[]): boolean {
  const read = parseFront(["// ---", ...lines, "// ---"]);
  return (
    read.taken === lines.length + 2 &&
    lines.every((line) => wellFormed(line) === line) &&
    JSON.stringify(read.front.rest ?? []) === JSON.stringify(lines)
  );
}
