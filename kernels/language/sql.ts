/** Completion, hover and definition inside of sql`...`: tables, files, columns and DuckDB's own functions and keywords. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Completion, Completions, Hover, Place } from "../protocol/language.js";
import type { ColumnInfo } from "../protocol/output.js";
import { sourcesOf, tokens } from "../data/tokens.js";
import { typeOf } from "./columns.js";
import { tablesOf } from "./describe.js";
import type { Project } from "./project.js";
import type { Schemas } from "./schemas.js";
import { contextAt, type Source } from "./sql-scope.js";
import { textOf } from "./sql-text.js";
import type { Reading, Template } from "./virtual.js";

export interface SqlPlaceIn {
  project: Project;
  schemas: Schemas;
  reading: Reading;
  template: Template;
  at: number;
}

const dataFile = /\.(csv|tsv|parquet|json|ndjson|jsonl|txt)(\.gz|\.zst)?$/i;
/** whole numbers that may not fit a number */
const wide = /^(BIGINT|UBIGINT|HUGEINT|UHUGEINT|BIGNUM)$/;
const plain = /^[a-z_][a-z0-9_]*$/i;
const nameOf = (name: string) => (plain.test(name) ? name : `"${name.replaceAll('"', '""')}"`);

export async function sqlComplete(here: SqlPlaceIn): Promise<Completions> {
  const { project, schemas, reading, template, at } = here;
  const sql = textOf(reading.cell.source, template);
  const context = contextAt(sql, at - template.from);
  if (context.expects === "nothing") return { from: at, to: at, items: [], incomplete: false };
  const rest = /^[\p{L}\p{N}_$]*/u.exec(sql.slice(at - template.from))![0];
  const answer = (items: Completion[]): Completions => ({ from: template.from + context.from, to: at + rest.length, items, incomplete: false });
  if (context.expects === "file") {
    const close = sql.indexOf("'", at - template.from);
    const line = sql.indexOf("\n", at - template.from);
    const to = close >= 0 && (line < 0 || close < line) ? template.from + close : at;
    return { ...answer(files(project.workspace, context.prefix)), to, incomplete: true };
  }
  const items: Completion[] = [];
  if (context.expects === "table") {
    for (const [name, columns] of tablesOf(project, reading.cell.id))
      items.push({
        label: name,
        insert: nameOf(name),
        kind: "table",
        sort: "1",
        detail: columns === null ? `cell ${project.owner(name)}` : `${columns.length} columns, cell ${project.owner(name)}`,
      });
    for (const name of context.ctes) items.push({ label: name, kind: "table", sort: "0", detail: "WITH" });
    for (const item of files(project.workspace, "")) items.push({ ...item, insert: `'${item.insert ?? item.label}'`, sort: "2" });
    for (const one of await schemas.functions())
      if (one.kind === "table") items.push({ label: one.name, kind: "function", sort: "3", detail: one.signature, docs: one.docs });
    return answer(items);
  }
  const sources =
    context.expects === "member" ? context.sources.filter((source) => source.alias.toLowerCase() === context.of.toLowerCase()) : context.sources;
  for (const source of sources) {
    for (const { name, type } of await columnsOf(here, source, context.with))
      items.push({
        label: name,
        insert: nameOf(name),
        kind: "column",
        sort: "0",
        detail: context.expects === "member" ? type : `${type} · ${source.alias || "query"}`,
      });
  }
  if (context.expects === "member") return answer(unique(items));
  for (const source of sources) if (source.alias !== "") items.push({ label: source.alias, insert: nameOf(source.alias), kind: "table", sort: "1" });
  for (const name of context.ctes) items.push({ label: name, kind: "table", sort: "2", detail: "WITH" });
  for (const one of await schemas.functions())
    if (one.kind !== "table") items.push({ label: one.name, kind: "function", sort: "3", detail: one.signature, docs: one.docs });
  for (const word of await schemas.keywords()) items.push({ label: word, kind: "keyword", sort: "4" });
  return answer(unique(items));
}

const unique = (items: Completion[]) => [...new Map(items.map((item) => [`${item.kind} ${item.label}`, item])).values()];

/** Columns of one entry of a FROM list; none when DuckDB cannot tell yet. */
async function columnsOf({ project, schemas, reading }: SqlPlaceIn, source: Source, before: string): Promise<ColumnInfo[]> {
  const tables = tablesOf(project, reading.cell.id);
  if (source.kind === "name" && before === "") {
    const found = [...tables].find(([name]) => name.toLowerCase() === source.text.replaceAll('"', "").toLowerCase());
    if (found) return found[1] ?? [];
  }
  // holes have become a 0 in the text: good enough for the columns of a subquery
  const known = new Map([...tables].flatMap(([name, columns]) => (columns === null ? [] : [[name, columns] as const])));
  const described = await schemas.describe([`${before} select * from ${source.text}`], [], known);
  return described !== null && "columns" in described ? described.columns : [];
}

