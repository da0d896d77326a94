/**
 * What SQL returns, asked of DuckDB itself: each query is described (bound, never run) with the results that it names as empty tables.
 * So a row has its types before anything has run. DuckDB starts when the first query is seen.
 */
import { statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ColumnInfo } from "../protocol/output.js";
import { createEngine, type Engine } from "../data/engine.js";
import { SqlError } from "../data/fault.js";
import { isAddress } from "../data/files.js";
import { quote } from "../data/names.js";
import { isArrow } from "../data/arrow.js";
import { filesOf } from "../data/hash.js";
import { composeText, placeError, type Hole, type SqlPlace } from "../data/sql.js";
import { sourcesOf, tokens } from "../data/tokens.js";

export interface SqlFunction {
  name: string;
  kind: "scalar" | "aggregate" | "table" | "macro";
  signature: string;
  docs: string;
}

/** A query's columns, or what is wrong with it; `place` in its pieces where DuckDB says one. null: it cannot be known without running. */
export type Described = { columns: ColumnInfo[] } | { message: string; place: SqlPlace | null } | null;

export interface Schemas {
  /** `tables`: results of other cells by name; `holes`: DuckDB types of the bound values, or columns of a relation */
  describe(pieces: readonly string[], holes: readonly (string | ColumnInfo[])[], tables: ReadonlyMap<string, ColumnInfo[]>): Promise<Described>;
  functions(): Promise<SqlFunction[]>;
  keywords(): Promise<string[]>;
  close(): Promise<void>;
}

/** Statements that may stand in a relation. */
const heads = /^(select|from|with|values|pivot|unpivot|describe|desc|summarize|table|\()$/i;
const describing = "describe ";
/** descriptions kept; a notebook has some dozens */
const most = 500;

/** A table without rows. */
function emptyTable(columns: readonly ColumnInfo[]): string {
  if (columns.length === 0) return `(select null limit 0)`;
  return `(select ${columns.map(({ name, type }) => `null::${type === '"NULL"' ? "INTEGER" : type} as ${quote(name)}`).join(", ")} limit 0)`;
}

export function createSchemas(workspace: string, root: string): Schemas {
  let engine: Engine | null = null;
  const open = () =>
    (engine ??= createEngine({ memoryLimit: "256MB", threads: 1, spill: join(tmpdir(), `touchstone-language-${process.pid}`), workspace, root }));
  const known = new Map<string, Promise<Described>>();
  let functions: Promise<SqlFunction[]> | null = null;
  let keywords: Promise<string[]> | null = null;

  const remember = (key: string, make: () => Promise<Described>): Promise<Described> => {
    let found = known.get(key);
    if (found === undefined) {
      if (known.size >= most) known.delete(known.keys().next().value!);
      known.set(key, (found = make()));
    }
    return found;
  };

  /** Arrow files as empty tables, by path; a pattern's by its first file. null: one of them cannot be read so, and its run says why. */
  const arrowTables = async (given: string[]): Promise<Map<string, string> | null> => {
    const found = new Map<string, string>();
    try {
      for (const name of given) {
        const path = open().files.resolve(name);
        const [first] = await filesOf(open(), path);
        if (first === undefined) return null;
        const { arrowColumns } = await import("../data/arrow-schema.js");
        found.set(path, emptyTable(await arrowColumns(first)));
      }
    } catch {
      return null;
    }
    return found;
  };

  return {
    async describe(pieces, given, tables) {
      const list = tokens(pieces.join(" 0 ")).tokens;
      if (list.length === 0 || !heads.test(list[0]!.text)) return null;
      const sources = sourcesOf(list).files.map((token) => token.text);
      // no network while a person types
      if (sources.some(isAddress)) return null;
      const { files } = open();
      const arrows = await arrowTables(sources.filter(isArrow));
      if (arrows === null) return null;
      const holes = given.map((one): Hole => (typeof one === "string" ? { sql: `null::${one}` } : { relation: { name: emptyTable(one) } }));
      const exports = new Map([...tables].map(([name, columns]) => [name.toLowerCase(), { name: emptyTable(columns) }]));
      const env = { files, exports, arrow: (path: string) => ({ name: arrows.get(path) ?? emptyTable([]) }) };
      let sql: string;
      let stamps: string;
      let composed;
      try {
        composed = composeText(env, pieces, holes);
        sql = composed.sql();
        stamps = composed.files.map((file) => (/[*?[{]/.test(file) ? file : `${file} ${statSync(file).mtimeMs}`)).join();
      } catch (error) {
        return { message: (error as Error).message, place: error instanceof SqlError ? placeOfError(error) : null };
      }
      const key = `${sql}\0${stamps}`;
      return remember(key, async () => {
        const asked = `${describing}${sql}`;
        try {
          const { rows } = await open().query(asked);
          return { columns: rows.map((row) => ({ name: String(row["column_name"]), type: String(row["column_type"]) })) };
        } catch (error) {
          // what it proposes depends on the other cells' names
          known.delete(key);
          if (!(error instanceof SqlError)) return null;
          const shifted = { ...composed, sql: () => asked, back: (at: number) => composed.back(at - describing.length) };
          const placed = placeError(error, shifted, pieces, env);
          return { message: placed.message, place: placed instanceof SqlError ? placeOfError(placed) : null };
        }
      });
    },
    functions() {
      return (functions ??= open()
        .query(
          `select function_name as name, any_value(function_type) as kind, any_value(description) as docs, min(array_to_string(parameters, ', ')) as parameters, any_value(return_type) as result
           from duckdb_functions() where regexp_matches(function_name, '^[a-z_][a-z0-9_]*$') and not starts_with(function_name, '__') group by function_name order by function_name`,
        )
        .then(({ rows }) =>
          rows.map((row): SqlFunction => {
            const kind = String(row["kind"]);
            const result = row["result"] === null ? "" : `: ${String(row["result"])}`;
            return {
              name: String(row["name"]),
              kind: kind === "aggregate" ? "aggregate" : kind.includes("table") ? "table" : kind === "macro" ? "macro" : "scalar",
              signature: `${String(row["name"])}(${row["parameters"] === null ? "" : String(row["parameters"])})${result}`,
              docs: row["docs"] === null ? "" : String(row["docs"]),
            };
          }),
        ));
    },
    keywords() {
      return (keywords ??= open()
        .query("select distinct keyword_name as name from duckdb_keywords() order by name")
        .then(({ rows }) => rows.map((row) => String(row["name"]))));
    },
    async close() {
      await engine?.close();
    },
  };
}

function placeOfError(error: SqlError): SqlPlace | null {
  const { piece, offset } = error as { piece?: number; offset?: number };
  return piece === undefined || offset === undefined ? null : { piece, offset };
}
