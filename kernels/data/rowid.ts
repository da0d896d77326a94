/** Pages number the rows of tables by DuckDB's `rowid`, which a column of that name hides: such a relation is paged through a view that calls it otherwise. */
import type { DuckDBConnection } from "@duckdb/node-api";
import type { KernelQuery, TablePage } from "../protocol/document.js";
import type { ColumnInfo } from "../protocol/output.js";
import { quote, unused } from "./names.js";

type PageQuery = Extract<KernelQuery, { query: "table.page" }>;

/** The view's name; qualified, as the relation's is. */
export const renamedOf = (relation: string): string => `${relation.slice(0, -1)}~"`;

/** Views that stand; DuckDB makes no two at once. */
const views = new Map<string, Promise<unknown>>();

/** The relation has other columns now, or is gone. */
export function forgetRenamed(relation: string): void {
  views.delete(relation);
}

/** Answers a page's question about a relation by `answer`, which is never given a column named `rowid`. */
export async function withoutRowid(
  connection: DuckDBConnection,
  query: PageQuery,
  columns: ColumnInfo[],
  answer: (query: PageQuery, columns: ColumnInfo[]) => Promise<TablePage>,
): Promise<TablePage> {
  const names = columns.map(({ name }) => name);
  const hides = names.find((name) => name.toLowerCase() === "rowid");
  if (hides === undefined) return answer(query, columns);
  const other = unused("rowid~", names);
  const relation = renamedOf(query.relation);
  let view = views.get(query.relation);
  if (!view) {
    view = connection.run(`create or replace view ${relation} as select * rename (${quote(hides)} as ${quote(other)}) from ${query.relation}`);
    views.set(query.relation, view);
    view.catch(() => views.delete(query.relation));
  }
  await view;
  const to = (name: string): string => (name === hides ? other : name);
  const named = <T extends object>(part: T): T => ("column" in part ? { ...part, column: to(part.column as string) } : part);
  const {
    rows,
    columns: shown,
    offset,
  } = await answer(
    {
      ...query,
      relation,
      ...(query.columns && { columns: query.columns.map(to) }),
      ...(query.sort && { sort: query.sort.map(named) }),
      ...(query.where && { where: query.where.map(named) }),
    },
    columns.map((column) => ({ ...column, name: to(column.name) })),
  );
  return { rows, offset, columns: shown.map((column) => (column.name === other ? { ...column, name: hides } : column)) };
}
