/** Whether a run changes what other cells defined: their values right before its code runs and right after it, with bounds (`snapshot.ts`). */
import type { ValueChange } from "../protocol/kernel.js";
import { read, type Name } from "./bindings.js";
import type { Run } from "./run.js";
import { createSnapshot } from "./snapshot.js";

/** What is remembered of one run's reach. */
export interface Watch {
  /** name of another cell -> the name in this cell's code by which it was reached */
  reached: ReadonlyMap<string, string>;
  /** names whose own cell was at work meanwhile */
  excused: Set<string>;
  /** of each name that differs now, where */
  changed(): Map<string, string>;
}

export interface WatchOptions {
  names: ReadonlyMap<string, Name>;
  /** the last run of each cell */
  runs: ReadonlyMap<string, Run>;
  /** does code of that run go on after an await? */
  goesOn(run: Run): boolean;
}

export interface Watcher {
  /** `free`: the names that the code of `run` reads. Null: nothing of another cell is within its reach. */
  begin(run: Run, free: readonly string[]): Watch | null;
  /** code of `other` runs, by a timer for one, while `run` does: what it can reach is not watched any more */
  excuse(run: Run, other: Run): void;
  end(run: Run): ValueChange[];
}

export function createWatcher({ names, runs, goesOn }: WatchOptions): Watcher {
  /** changes by the cell that made them; each lasts until the cell that defines the name runs again */
  const made = new Map<string, { owner: number; change: ValueChange }[]>();
  /** changes through functions, of names that no other cell had read: who reads one later depends on the cell that made it */
  const unseen = new WeakMap<Run, Map<string, string>>();
  const ownerOf = (name: string) => runs.get(names.get(name)?.cell ?? "");
  const now = (name: string) => read(names.get(name))?.value;
  const excuseIn = (watch: Pick<Watch, "excused">, other: Run) => {
    for (const name of other.own) watch.excused.add(name);
    for (const name of other.uses) watch.excused.add(name);
  };

  const begin = (run: Run, free: readonly string[]): Watch | null => {
    const reached = new Map<string, string>();
    const take = (given: Iterable<string>, by?: string) => {
      const taken: { name: string; value: unknown }[] = [];
      for (const name of given) {
        const owner = ownerOf(name);
        // what was imported is a package's
        if (owner === undefined || owner.cell.id === run.cell.id || reached.has(name) || !owner.own.has(name)) continue;
        reached.set(name, by ?? name);
        taken.push({ name, value: now(name) });
      }
      return taken;
    };
    const snapshot = createSnapshot({
      own(constructor) {
        const name = Object.getOwnPropertyDescriptor(constructor, "name")?.value as unknown;
        return typeof name === "string" && ownerOf(name)?.own.has(name) === true && now(name) === constructor;
      },
    });
    const closed = new Set<Run>();
    for (let found = take(free); found.length > 0;) {
      const functions = snapshot.add(found);
      found = [];
      // a function reaches what its cell defined and read
      for (const name of functions) {
        const owner = ownerOf(name)!;
        if (closed.has(owner)) continue;
        closed.add(owner);
        found.push(...take([...owner.own, ...owner.uses], reached.get(name)));
      }
    }
    if (reached.size === 0) return null;
    const watch: Watch = { reached, excused: new Set(), changed: () => snapshot.changed(now) };
    for (const owner of new Set([...reached.keys()].map(ownerOf))) if (owner !== undefined && goesOn(owner)) excuseIn(watch, owner);
    return watch;
  };

  const end = (run: Run): ValueChange[] => {
    const { watch, cell } = run;
    const earlier = (made.get(cell.id) ?? []).filter(({ owner, change }) => runs.get(change.cell)?.number === owner);
    made.delete(cell.id);
    const changes: { owner: number; change: ValueChange }[] = [];
    for (const [name, path] of watch?.changed() ?? []) {
      const by = watch!.reached.get(name)!;
      const owner = ownerOf(name);
      if (owner === undefined || watch!.excused.has(name)) continue;
      const { id } = owner.cell;
      // a memory that only its own cell looks at is no result
      if (by !== name && ![...runs.values()].some((other) => other !== owner && other.uses.has(name))) {
        const quiet = unseen.get(owner) ?? new Map<string, string>();
        unseen.set(owner, quiet.set(name, cell.id));
        continue;
      }
      const line = lineOf(cell.source, by);
      const how = `${by === name ? "" : ` through \`${by}\``}; cells that use \`${name}\` do not run again for it`;
      const message = `this run changed \`${path}\` of cell ${id}${how}. Make a changed copy, or do it in cell ${id}${line === null ? "" : ` (line ${line})`}`;
      changes.push({ owner: owner.number, change: { name, cell: id, path, message } });
    }
    const known = new Set(changes.map(({ change }) => change.name));
    for (const { owner, change } of earlier) {
      if (known.has(change.name)) continue;
      const { path, cell: id } = change;
      const message = `an earlier run of this cell changed \`${path}\` of cell ${id}, which holds what that run made of it; run cell ${id} again`;
      changes.push({ owner, change: { ...change, message } });
    }
    if (changes.length > 0 && !run.request.console) made.set(cell.id, changes);
    const found = changes.map(({ change }) => change);
    for (const [name, by] of watch?.reached ?? []) {
      const owner = by === name ? ownerOf(name) : undefined;
      const other = owner && unseen.get(owner)?.get(name);
      if (owner === undefined || other === undefined || other === cell.id || known.has(name)) continue;
      const message = `\`${name}\` of cell ${owner.cell.id} was changed by cell ${other}, for which this cell does not wait; let cell ${other} give what it makes a name, and read that`;
      found.push({ name, cell: owner.cell.id, path: name, message });
    }
    return found;
  };
  return { begin, end, excuse: (run, other) => void (run.watch && excuseIn(run.watch, other)) };
}

/** The only line that mentions the name; null where there are several. */
function lineOf(source: string, name: string): number | null {
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}_$.])${name.replaceAll("$", "\\$")}(?![\\p{L}\\p{N}_$])`, "u");
  const lines = source.split("\n").flatMap((text, i) => (pattern.test(text) ? [i + 1] : []));
  return lines.length === 1 ? lines[0]! : null;
}
