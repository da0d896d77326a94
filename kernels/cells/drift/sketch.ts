/** Counts of columns by SQL: millions of rows become some hundred numbers a column, inside DuckDB. */
import type { RunContext } from "../../protocol/cells.js";
import type { Relation, Row } from "../../protocol/values.js";
import { settle } from "../../protocol/values.js";
import type { ColumnSketch, Sketch } from "../../stats/sketch.js";

/** numbers with more distinct values are counted between quantiles, as many as this */
const mostValues = 1000;
const quantiles = 400;

/** One column that can be compared: an SQL expression over the relation. */
export interface Probe {
  column: string;
  kind: "number" | "category";
  /** SQL, of type DOUBLE or VARCHAR */
  expression: string;
}

export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

const number = /^(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT|UTINYINT|USMALLINT|UINTEGER|UBIGINT|UHUGEINT|FLOAT|REAL|DOUBLE|DECIMAL)/;

/**
 * What of a column is compared: numbers and categories as they are; a date always moves, so its parts that ought not to: the day of the week, and the hour of
 * a timestamp. Empty for types that cannot be compared.
 */
export function probesOf(column: string, type: string, source = quote(column)): Probe[] {
  if (number.test(type) && !type.endsWith("]")) return [{ column, kind: "number", expression: `(${source})::double` }];
  if (/^(VARCHAR|BOOLEAN|ENUM|UUID)/.test(type) && !type.endsWith("]")) return [{ column, kind: "category", expression: `(${source})::varchar` }];
  if (/^(DATE|TIMESTAMP)/.test(type) && !type.endsWith("]")) {
    const day: Probe = { column: `${column}: day of week`, kind: "category", expression: `isodow(${source})::varchar` };
    return type === "DATE" ? [day] : [{ column: `${column}: hour`, kind: "category", expression: `hour(${source})::varchar` }, day];
  }
  return [];
}

async function ask(context: Pick<RunContext, "sql">, text: string): Promise<Row[]> {
  const relation = await context.sql(text);
  await relation[settle]?.();
  return relation.rows();
}

/** The bins or values of one column of the reference. */
export async function sketchColumn(context: Pick<RunContext, "sql">, from: string, probe: Probe): Promise<ColumnSketch> {
  const valid = probe.kind === "number" ? `x is not null and not isnan(x) and not isinf(x)` : `x is not null`;
  const rows = `(select ${probe.expression} as x from ${from})`;
  const [size] = await ask(
    context,
    `select count(*)::double as n, (count(*) filter (where ${valid}))::double as k, approx_count_distinct(x)::double as d from ${rows}`,
  );
  const n = Number(size!["n"]);
  const base = { column: probe.column, kind: probe.kind, rows: n, missing: n - Number(size!["k"]) };
  if (probe.kind === "category") return { ...base, ...(await categories(context, rows)), edges: null };
  // the estimate of distinct values is off by a few percent: count to be sure
  if (Number(size!["d"]) <= mostValues * 1.2) {
    const exact = await ask(context, `select x, count(*)::double as n from ${rows} where ${valid} group by x order by x limit ${mostValues + 1}`);
    if (exact.length <= mostValues)
      return { ...base, values: exact.map((row) => Number(row["x"])), counts: exact.map((row) => Number(row["n"])), edges: null, other: 0 };
  }
  const shares = Array.from({ length: quantiles + 1 }, (_, i) => (i / quantiles).toFixed(6)).join(", ");
  const [found] = await ask(context, `select to_json(quantile_disc(x, [${shares}]))::varchar as q from ${rows} where ${valid}`);
  const edges = [...new Set(JSON.parse(String(found!["q"])) as number[])];
  const binned = (await binCounts(context, from, probe, edges, null)).get("")!;
  return { ...base, values: binned.values, counts: binned.counts, edges, other: 0 };
}

async function categories(context: Pick<RunContext, "sql">, rows: string): Promise<{ values: string[]; counts: number[]; other: number }> {
  const found = await ask(
    context,
    `select x, n from (select x, n, row_number() over (order by n desc, x) as place from (select x, count(*)::double as n from ${rows} where x is not null group by x)) where place <= ${mostValues}
     union all select null, coalesce(sum(n), 0)::double from (select n, row_number() over (order by n desc, x) as place from (select x, count(*)::double as n from ${rows} where x is not null group by x)) where place > ${mostValues}`,
  );
  const named = found.filter((row) => row["x"] !== null);
  named.sort((a, b) => Number(b["n"]) - Number(a["n"]) || (String(a["x"]) < String(b["x"]) ? -1 : 1));
  return {
    values: named.map((row) => String(row["x"])),
    counts: named.map((row) => Number(row["n"])),
    other: Number(found.find((row) => row["x"] === null)?.["n"] ?? 0),
  };
}

