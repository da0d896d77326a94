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

/** Readers of text: each reading costs what the first did. */
const slow = /^READ_(CSV|JSON|NDJSON)/;

interface Node {
  name: string;
  children: Node[];
  extra_info?: Record<string, unknown>;
}

/** What the optimised plan of `select * from name` says. */
export interface Scan {
  /** only operators that keep the order of what they read */
  fixed: boolean;
  /** it reads text files, as a whole each time */
  slow: boolean;
  /** rows, as DuckDB estimates them */
  rows: number;
}

export async function scanOf(connection: DuckDBConnection, name: string): Promise<Scan> {
  const result = await connection.runAndReadAll(`explain (format json) from ${name}`);
  const plans = JSON.parse(String(result.getRows()[0]![1])) as Node[];
  const every = (node: Node): Node[] => [node, ...node.children.flatMap(every)];
  const nodes = plans.flatMap(every);
  return {
    fixed: nodes.every((node) => steady.has(node.name.trim())),
    slow: nodes.some((node) => slow.test(node.name.trim())),
    rows: Math.max(0, ...plans.map((plan) => Number(plan.extra_info?.["Estimated Cardinality"]) || 0)),
  };
}
