/** Does a relation give its rows in the same order at each reading? Scans, filters and projections do; sorts, joins, groups and samples need not. */
import type { DuckDBConnection } from "@duckdb/node-api";

const steady = new Set([
  "PROJECTION",
  "FILTER",
  "SEQ_SCAN",
  "TABLE_SCAN",
  "READ_PARQUET",
  "PARQUET_SCAN",
  "READ_CSV",
  "READ_CSV_AUTO",
  "READ_JSON",
  "READ_JSON_AUTO",
  "READ_NDJSON",
  "COLUMN_DATA_SCAN",
  "DUMMY_SCAN",
  "EMPTY_RESULT",
  "RANGE",
  "GENERATE_SERIES",
  "UNNEST",
  "STREAMING_LIMIT",
  "UNION",
  "EXPRESSION_SCAN",
]);

interface Node {
  name: string;
  children: Node[];
}

/** True when the optimised plan of `select * from name` only has operators that keep the order of what they read. */
export async function fixedOrder(connection: DuckDBConnection, name: string): Promise<boolean> {
  const result = await connection.runAndReadAll(`explain (format json) from ${name}`);
  const plans = JSON.parse(String(result.getRows()[0]![1])) as Node[];
  const check = (node: Node): boolean => steady.has(node.name.trim()) && node.children.every(check);
  return plans.every(check);
}
