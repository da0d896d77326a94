/** Counts of columns by SQL: millions of rows become some hundred numbers a column, inside DuckDB. */
import type { RunContext } from "../../protocol/cells.js";
import type { Relation, Row } from "../../protocol/values.js";
import { settle } from "../../protocol/values.js";
import type { ColumnSketch, Sketch } from "../../stats/sketch.js";

/** numbers with more distinct values are counted between quantiles, as many as this */
const mostValues = 1000;
const quantiles = 400;
/** values that only the later rows have are kept up to this many, so that free text cannot fill the memory */
const mostLater = 5000;

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

/** x, or null where it is no finite number. */
const finite = (probe: Probe): string =>
  probe.kind === "number" ? `case when isfinite(${probe.expression}) then ${probe.expression} end` : probe.expression;

interface Counted {
  rows: number;
  missing: number;
  /** most frequent first, at most `limit` */
  values: string[];
  counts: number[];
}

/** Counts of the values of several columns by period in one reading of the rows: result[column][period]. */
async function countValues(
  context: Pick<RunContext, "sql">,
  from: string,
  probes: Probe[],
  period: string | null,
  limit: number,
): Promise<Map<string, Counted>[]> {
  const out = probes.map(() => new Map<string, Counted>());
  if (probes.length === 0) return out;
  const names = probes.map((_, i) => `c${i}`);
  const cases = (then: (name: string, i: number) => string): string =>
    `case ${names.map((name, i) => `when grouping(${name}) = 0 then ${then(name, i)}`).join(" ")} end`;
  const rows = await ask(
    context,
    `with r as (select ${period ?? "''"} as period, ${probes.map((probe, i) => `${finite(probe)} as c${i}`).join(", ")} from ${from}),
     g as (select period, ${cases((_, i) => String(i))} as which, ${cases((name) => `${name}::varchar`)} as x, count(*)::double as n
       from r group by grouping sets (${names.map((name) => `(period, ${name})`).join(", ")}))
     select period, which, x, n, sum(n) over (partition by period, which) as total from g
     qualify row_number() over (partition by period, which order by x is not null, n desc, x) <= ${limit + 1}
     order by which, period, n desc, x`,
  );
  for (const row of rows) {
    const at = out[Number(row["which"])]!;
    const key = String(row["period"]);
    let one = at.get(key);
    if (!one) at.set(key, (one = { rows: Number(row["total"]), missing: 0, values: [], counts: [] }));
    if (row["x"] === null) one.missing = Number(row["n"]);
    else if (one.values.length < limit) {
      one.values.push(String(row["x"]));
      one.counts.push(Number(row["n"]));
    }
  }
  return out;
}

/** Counts and means of bins between edges, by period. */
async function countBins(
  context: Pick<RunContext, "sql">,
  from: string,
  probe: Probe,
  edges: number[],
  period: string | null,
): Promise<Map<string, ColumnSketch>> {
  const rows = await ask(
    context,
    `with e as (select unnest([${edges.map(literal).join(", ")}]::double[]) as edge, unnest(range(${edges.length})) as bin),
     r as (select ${finite(probe)} as x, ${period ?? "''"} as period from ${from})
     select period, x is null as missing, coalesce(bin, 0) as bin, count(*)::double as n, avg(x) as mean
     from (select period, x, bin from r asof left join e on r.x >= e.edge) group by all order by all`,
  );
  const out = new Map<string, ColumnSketch>();
  for (const row of rows) {
    const key = String(row["period"]);
    let one = out.get(key);
    if (!one)
      out.set(
        key,
        (one = { column: probe.column, kind: "number", rows: 0, missing: 0, values: [...edges], counts: edges.map(() => 0), edges, other: 0 }),
      );
    const n = Number(row["n"]);
    one.rows += n;
    if (row["missing"] === true) {
      one.missing += n;
      continue;
    }
    // values below the first edge share its bin
    const bin = Number(row["bin"]);
    const before = one.counts[bin]!;
    // a parallel mean differs in its last digits from run to run
    one.values[bin] = Number(((before * (one.values[bin] as number) + n * Number(row["mean"])) / (before + n)).toPrecision(9));
    one.counts[bin] = before + n;
  }
  return out;
}