/** Counts and means of the reference's bins, by period ("" when there is none). */
async function binCounts(
  context: Pick<RunContext, "sql">,
  from: string,
  probe: Probe,
  edges: number[],
  period: string | null,
): Promise<Map<string, { values: number[]; counts: number[] }>> {
  const list = edges.map((edge) => literal(edge)).join(", ");
  const rows = await ask(
    context,
    `with e as (select unnest([${list}]::double[]) as edge, unnest(range(${edges.length})) as bin),
     r as (select ${probe.expression} as x, ${period ?? "''"} as period from ${from})
     select period, coalesce(bin, 0) as bin, count(*)::double as n, avg(x) as mean
     from (select period, x, bin from r asof left join e on r.x >= e.edge where x is not null and not isnan(x) and not isinf(x)) group by all order by all`,
  );
  const out = new Map<string, { values: number[]; counts: number[] }>();
  for (const row of rows) {
    const key = String(row["period"]);
    let one = out.get(key);
    if (!one) out.set(key, (one = { values: [...edges], counts: new Array<number>(edges.length).fill(0) }));
    const bin = Number(row["bin"]);
    one.counts[bin]! += Number(row["n"]);
    // a parallel mean differs in its last digits from run to run
    one.values[bin] = Number(Number(row["mean"]).toPrecision(9));
  }
  if (!period && !out.has("")) out.set("", { values: [...edges], counts: new Array<number>(edges.length).fill(0) });
  return out;
}

const literal = (x: number): string => (Number.isInteger(x) && Math.abs(x) < 1e15 ? x.toFixed(1) : x.toExponential(17));

/** The same column of later data, counted as the reference was; by period when `period` (SQL giving text) is set. */
export async function countLike(
  context: Pick<RunContext, "sql">,
  from: string,
  probe: Probe,
  reference: ColumnSketch,
  period: string | null,
): Promise<Map<string, ColumnSketch>> {
  const at = period ?? "''";
  const valid = probe.kind === "number" ? `x is not null and not isnan(x) and not isinf(x)` : `x is not null`;
  const sizes = await ask(
    context,
    `select period, count(*)::double as n, (count(*) filter (where ${valid}))::double as k from (select ${probe.expression} as x, ${at} as period from ${from}) group by period order by period`,
  );
  const out = new Map<string, ColumnSketch>();
  for (const row of sizes) {
    const rows = Number(row["n"]);
    out.set(String(row["period"]), {
      column: probe.column,
      kind: probe.kind,
      rows,
      missing: rows - Number(row["k"]),
      values: [],
      counts: [],
      edges: reference.edges,
      other: 0,
    });
  }
  if (reference.edges) {
    const binned = await binCounts(context, from, probe, reference.edges, period);
    for (const [key, sketch] of out) {
      const found = binned.get(key);
      sketch.values = found?.values ?? [...reference.edges];
      sketch.counts = found?.counts ?? new Array<number>(reference.edges.length).fill(0);
    }
    return out;
  }
  const known = new Set(reference.values.map(String));
  // values that the reference lacks are kept to a bound each period, so that a column of free text cannot fill the memory
  const rows = await ask(
    context,
    `select period, x, n from (select period, x, n, row_number() over (partition by period order by n desc, x) as place from
       (select period, x, count(*)::double as n from (select ${probe.expression} as x, ${at} as period from ${from}) where ${valid} group by period, x)) where place <= 5000 order by period, place`,
  );
  for (const row of rows) {
    const sketch = out.get(String(row["period"]))!;
    const value = probe.kind === "number" ? Number(row["x"]) : String(row["x"]);
    if (reference.other > 0 && !known.has(String(value))) sketch.other += Number(row["n"]);
    else {
      sketch.values.push(value);
      sketch.counts.push(Number(row["n"]));
    }
  }
  if (probe.kind === "category")
    for (const sketch of out.values()) {
      const kept = sketch.counts.reduce((a, b) => a + b, 0) + sketch.other;
      sketch.other += sketch.rows - sketch.missing - kept;
    }
  return out;
}

/**
 * The sketches of a training relation, for a version's reference.json. `columns`: what the record carries; `target` is kept as well when it is a column.
 * About 10 kB a column at most.
 */
export async function sketchRelation(
  context: Pick<RunContext, "sql">,
  relation: Relation<never> | Relation,
  options: { columns?: string[]; target?: string } = {},
): Promise<Sketch> {
  await relation[settle]?.();
  const schema = await relation.schema();
  const wanted = new Set(options.columns ?? schema.map((c) => c.name));
  if (options.target) wanted.add(options.target);
  const columns: ColumnSketch[] = [];
  for (const { name, type } of schema)
    if (wanted.has(name)) for (const probe of probesOf(name, type)) columns.push(await sketchColumn(context, relation.name, probe));
  return { format: 1, rows: columns[0]?.rows ?? (await relation.count()), columns };
}
