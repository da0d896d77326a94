/** Tables made once for a relation and a rule (its rows, its first rows under a sort, its order), and used until the relation changes. */
import type { DuckDBConnection } from "@duckdb/node-api";
import type { Aside } from "./asides.js";

/** Kept tables and orders; the one longest unused goes first. */
const most = 12;

interface Entry {
  /** resolves with the table's name */
  made: Promise<string>;
  ready: boolean;
  /** the work aside that makes it, which a page may stop as long as nobody waits for it */
  by: Aside | null;
}
const kept = new Map<string, Entry>();
let counter = 0;

/** A name that no other table has. */
export function freshName(): string {
  return `nb."~kept${++counter}"`;
}

/** Drops a table of `freshName`, also while interrupts come in. */
export async function discard(connection: DuckDBConnection, name: string): Promise<void> {
  for (let tries = 0; tries < 10; tries++) {
    try {
      await connection.run(`drop table if exists ${name}`);
      return;
    } catch {
      // interrupted: an interrupt meant for what is over is said again until it was heard
    }
  }
}

/** Finds an entry, which becomes the one used last. */
function find(key: string): Entry | undefined {
  const known = kept.get(key);
  if (!known) return undefined;
  kept.delete(key);
  kept.set(key, known);
  return known;
}

/** A table for (relation, rule): the one that is there, or one that `make` makes under the name that it is given. */
export async function keep(
  connection: DuckDBConnection,
  relation: string,
  rule: string,
  make: (name: string) => Promise<unknown>,
  by: Aside | null = null,
): Promise<string> {
  const key = `${relation}\0${rule}`;
  const known = find(key);
  if (known) {
    const { by: other } = known;
    if (!other || known.ready) return known.made;
    if (!by) other.wanted = true;
    try {
      return await known.made;
    } catch (error) {
      // a page has stopped it: whoever waits makes it now
      if (!other.stopped) throw error;
      return keep(connection, relation, rule, make, by);
    }
  }
  const table = freshName();
  const entry: Entry = { made: make(table).then(() => table), ready: false, by };
  kept.set(key, entry);
  try {
    await entry.made;
    entry.ready = true;
  } catch (error) {
    if (kept.get(key) === entry) kept.delete(key);
    throw error;
  }
  // the table under an order in use is never the oldest, as it is asked for first
  while (kept.size > most) await release(connection, kept.keys().next().value!);
  return table;
}

/** What is kept, or is being made, for (relation, rule); null when it is not, or could not be made. */
export async function had(relation: string, rule: string): Promise<string | null> {
  const known = find(`${relation}\0${rule}`);
  if (!known) return null;
  if (known.by) known.by.wanted = true;
  return known.made.catch(() => null);
}

/** The same, without waiting for it to be made. */
export async function ready(relation: string, rule: string): Promise<string | null> {
  return kept.get(`${relation}\0${rule}`)?.ready ? had(relation, rule) : null;
}

async function release(connection: DuckDBConnection, key: string): Promise<void> {
  const entry = kept.get(key);
  kept.delete(key);
  const made = await entry?.made.catch(() => null);
  if (made) await discard(connection, made);
}

/** Drops what was kept for a relation. */
export async function forget(connection: DuckDBConnection, relation: string): Promise<void> {
  for (const key of [...kept.keys()]) if (key.startsWith(`${relation}\0`)) await release(connection, key);
}