/** Files of the workspace that hold tables, and of packages after `npm:`. */
function files(workspace: string, prefix: string): Completion[] {
  if (prefix.startsWith("npm:")) return packageFiles(workspace, prefix.slice(4));
  const found: Completion[] = [];
  const walk = (folder: string, depth: number) => {
    for (const entry of readdirSync(join(workspace, folder), { withFileTypes: true })) {
      if (entry.name.startsWith(".") || entry.name === "node_modules" || found.length > 500) continue;
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory() && depth < 4) walk(path, depth + 1);
      else if (dataFile.test(entry.name) && entry.name !== "package.json" && entry.name !== "package-lock.json" && entry.name !== "tsconfig.json")
        found.push({ label: path, kind: "file", sort: "1" });
    }
  };
  walk("", 0);
  return [...found, { label: "npm:", kind: "module", sort: "2", detail: "a file of an installed package" }];
}

function packageFiles(workspace: string, prefix: string): Completion[] {
  const name = /^((?:@[^/]+\/)?[^/]+)\//.exec(prefix)?.[1];
  const folders: string[] = [];
  for (let folder = workspace; ; folder = dirname(folder)) {
    folders.push(join(folder, "node_modules"));
    if (dirname(folder) === folder) break;
  }
  if (name === undefined) {
    const direct = JSON.parse(readText(join(workspace, "package.json")) ?? "{}") as { dependencies?: Record<string, string> };
    return Object.keys(direct.dependencies ?? {}).map((label) => ({ label: `npm:${label}/`, kind: "module", sort: "1" }));
  }
  const home = folders.map((folder) => join(folder, name)).find((folder) => existsSync(folder));
  if (home === undefined) return [];
  const within = prefix.slice(name.length + 1);
  const below = within.includes("/") ? within.slice(0, within.lastIndexOf("/") + 1) : "";
  if (below.split("/").includes("..") || !existsSync(join(home, below))) return [];
  return readdirSync(join(home, below), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() || dataFile.test(entry.name))
    .filter((entry) => !entry.name.startsWith(".") && entry.name !== "node_modules" && entry.name !== "package.json")
    .map((entry) => ({ label: `npm:${name}/${below}${entry.name}${entry.isDirectory() ? "/" : ""}`, kind: "file", sort: "1" }));
}

function readText(path: string): string | null {
  return existsSync(path) ? readFileSync(path, "utf8") : null;
}

export async function sqlHover(here: SqlPlaceIn): Promise<Hover | null> {
  const { project, schemas, reading, template, at } = here;
  const sql = textOf(reading.cell.source, template);
  const offset = at - template.from;
  const list = tokens(sql).tokens;
  const index = list.findIndex((token) => (token.type === "word" || token.type === "quoted") && offset >= token.at && offset <= token.end);
  const token = list[index];
  if (token === undefined) return null;
  const range = { from: template.from + token.at, to: template.from + token.end };
  const { tables } = sourcesOf(list);
  const all = tablesOf(project, reading.cell.id);
  if (tables.some((table) => table.token === token)) {
    const found = [...all].find(([name]) => name.toLowerCase() === token.text.toLowerCase());
    if (found === undefined) return null;
    const columns = (found[1] ?? []).map(({ name, type }) => `  ${name} ${type}`).join("\n");
    return {
      ...range,
      signature: `table ${found[0]}${columns === "" ? "" : `\n${columns}`}`,
      docs: `The result of cell ${project.owner(found[0])}.`,
    };
  }
  if (list[index + 1]?.text === "(") {
    const found = (await schemas.functions()).find((one) => one.name === token.text.toLowerCase());
    return found === undefined ? null : { ...range, signature: found.signature, docs: found.docs };
  }
  const context = contextAt(sql, token.at);
  if (context.expects !== "value" && context.expects !== "member") return null;
  const sources =
    context.expects === "member" ? context.sources.filter((source) => source.alias.toLowerCase() === context.of.toLowerCase()) : context.sources;
  for (const source of sources) {
    const column = (await columnsOf(here, source, context.with)).find(({ name }) => name.toLowerCase() === token.text.toLowerCase());
    if (column !== undefined)
      return {
        ...range,
        signature: `${source.alias === "" ? "" : `${source.alias}.`}${column.name} ${column.type}`,
        docs: `In a row: \`${typeOf(column.type)}\`${wide.test(column.type) ? "; beyond 2^53 the column comes as `bigint`" : ""}`,
      };
  }
  return null;
}

/** A table leads to the cell that defines it. */
export function sqlDefinition({ project, reading, template, at }: SqlPlaceIn): Place[] {
  const { tables } = sourcesOf(tokens(textOf(reading.cell.source, template)).tokens);
  const offset = at - template.from;
  const found = tables.find(({ token }) => offset >= token.at && offset <= token.end);
  const name = found && project.names().find((one) => one.toLowerCase() === found.name);
  const owner = name === undefined ? undefined : project.reading(project.owner(name)!);
  const binding = owner?.analysis.bindings.find((one) => one.name === name);
  return owner === undefined || binding === undefined ? [] : [{ cell: owner.cell.id, from: binding.at, to: binding.at + binding.name.length }];
}
