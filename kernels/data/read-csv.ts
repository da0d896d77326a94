/** A CSV file into a table, in the worker: good rows in the relation's table, the others in one beside it. */
import type { DuckDBConnection } from "@duckdb/node-api";
import type { CsvReport, DataRequest } from "./messages.js";
import { rejectsOf, text } from "./names.js";

let count = 0;

export async function readCsv(connection: DuckDBConnection, request: Extract<DataRequest, { do: "csv" }>): Promise<CsvReport> {
  const { name, path, list, strict } = request;
  const rejects = rejectsOf(name);
  const [errors, scans] = [`csv_errors_${++count}`, `csv_scans_${count}`];
  const store = strict ? [] : ["store_rejects = true", `rejects_table = ${text(errors)}`, `rejects_scan = ${text(scans)}`];
  // a table: a view would find the bad rows again at each reading
  await connection.run(`create or replace table ${name} as from read_csv(${[text(path), ...list, ...store].join(", ")})`);
  try {
    await connection.run(
      `create or replace table ${rejects} as ${
        strict
          ? "select 0::bigint as line, '' as \"column\", '' as problem, '' as text where false"
          : `select line::bigint as line, column_name as "column", error_message as problem, csv_line as text from temp."${errors}" order by line, column_idx`
      }`,
    );
  } finally {
    if (!strict) for (const table of [errors, scans]) await connection.run(`drop table if exists temp."${table}"`);
  }
  const counts = await connection.runAndReadAll(
    `select (select count(*) from ${name})::double, (select count(distinct line) from ${rejects})::double`,
  );
  const first = await connection.runAndReadAll(`select line::double, "column", problem, text from ${rejects} limit 4`);
  const [rows, rejected] = counts.getRows()[0] as [number, number];
  return {
    rows,
    rejected,
    first: (first.getRows() as [number, string | null, string, string][]).map(([line, column, problem, of]) => ({
      line,
      column,
      problem: problem.split("\n")[0]!,
      text: of,
    })),
  };
}
