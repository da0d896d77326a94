/** Which Parquet files a view reads, all rows of them and nothing else. */
import type { DuckDBConnection } from "@duckdb/node-api";
import { bare, isQualified, qualify, quote, text } from "./names.js";

interface Node {
  type: string;
  [field: string]: unknown;
}

/** What a view reads of Parquet. */
export interface Under {
  /** the files as one argument in SQL: `'a.parquet'`, `['a.parquet', 'b.parquet']` */
  files: string;
  /** the view is `from 'FILE'` to the letter: its columns are the file's, as the file has them */
  same: boolean;
}

/** Null: the view filters, joins, or reads something else. */
export async function parquetUnder(connection: DuckDBConnection, view: string): Promise<Under | null> {
  let same = true;
  // a view may stand on a view
  for (let name = view, depth = 0; depth < 20; depth++) {
    const node = await queryOf(connection, name);
    if (!node || !plain(node)) return null;
    const from = node["from_table"] as Node | null;
    same &&= isStar(node);
    if (from?.type === "TABLE_FUNCTION") {
      const files = filesOf(from["function"] as Node);
      return files === null ? null : { files, same: false };
    }
    if (from?.type !== "BASE_TABLE") return null;
    const [schema, table] = [from["schema_name"], from["table_name"]] as [string, string];
    if (schema === "" && /\.(parquet|pq)$/i.test(table)) return { files: text(table), same };
    if (schema !== "" && schema !== "nb") return null;
    name = qualify(table);
  }
  return null;
}

/** The syntax tree of a view's query. */
async function queryOf(connection: DuckDBConnection, view: string): Promise<Node | null> {
  if (!isQualified(view)) return null;
  const found = await connection.runAndReadAll(`select sql from duckdb_views() where schema_name = 'nb' and view_name = ${text(bare(view))}`);
  const sql = found.getRows()[0]?.[0];
  const heads = [view, `nb.${bare(view)}`, quote(bare(view))].map((head) => `CREATE VIEW ${head} AS `);
  const head = heads.find((one) => typeof sql === "string" && sql.startsWith(one));
  if (head === undefined) return null;
  const query = (sql as string).slice(head.length).replace(/;\s*$/, "");
  const result = await connection.runAndReadAll(`select json_serialize_sql(${text(query)})`);
  const tree = JSON.parse(String(result.getRows()[0]![0])) as { error: boolean; statements?: { node: Node }[] };
  return tree.error ? null : (tree.statements?.[0]?.node ?? null);
}

const empty = (value: unknown): boolean => value === null || value === undefined || (Array.isArray(value) && value.length === 0);

/** Columns of one source, without anything that drops or adds rows. */
function plain(node: Node): boolean {
  if (
    node.type !== "SELECT_NODE" ||
    !["where_clause", "having", "sample", "qualify", "modifiers", "group_expressions"].every((part) => empty(node[part]))
  )
    return false;
  if (!empty((node["cte_map"] as { map: unknown }).map) || (node["from_table"] as { sample?: unknown }).sample) return false;
  return (node["select_list"] as Node[]).every(({ type }) => type === "STAR" || type === "COLUMN_REF");
}

/** `select *` and nothing more. */
function isStar(node: Node): boolean {
  const list = node["select_list"] as Node[];
  const names = (node["from_table"] as { column_name_alias?: unknown }).column_name_alias;
  const parts = ["exclude_list", "replace_list", "rename_list", "qualified_exclude_list", "expr"];
  return (
    list.length === 1 && list[0]!.type === "STAR" && list[0]!["columns"] === false && empty(names) && parts.every((part) => empty(list[0]![part]))
  );
}

function filesOf(call: Node): string | null {
  if (!["read_parquet", "parquet_scan"].includes(String(call["function_name"]))) return null;
  const argument = (call["children"] as Node[])[0];
  if (argument?.["function_name"] !== "list_value") return constant(argument);
  const list = (argument["children"] as Node[]).map(constant);
  return list.includes(null) ? null : `[${list.join(", ")}]`;
}

function constant(node: Node | undefined): string | null {
  const value = node?.type === "VALUE_CONSTANT" ? (node["value"] as { value?: unknown }).value : null;
  return typeof value === "string" ? text(value) : null;
}
