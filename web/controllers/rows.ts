/** Where a grid's rows come from: a relation of the kernel, page by page, or a small table that is already here. */
import type { Filter, KernelQuery, SortKey, TableProfile } from "../../kernels/protocol/document.js";
import type { QueryOptions } from "./session.js";
import type { ColumnInfo, TableView, WireValue } from "../../kernels/protocol/output.js";

export interface Page {
  rows: WireValue[][];
  /** rows in all under these filters, when known */
  total: number | null;
}
export interface RowSource {
  columns: ColumnInfo[];
  total: number | null;
  first: WireValue[][];
  /** "data.flights", for SQL and file names */
  name: string;
  /** `columns`: those alone, in their order */
  page(offset: number, limit: number, sort: SortKey[], where: Filter[], columns?: string[], how?: QueryOptions): Promise<Page>;
  count(where: Filter[], how?: QueryOptions): Promise<number>;
  /** address of the whole table as CSV, written by the server; null: the page has every row */
  csv(sort: SortKey[], where: Filter[]): string | null;
  /** the same as Parquet */
  parquet?(sort: SortKey[], where: Filter[]): string;
  /** distributions for the heads of the columns; without it the heads are plain (a finding's own small table) */
  profile?(columns: string[], where: Filter[], how?: QueryOptions): Promise<TableProfile>;
}

/** Did the kernel end that held the rows? What is here of them stays; the cell has to run again for the rest. */
export const isGone = (error: unknown): boolean => (error as { code?: unknown } | null)?.code === "gone";

/** Reads the kernel's answer, in either of its two forms. */
function rowsOf(value: unknown): WireValue[][] {
  const rows = Array.isArray(value) ? value : (value as { rows?: unknown } | null)?.rows;
  return Array.isArray(rows) ? (rows as WireValue[][]) : [];
}
function totalOf(value: unknown): number | null {
  if (typeof value === "number") return value;
  const found = value as { total?: unknown; count?: unknown } | null;
  const total = found?.total ?? found?.count;
  return typeof total === "number" ? total : null;
}

export function relationRows(view: TableView, query: (query: KernelQuery, how?: QueryOptions) => Promise<unknown>, notebook: string): RowSource {
  const exported = (format: "csv" | "parquet", sort: SortKey[], where: Filter[]): string => {
    const query = new URLSearchParams({ path: notebook, relation: view.relation, format });
    if (sort.length > 0) query.set("sort", JSON.stringify(sort));
    if (where.length > 0) query.set("where", JSON.stringify(where));
    return `/api/ts/tables/export?${query}`;
  };
  return {
    columns: view.columns,
    total: view.total,
    first: view.first,
    name: view.relation,
    async page(offset, limit, sort, where, columns, how) {
      const value = await query(
        {
          query: "table.page",
          relation: view.relation,
          offset,
          limit,
          ...(columns !== undefined && { columns }),
          ...(sort.length > 0 && { sort }),
          ...(where.length > 0 && { where }),
        },
        how,
      );
      return { rows: rowsOf(value), total: totalOf(value) };
    },
    async count(where, how) {
      const value = await query({ query: "table.count", relation: view.relation, ...(where.length > 0 && { where }) }, how);
      const total = totalOf(value);
      if (total === null) throw new Error("the kernel gave no count");
      return total;
    },
    csv: (sort, where) => exported("csv", sort, where),
    parquet: (sort, where) => exported("parquet", sort, where),
    profile: async (columns, where, how) =>
      (await query({ query: "table.profile", relation: view.relation, columns, ...(where.length > 0 && { where }) }, how)) as TableProfile,
  };
}

/** A table of a finding: sorted and filtered here. */
export function localRows(title: string, columns: string[], rows: (string | number | null)[][]): RowSource {
  const numeric = columns.map(
    (_, i) =>
      rows.some((row) => typeof row[i] === "number") && rows.every((row) => row[i] === null || row[i] === undefined || typeof row[i] === "number"),
  );
  const find = (column: string) => columns.indexOf(column);
  const matching = (where: Filter[]) =>
    rows.filter((row) =>
      where.every((filter) => {
        if (filter.op === "search") return row.some((value) => value !== null && String(value).toLowerCase().includes(filter.text.toLowerCase()));
        const value = row[find(filter.column)] ?? null;
        switch (filter.op) {
          case "range":
            return value !== null && (filter.min === undefined || value >= filter.min) && (filter.max === undefined || value <= filter.max);
          case "contains":
            return String(value ?? "")
              .toLowerCase()
              .includes(filter.text.toLowerCase());
          case "regex":
            return new RegExp(filter.text).test(String(value ?? ""));
          case "in":
            return filter.values.includes(value);
          case "null":
            return value === null;
          case "not-null":
            return value !== null;
        }
      }),
    );
  return {
    columns: columns.map((name, i) => ({ name, type: numeric[i] === true ? "DOUBLE" : "VARCHAR" })),
    total: rows.length,
    first: rows,
    name: title,
    page: async (offset, limit, sort, where, only) => {
      const sorted = sort.reduceRight((list, { column, desc }) => {
        const i = find(column);
        return [...list].sort((a, b) => {
          const [x, y] = [a[i] ?? null, b[i] ?? null];
          // NULL last in both directions, as the server does
          if (x === null || y === null) return x === y ? 0 : x === null ? 1 : -1;
          return (x < y ? -1 : x > y ? 1 : 0) * (desc ? -1 : 1);
        });
      }, matching(where));
      const page = sorted.slice(offset, offset + limit);
      return { rows: only === undefined ? page : page.map((row) => only.map((name) => row[find(name)] ?? null)), total: sorted.length };
    },
    count: async (where) => matching(where).length,
    csv: () => null,
  };
}

export const isNumeric = (type: string): boolean => /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|REAL|DECIMAL.*)$/.test(type.toUpperCase());
export const isTime = (type: string): boolean => /^(DATE|TIME|TIMESTAMP)/.test(type.toUpperCase());

/** A cell's text. `digits`: significant figures of broken numbers. */
export function cellText(value: WireValue | undefined, type: string, digits = 10): string {
  if (value === null || value === undefined) return "NULL";
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(digits)));
  if (typeof value === "string") return /^TIMESTAMP/.test(type) ? value.replace("T", " ").replace(/(?:\.0+)?Z$/, "") : value;
  if (typeof value === "boolean") return String(value);
  return JSON.stringify(value);
}

/** RFC 4180. */
export function csv(columns: string[], rows: (WireValue | undefined)[][]): string {
  const field = (value: WireValue | undefined) => {
    if (value === null || value === undefined) return "";
    const text = typeof value === "object" ? JSON.stringify(value) : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns, ...rows].map((row) => row.map(field).join(",")).join("\r\n") + "\r\n";
}

export function filterText(filter: Filter): string {
  switch (filter.op) {
    case "search":
      return `any column contains "${filter.text}"`;
    case "range":
      return [
        filter.min !== undefined ? `${filter.column} >= ${filter.min}` : "",
        filter.max !== undefined ? `${filter.column} <= ${filter.max}` : "",
      ]
        .filter(Boolean)
        .join(" and ");
    case "contains":
      return `${filter.column} contains "${filter.text}"`;
    case "regex":
      return `${filter.column} matches /${filter.text}/`;
    case "in":
      return `${filter.column} is ${filter.values.map((v) => (v === null ? "NULL" : String(v))).join(" or ")}`;
    case "null":
      return `${filter.column} is NULL`;
    case "not-null":
      return `${filter.column} is not NULL`;
  }
}
