/** `csv(path, options)`: a CSV file whose bad rows are set aside and told, not lost and not in the way. */
import { closeSync, existsSync, openSync, readSync } from "node:fs";
import type { Row } from "../protocol/values.js";
import type { CsvOptions } from "../protocol/library.js";
import type { Engine } from "./engine.js";
import type { CsvReport } from "./messages.js";
import { rejectsOf, text } from "./names.js";
import { expected } from "./expected.js";
import { sha } from "./recipe.js";
import { TableRelation } from "./relation.js";
import { fileHash } from "./hash.js";

const separators = { delimiter: "delim", quote: "quote", escape: "escape", comment: "comment", dateFormat: "dateformat" } as const;

/** Options as arguments of read_csv. Throws an Error that names the option. */
export function csvArguments(options: CsvOptions): string[] {
  const known = new Set([...Object.keys(separators), "header", "skip", "nulls", "types", "rejects"]);
  for (const name of Object.keys(options)) if (!known.has(name)) throw new Error(`csv has no option \`${name}\`: it has ${[...known].join(", ")}`);
  const list: string[] = [];
  for (const [name, argument] of Object.entries(separators) as [keyof typeof separators, string][]) {
    const value = options[name];
    if (value === undefined) continue;
    if (typeof value !== "string") throw expected(name, "a text", value);
    list.push(`${argument} = ${text(value)}`);
  }
  const { header, skip, nulls, types, rejects = "report" } = options;
  if (header !== undefined) {
    if (typeof header !== "boolean") throw expected("header", "true or false", header);
    list.push(`header = ${header}`);
  }
  if (skip !== undefined) {
    if (!(Number.isSafeInteger(skip) && skip >= 0)) throw expected("skip", "a whole number from 0", skip);
    list.push(`skip = ${skip}`);
  }
  if (nulls !== undefined) {
    const words = Array.isArray(nulls) ? nulls : [nulls];
    if (!words.every((word) => typeof word === "string")) throw expected("nulls", "a text or a list of texts", nulls);
    list.push(`nullstr = [${words.map(text).join(", ")}]`);
  }
  if (types !== undefined) {
    if (typeof types !== "object" || types === null || Object.values(types).some((type) => typeof type !== "string"))
      throw expected("types", 'column names with DuckDB types, such as { age: "INTEGER" }', types);
    list.push(
      `types = {${Object.entries(types)
        .map(([name, type]) => `${text(name)}: ${text(type)}`)
        .join(", ")}}`,
    );
  }
  if (rejects !== "report" && rejects !== "error") throw expected("rejects", '"report" or "error"', rejects);
  return list;
}

export class CsvRelation<R extends object = Row> extends TableRelation<R> {
  /** one row a problem: line, column, what is wrong, the line itself */
  readonly rejects: TableRelation<{ line: number; column: string | null; problem: string; text: string }>;
  constructor(engine: Engine, path: string, options: CsvOptions, told: (sentence: string) => void) {
    const list = csvArguments(options);
    // `full` is looked for when the cell says so, and read when the relation is
    const full = engine.files.resolve(path);
    const strict = options.rejects === "error";
    super(engine, {
      upstream: [],
      async build() {
        return {
          make: async (name) => {
            if (isUtf16(full))
              throw new Error(
                `${path} is written in UTF-16, and CSV is read as UTF-8: save it as UTF-8 first, for example by iconv -f utf-16 -t utf-8`,
              );
            const report = await engine.request<CsvReport>({ do: "csv", name, path: full, list, strict });
            if (report.rejected > 0) told(sentence(path, report));
          },
        };
      },
      hash: async () => sha("csv", JSON.stringify(list), String(strict), await fileHash(full)),
      steady: true,
    });
    // made with the rows, under a name that is known by then
    this.rejects = new TableRelation(engine, {
      upstream: [this as unknown as TableRelation<object>],
      build: () => ({ sql: `from ${rejectsOf(this.name)}`, table: false }),
      hash: async () => sha("rejects", await this.hash()),
      steady: true,
    });
  }
}

/** Begins with the mark of UTF-16, whose every second byte would be read as a NUL. */
function isUtf16(path: string): boolean {
  // a pattern of several files
  if (!existsSync(path)) return false;
  const start = Buffer.alloc(2);
  const file = openSync(path, "r");
  try {
    return readSync(file, start, 0, 2, 0) === 2 && ["fffe", "feff"].includes(start.toString("hex"));
  } finally {
    closeSync(file);
  }
}

/** "3 of 30,005 lines of data/a.csv do not fit and were left out: line 30,002, column `id`: ..." */
export function sentence(path: string, { rows, rejected, first }: CsvReport): string {
  const number = (n: number) => n.toLocaleString("en");
  const some = first
    .slice(0, 3)
    .map(({ line, column, problem }) => `line ${number(line)}${column === null ? "" : `, column \`${column}\``}: ${problem}`)
    .join("; ");
  return `${number(rejected)} of ${number(rows + rejected)} lines of ${path} ${rejected === 1 ? "does not fit and was" : "do not fit and were"} left out: ${some}${first.length > 3 ? "; ..." : ""}. All of them are in \`.rejects\`.`;
}
