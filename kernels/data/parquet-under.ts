/** Which Parquet files a view reads, all rows of them and nothing else. */
import type { DuckDBConnection } from "@duckdb/node-api";
import { bare, isQualified, qualify, quote, text } from "./names.js";

interface Node {
  type: string;
  [field: string]: unknown;
}

/** The files as one argument in SQL (`'a.parquet'`, `['a.parquet', 'b.parquet']`), or null: the view filters, joins, or reads something else. */
export async function parquetUnder(connection: DuckDBConnection, view: string): Promise<string | null> {
  // a view may stand on a view
  for (let name = view, depth = 0; depth < 20; depth++) {
    const node = await queryOf(connection, name);
    const from = node && plain(node) ? (node["from_table"] as Node) : null;
    if (from?.type === "TABLE_FUNCTION") return filesOf(from["function"] as Node);
    if (from?.type !== "BASE_TABLE") return null;
    const [schema, table] = [from["schema_name"], from["table_name"]] as [string, string];
    if (schema === "" && /\.(parquet|pq)$/i.test(table)) return text(table);
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
