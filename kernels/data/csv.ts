/** `csv(path, options)`: a CSV file whose bad rows are set aside and told, not lost and not in the way. */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Row } from "../protocol/values.js";
import type { CsvOptions } from "../protocol/library.js";
import { encodingNamed, guessEncoding, markOf, toUtf8 } from "./encoding.js";
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
  const known = new Set([...Object.keys(separators), "header", "skip", "nulls", "types", "rejects", "encoding"]);
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
  if (options.encoding !== undefined && (typeof options.encoding !== "string" || encodingNamed(options.encoding) === null))
    throw expected("encoding", 'the name of an encoding, such as "utf-8", "latin-1", "utf-16" or "shift_jis"', options.encoding);
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
    const encoding = options.encoding === undefined ? null : encodingNamed(options.encoding)!;
    super(engine, {
      upstream: [],
      async build() {
        return {
          make: async (name) => {
            const source = await readable(engine, full, path, encoding, told);
            try {
              const report = await engine.request<CsvReport>({ do: "csv", name, path: source.path, list, strict });
              const unknown = report.first.some(({ problem }) => isUnicode(problem)) ? await hint(full) : "";
              if (report.rejected > 0) told(sentence(path, report) + unknown);
            } catch (error) {
              const text = error instanceof Error ? error.message : String(error);
              if (source.path === full && isUnicode(text)) throw new Error(`${path} is not written in UTF-8.${await hint(full)}`, { cause: error });
              if (error instanceof Error && source.path !== full) error.message = text.replaceAll(source.path, path);
              throw error;
            } finally {
              source.close();
            }
          },
        };
      },
      hash: async () => sha("csv", JSON.stringify(list), String(strict), ...(encoding ? [encoding] : []), await fileHash(full)),
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

const isUnicode = (message: string): boolean => /unicode|not utf-8/i.test(message);

/** " It seems to be ..." with what to write. */
async function hint(full: string): Promise<string> {
  const guess = existsSync(full) ? await guessEncoding(full) : null;
  return guess === null ? "" : ` The file seems to be written in ${guess}: say \`csv(path, { encoding: ${JSON.stringify(guess)} })\`.`;
}

/** The file as DuckDB reads it: itself, or a copy in UTF-8 that lasts as long as the reading. A mark of UTF-16 needs no option. */
async function readable(
  engine: Engine,
  full: string,
  path: string,
  asked: string | null,
  told: (sentence: string) => void,
): Promise<{ path: string; close(): void }> {
  const encoding = asked ?? (existsSync(full) ? markOf(full) : null);
  if (encoding === null || encoding === "utf-8") return { path: full, close: () => undefined };
  if (!existsSync(full)) throw new Error(`${path} is a pattern, and \`encoding\` is of one file: read each by a \`csv\` of its own`);
  const copy = join(engine.options.spill, `csv-${randomBytes(8).toString("hex")}.csv`);
  mkdirSync(engine.options.spill, { recursive: true, mode: 0o700 });
  try {
    const { valid } = await toUtf8(full, encoding, copy);
    if (valid && asked !== null) told(`${path} is valid UTF-8, and reading it as ${asked} most likely garbles its letters: leave \`encoding\` out`);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new Error(`${path} is not written in ${encoding}.${await hint(full)}`, { cause: error });
  }
  return { path: copy, close: () => rmSync(copy, { force: true }) };
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
