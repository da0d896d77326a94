/** What a row is said to be before a run, against the rows of a run: each value is given to the compiler as the type that was said. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { afterAll, beforeAll, expect, it } from "vitest";
import { lz4File, zstdStream } from "../../test/support/arrow-compressed.js";
import { testEngine, type TestEngine } from "../../test/support/data.js";
import { sqlText } from "../data/sql.js";
import { rowType, typeOf } from "./columns.js";
import { createSchemas, type Schemas } from "./schemas.js";

let t: TestEngine;
let schemas: Schemas;
beforeAll(() => {
  t = testEngine();
  schemas = createSchemas(t.folder, join(t.folder, "../.."));
});
afterAll(async () => {
  await schemas.close();
  await t.close();
});

/** [column, SQL, the type that is said of it] */
const columns: [string, string, string][] = [
  ["yes", "true", "boolean | null"],
  ["tiny", "5::tinyint", "number | null"],
  ["big", "9007199254740991::bigint", "number | null"],
  ["counted", "count(*)", "number | null"],
  ["summed", "sum(1)", "number | null"],
  ["averaged", "avg(1)", "number | null"],
  ["huge", "5::hugeint", "number | null"],
  ["real", "1.5::float", "number | null"],
  ["exact", "0.1::decimal(4,2)", "number | null"],
  ["day", "date '2001-05-01'", "Date | null"],
  ["moment", "timestamp '2001-05-01 10:00:00'", "Date | null"],
  ["zoned", "timestamptz '2001-05-01 10:00:00+02'", "Date | null"],
  ["nanos", "'2001-05-01'::timestamp_ns", "Date | null"],
  ["clock", "time '12:34:56.5'", "string | null"],
  ["span", "interval '1 month 2 days'", "{ months: number; days: number; micros: number } | null"],
  ["word", "'a'", "string | null"],
  ["one of", "'b'::enum('a','b')", `"a" | "b" | null`],
  ["id", "uuid '00000000-0000-0000-0000-00000000000a'", "string | null"],
  ["bits", "'101'::bit", "string | null"],
  ["bytes", "'\\x00\\xFF'::blob", "Uint8Array | null"],
  ["parsed", `'{"a": [1]}'::json`, "any"],
  ["list", "[1, null, 3]", "(number | null)[] | null"],
  ["nested", "[[date '2001-05-01']]", "((Date | null)[] | null)[] | null"],
  ["fixed", "array_value(1.5::float, 2)", "(number | null)[] | null"],
  ["whole", "{a: 1, 'b c': [date '2001-05-01']}", `{ a: number | null; "b c": (Date | null)[] | null } | null`],
  ["by name", "map {'k': 1}", "Record<string, number | null> | null"],
  ["by number", "map {1: 'v'}", "[number, string | null][] | null"],
  ["either", "union_value(n := 1)", "number | null"],
  ["nothing", "null", "number | null"],
  ["none of it", "null::date", "Date | null"],
];

const query = () => `select ${columns.map(([name, sql]) => `${sql} as "${name}"`).join(", ")}`;

function literal(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (value instanceof Date) return `new Date(${value.getTime()})`;
  if (value instanceof Uint8Array) return "new Uint8Array()";
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{ ${Object.entries(value)
    .map(([name, inner]) => `${JSON.stringify(name)}: ${literal(inner)}`)
    .join(", ")} }`;
}

/** What the compiler says against a text. */
function complaints(text: string): string[] {
  const settings: ts.CompilerOptions = { strict: true, noEmit: true, target: ts.ScriptTarget.ES2023, types: [] };
  const host = ts.createCompilerHost(settings);
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (name, ...more) => (name === "row.ts" ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2023) : read(name, ...more));
  return ts.getPreEmitDiagnostics(ts.createProgram(["row.ts"], settings, host)).map((one) => ts.flattenDiagnosticMessageText(one.messageText, "\n"));
}

it("says of each column what it said in the table", async () => {
  const described = await schemas.describe([query()], [], new Map());
  expect(described !== null && "columns" in described ? described.columns.map(({ name, type }) => [name, typeOf(type)]) : described).toEqual(
    columns.map(([name, , type]) => [name, type]),
  );
});

it("gives rows in a run that are of the type that was said before it", async () => {
  const described = await schemas.describe([query()], [], new Map());
  const row = rowType((described as { columns: { name: string; type: string }[] }).columns);
  const rows = await sqlText(t.engine, query()).rows();
  expect(complaints(`const row: ${row} = ${literal(rows[0])};`)).toEqual([]);
  // the check can fail: a value of another type is found
  expect(complaints(`const row: ${row} = ${literal({ ...rows[0], day: "2001-05-01" })};`).join()).toContain(
    "Type 'string' is not assignable to type 'Date'",
  );
});

it("whole numbers beyond 2^53 come as bigints in that column alone, which the type does not say: hover does", async () => {
  const [row] = await sqlText(t.engine, "select 9007199254740993::bigint as far, 5::bigint as near").rows();
  expect(row).toEqual({ far: 9007199254740993n, near: 5 });
});

it("knows the columns of Arrow files by their heads, also of a pattern, and says nothing of one that is none", async () => {
  writeFileSync(join(t.folder, "a1.arrow"), Buffer.from(lz4File, "base64"));
  writeFileSync(join(t.folder, "b.arrows"), Buffer.from(zstdStream, "base64"));
  writeFileSync(join(t.folder, "none.arrow"), "no");
  const said = [
    { name: "i", type: "BIGINT" },
    { name: "s", type: "VARCHAR" },
    { name: "d", type: "VARCHAR" },
    { name: "at", type: "TIMESTAMP" },
    { name: "l", type: "INTEGER[]" },
  ];
  const of = (text: string) => schemas.describe([text], [], new Map());
  for (const path of ["a1.arrow", "a*.arrow", "b.arrows"]) expect(await of(`from '${path}'`), path).toEqual({ columns: said });
  expect(await of("select count(*) as n, max(x.at) as last from 'a1.arrow' x join \"b.arrows\" using (i)")).toEqual({
    columns: [
      { name: "n", type: "BIGINT" },
      { name: "last", type: "TIMESTAMP" },
    ],
  });
  expect(await of("select nothing from 'a1.arrow'")).toMatchObject({ message: expect.stringContaining("nothing") as string });
  expect([await of("from 'none.arrow'"), await of("from 'missing.arrow'")]).toEqual([null, null]);
});