const literal = (x: number): string => (Number.isInteger(x) && Math.abs(x) < 1e15 ? x.toFixed(1) : x.toExponential(17));

/** Values of numbers rising, as sketches hold them. */
function rising(counted: Counted): { values: number[]; counts: number[] } {
  const order = counted.values.map((_, i) => i).sort((a, b) => Number(counted.values[a]) - Number(counted.values[b]));
  return { values: order.map((i) => Number(counted.values[i])), counts: order.map((i) => counted.counts[i]!) };
}

const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0);

/** The bins or values of columns of the reference: one reading for all columns, two more for each number of many values. */
export async function sketchColumns(context: Pick<RunContext, "sql">, from: string, probes: Probe[]): Promise<ColumnSketch[]> {
  const found = await countValues(context, from, probes, null, mostValues + 1);
  const out: ColumnSketch[] = [];
  for (const [i, probe] of probes.entries()) {
    const counted = found[i]!.get("") ?? { rows: 0, missing: 0, values: [], counts: [] };
    const base = { column: probe.column, kind: probe.kind, rows: counted.rows, missing: counted.missing };
    if (probe.kind === "category") {
      const counts = counted.counts.slice(0, mostValues);
      out.push({ ...base, values: counted.values.slice(0, mostValues), counts, edges: null, other: counted.rows - counted.missing - sum(counts) });
    } else if (counted.values.length <= mostValues) out.push({ ...base, ...rising(counted), edges: null, other: 0 });
    else {
      const shares = Array.from({ length: quantiles + 1 }, (_, k) => (k / quantiles).toFixed(6)).join(", ");
      const [row] = await ask(
        context,
        `select to_json(quantile_disc(x, [${shares}]))::varchar as q from (select ${finite(probe)} as x from ${from}) where x is not null`,
      );
      const edges = [...new Set(JSON.parse(String(row!["q"])) as number[])];
      out.push((await countBins(context, from, probe, edges, null)).get("")!);
    }
  }
  return out;
}

/** The same columns of later rows, counted as the reference was: result[column][period]; one period "" when `period` (SQL giving text) is null. */
export async function countLike(
  context: Pick<RunContext, "sql">,
  from: string,
  probes: Probe[],
  references: ColumnSketch[],
  period: string | null,
): Promise<Map<string, ColumnSketch>[]> {
  const valued = probes.map((_, i) => i).filter((i) => !references[i]!.edges);
  const found = await countValues(
    context,
    from,
    valued.map((i) => probes[i]!),
    period,
    mostLater,
  );
  const out: Map<string, ColumnSketch>[] = [];
  for (const [i, probe] of probes.entries()) {
    const reference = references[i]!;
    if (reference.edges) {
      out.push(await countBins(context, from, probe, reference.edges, period));
      continue;
    }
    const known = new Set(reference.values.map(String));
    const one = new Map<string, ColumnSketch>();
    for (const [key, counted] of found[valued.indexOf(i)]!) {
      const base = { column: probe.column, kind: probe.kind, rows: counted.rows, missing: counted.missing, edges: null };
      if (probe.kind === "number") {
        one.set(key, { ...base, ...rising(counted), other: 0 });
        continue;
      }
      // where the reference has a rest, a value that it does not name belongs to the rest
      const keep = counted.values.map((_, k) => k).filter((k) => reference.other === 0 || known.has(counted.values[k]!));
      const counts = keep.map((k) => counted.counts[k]!);
      one.set(key, { ...base, values: keep.map((k) => counted.values[k]!), counts, other: counted.rows - counted.missing - sum(counts) });
    }
    out.push(one);
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
  const probes = schema.filter(({ name }) => wanted.has(name)).flatMap(({ name, type }) => probesOf(name, type));
  const columns = await sketchColumns(context, relation.name, probes);
  return { format: 1, rows: columns[0]?.rows ?? (await relation.count()), columns, ...(options.target ? { target: options.target } : {}) };
}
