/** A part of the rows by the hash of their key or place, the same on every machine. */
import { find } from "./near.js";
import { qualify, quote, text } from "./names.js";
import type { Made } from "./recipe.js";
import type { TableRelation } from "./relation.js";

let counter = 0;

/** The n smallest hashes. A little more than enough is filtered out in one parallel pass, and only that is sorted. */
export async function sampleOf(relation: TableRelation<object>, n: number, seed: number, key: string | undefined): Promise<Made> {
  await relation.fixed();
  const { engine } = relation;
  const source = key === undefined ? `(select *, row_number() over () as "~k" from ${relation.name})` : relation.name;
  const hash = stableHash(key === undefined ? '"~k"' : quote(find(await relation.info(), key).name), seed);
  const all = await relation.count();
  const share = Math.min(1, (n / Math.max(all, 1)) * (1 + 6 / Math.sqrt(n)));
  const enough = qualify(`~sample${++counter}`);
  const keep = (where: string): Promise<unknown> =>
    engine.request({ do: "create", name: enough, sql: `select *, ${hash} as "~h" from ${source}${where}`, table: true });
  await keep(share < 1 ? ` where ${hash} < '${BigInt(Math.round(share * 2 ** 53)) * 2048n}'::UBIGINT` : "");
  if (share < 1) {
    // keys that repeat can make the guess too small
    const { rows } = await engine.query(`select count(*) as n from ${enough}`);
    if ((rows[0]!["n"] as number) < Math.min(n, all)) await keep("");
  }
  const chosen = `(select *, rowid as "~n" from ${enough} order by "~h", rowid limit ${n})`;
  const drop = `exclude ("~h", "~n"${key === undefined ? ', "~k"' : ""})`;
  return { sql: `select * ${drop} from ${chosen} order by "~n"`, table: true, done: () => engine.drop(enough) };
}

/** UBIGINT, the same on every machine and version: the lower 64 bits of md5("seed:key"). In JS: `createHash("md5").update(...).digest().readBigUInt64LE(8)`. */
export function stableHash(column: string, seed: number): string {
  return `md5_number_lower(concat(${text(`${seed}:`)}, ${column}::varchar))`;
}
