/** What breaks a training that streams, found by one pass of DuckDB over the rows before the first step. */
import type { ColumnInfo } from "../protocol/output.js";
import type { DatasetOptions } from "../protocol/values.js";
import { quote } from "./names.js";

/** Reads one row of counts. */
export type ReadCounts = (sql: string) => Promise<(number | null)[]>;

const whole = /^U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)$/;
const long = /^U?(BIG|HUGE)INT$/;
const float = /^(FLOAT|DOUBLE)$/;
const number = /^(U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL\(.*\)|BOOLEAN)$/;
const list = /\[\d*\]$/;
/** beyond this a number is infinite in float32 */
const widest = "3.4028235677973366e38";
const exact = "9007199254740991";

/** for one and for several */
type Words = [one: string, many: string];

/** One thing to count, and what is told where it is above 0. */
interface Check {
  where: string;
  error(count: string, rows: string): string;
}

/** Throws an Error that names column and count. Gives sentences about what only makes a training poor. */
export async function checkTrainable(
  relation: string,
  columns: ColumnInfo[],
  { y, classes, nulls = "error" }: Pick<DatasetOptions, "y" | "classes" | "nulls">,
  read: ReadCounts,
): Promise<string[]> {
  const targets = typeof y === "string" ? [y] : y;
  const checks = columns.flatMap((column) => checksOf(column, targets.includes(column.name) ? "error" : nulls));
  if (classes !== undefined) checks.push(labelCheck(targets[0]!, columns, classes));
  const sizes = columns.filter(({ type }) => type === "BLOB" || list.test(type));
  const spread = columns.filter(({ type }) => number.test(type));
  const sql = [
    "count(*)::double",
    ...checks.map(({ where }) => `count(*) filter (where ${where})::double`),
    ...sizes.flatMap(({ name, type }) => ["min", "max"].map((f) => `${f}(${type === "BLOB" ? "octet_length" : "len"}(${quote(name)}))::double`)),
    ...spread.map(({ name }) => `(count(${quote(name)}) = count(*) and min(${quote(name)}) = max(${quote(name)}))::double`),
  ];
  const [rows, ...counts] = await read(`select ${sql.join(", ")} from ${relation}`);
  if (!rows) throw new RangeError("the relation has no rows: there is nothing to train on");
  const all = `${rows.toLocaleString("en")} rows`;
  for (const [i, { error }] of checks.entries()) if ((counts[i] ?? 0) > 0) throw new RangeError(error(counts[i]!.toLocaleString("en"), all));
  for (const [i, { name }] of sizes.entries()) {
    const [least, most] = counts.slice(checks.length + 2 * i);
    if (least !== most)
      throw new RangeError(`column \`${name}\` has from ${least} to ${most} values a row in ${all}: a tensor needs the same number in each`);
  }
  if (rows < 2) return [];
  const rest = checks.length + 2 * sizes.length;
  const same = spread.filter((_, i) => counts[rest + i] === 1).map(({ name }) => name);
  return same.map((name) =>
    targets.includes(name)
      ? `\`${name}\` has one value in all ${all}: there is nothing to tell apart`
      : `column \`${name}\` has one value in all ${all}: it tells nothing`,
  );
}

function checksOf({ name, type }: ColumnInfo, nulls: "error" | number): Check[] {
  const column = quote(name);
  const has =
    ([one, many]: Words, advice: string) =>
    (count: string, rows: string) =>
      `column \`${name}\` has ${count} ${count === "1" ? one : many} in ${rows}${advice}`;
  if (type === "BLOB" || list.test(type)) return partsOf(column, type, has);
  if (!number.test(type)) throw new RangeError(`column \`${name}\` is ${type}, and a tensor holds numbers: leave it out or encode it with features`);
  const checks: Check[] = [];
  if (nulls === "error")
    checks.push({ where: `${column} is null`, error: has(["NULL", "NULLs"], ": say { nulls: 0 } or another number, or filter them out") });
  if (float.test(type)) {
    checks.push({ where: `isnan(${column})`, error: has(["NaN", "NaNs"], ", and nothing trains on them: filter them out") });
    checks.push({ where: `isinf(${column})`, error: has(["infinite value", "infinite values"], ", and nothing trains on them: filter them out") });
  }
  if (type === "DOUBLE")
    checks.push({
      where: `isfinite(${column}) and abs(${column}) >= ${widest}`,
      error: has(
        ["value beyond 3.4e38", "values beyond 3.4e38"],
        ", which would be infinite in a tensor, as that holds float32: scale the column in the SQL, or filter them out",
      ),
    });
  if (long.test(type))
    checks.push({
      where: `${column} > ${exact}${type.startsWith("U") ? "" : ` or ${column} < -${exact}`}`,
      error: has(["value beyond 2^53", "values beyond 2^53"], `, which a tensor would round: say \`${name}::double\` in the SQL if that is wanted`),
    });
  return checks;
}

/** A BLOB or a list, which becomes as many columns as it has values. */
function partsOf(column: string, type: string, has: (words: Words, advice: string) => Check["error"]): Check[] {
  const checks = [{ where: `${column} is null`, error: has(["NULL", "NULLs"], ", which no one number can stand for: filter them out") }];
  const inner = type.replace(list, "");
  if (type === "BLOB" || list.test(inner) || !number.test(inner)) return checks;
  const values = `${column}::${inner}[]`;
  checks.push({ where: `list_count(${values}) < len(${values})`, error: has(["list with a NULL", "lists with a NULL"], ": filter them out") });
  if (float.test(inner)) {
    const bad = (f: string) => `not isfinite(${f}(${values})) or abs(${f}(${values})) >= ${widest}`;
    checks.push({
      where: `${bad("list_min")} or ${bad("list_max")}`,
      error: has(["list with a value that is no finite float32", "lists with a value that is no finite float32"], ": filter them out"),
    });
  }
  return checks;
}

function labelCheck(name: string, columns: ColumnInfo[], classes: number): Check {
  const type = columns.find((column) => column.name === name)?.type ?? "";
  const column = type === "BOOLEAN" ? `${quote(name)}::integer` : quote(name);
  const broken = whole.test(type) || type === "BOOLEAN" ? "" : ` or ${column} <> floor(${column})`;
  return {
    where: `${column} < 0 or ${column} >= ${classes}${broken}`,
    error: (count, rows) => `\`${name}\` is no class in ${count} of ${rows}: a class is a whole number from 0 to ${classes - 1}`,
  };
}
