/** What an SQL text reads and writes: tables by name, files by path. */
import { tokens, type Token } from "../reactive/sql-tokens.js";
import { sourceTokens } from "../reactive/tables.js";

export { tokens, type Token };

/** Functions whose string arguments are paths. */
const readers =
  /^(read_(csv|csv_auto|parquet|json|json_auto|json_objects|json_objects_auto|ndjson|ndjson_auto|ndjson_objects|text|blob)|parquet_(scan|metadata|schema|file_metadata|kv_metadata)|glob|sniff_csv)$/i;
export interface Sources {
  /** strings that name files */
  files: Token[];
  /** unqualified names of tables, as DuckDB compares them: in lower case */
  tables: { name: string; token: Token }[];
}

/** What a query reads: strings and names where a table is expected, and paths given to the functions that read files. */
export function sourcesOf(list: Token[]): Sources {
  const files: Token[] = [];
  const tables: Sources["tables"] = [];
  for (const { token, qualified } of sourceTokens(list)) {
    if (qualified) continue;
    if (token.type === "string" || (token.type === "quoted" && /[./\\*]/.test(token.text))) files.push(token);
    else tables.push({ name: token.text.toLowerCase(), token });
  }
  // arguments of the functions that read: one entry a parenthesis
  const stack = [false];
  for (const [i, token] of list.entries()) {
    const before = list[i - 1];
    if (token.type === "symbol") {
      if (token.text === "(") stack.push(before?.type === "word" && readers.test(before.text));
      else if (token.text === "[") stack.push(stack.at(-1)!);
      else if ((token.text === ")" || token.text === "]") && stack.length > 1) stack.pop();
    } else if (token.type === "string" && stack.at(-1) === true && ["(", "[", ","].includes(before?.text ?? "")) files.push(token);
  }
  return { files: files.sort((a, b) => a.at - b.at), tables };
}

/** The string that names what a statement writes or opens for writing: COPY TO, EXPORT and IMPORT DATABASE, ATTACH of a file. */
export function targetOf(list: Token[]): Token | null {
  const word = (token: Token | undefined): string => (token?.type === "word" ? token.text.toLowerCase() : "");
  const head = word(list[0]);
  if (head === "copy") return stringAfter(list, "to");
  if (head === "export" || head === "import") return stringAfter(list, "database");
  if (head !== "attach") return null;
  const path = list.find(({ type }) => type === "string") ?? null;
  // in memory, or a server's address in its own words (`postgres:dbname=x`, `(type mysql)`)
  const at = list.findIndex((token) => word(token) === "type");
  const other = at >= 0 && !/^(duckdb|sqlite)$/i.test(list[at + 1]?.text ?? "");
  return path === null || other || path.text === "" || /^(:memory:|[a-z][a-z0-9+.-]+:)/i.test(path.text) ? null : path;
}

function stringAfter(list: Token[], before: string): Token | null {
  let depth = 0;
  for (const [i, { type, text }] of list.entries()) {
    if (type === "symbol" && text === "(") depth++;
    else if (type === "symbol" && text === ")") depth--;
    else if (type === "word" && depth === 0 && text.toLowerCase() === before) {
      const next = list[i + 1];
      if (next?.type === "string" || next?.type === "quoted") return next;
    }
  }
  return null;
}
