/** The names that runs leave: those of the notebook's cells, and over them those of a console, which no cell sees. */
import type { Variable } from "../protocol/document.js";
import { preview } from "./display.js";
import type { Run } from "./run.js";

export interface Name {
  cell: string;
  get(): unknown;
  /** of a console's `let`: a later request may assign to it */
  set?(value: unknown): void;
}

export interface Bindings {
  readonly names: ReadonlyMap<string, Name>;
  /** of the console */
  readonly own: ReadonlyMap<string, Name>;
  /** a name of the notebook */
  set(name: string, of: Name): void;
  /** as that run finds it */
  known(name: string, run: Run): Name | undefined;
  /** `$$x` of a run: takes the definitions that the code exposes */
  define(run: Run, getters: object): void;
  /** a console's request is about to define these names */
  replace(run: Run, names: readonly string[]): void;
  /** the request is over: a name whose definition failed keeps its older value */
  restore(run: Run): void;
  /** `$$n` of a console's requests: the last definition, looked up when it is used */
  readonly live: object;
  find(name: string): { value: unknown } | null;
  /** removes what the cell defined, and gives it */
  take(cell: string): Map<string, unknown>;
  values(): unknown[];
  /** what the names of a cell hold */
  of(cell: string): unknown[];
  variables(): Variable[];
}

/** The name's value; undefined where its cell failed before it was set. */
export function read(name: Name | undefined): { value: unknown } | undefined {
  try {
    return name && { value: name.get() };
  } catch {
    return undefined;
  }
}

/** Names, and which of them each cell has: a run of one cell looks at no other's. */
class Names extends Map<string, Name> {
  readonly #of = new Map<string, Set<string>>();

  override set(name: string, of: Name): this {
    this.delete(name);
    let own = this.#of.get(of.cell);
    if (own === undefined) this.#of.set(of.cell, (own = new Set()));
    own.add(name);
    return super.set(name, of);
  }
  override delete(name: string): boolean {
    const cell = this.get(name)?.cell;
    if (cell === undefined) return false;
    super.delete(name);
    const own = this.#of.get(cell)!;
    own.delete(name);
    if (own.size === 0) this.#of.delete(cell);
    return true;
  }
  /** those of a cell, with their names */
  by(cell: string): [string, Name][] {
    return [...(this.#of.get(cell) ?? [])].map((name) => [name, this.get(name)!]);
  }
}

export function createBindings(): Bindings {
  const names = new Names();
  const own = new Names();
  const replaced = new WeakMap<Run, Map<string, Name | undefined>>();
  const live = new Proxy(Object.create(null) as Record<string, unknown>, {
    get(_, key) {
      const name = String(key);
      const found = own.get(name) ?? names.get(name);
      if (found) return found.get();
      if (name in globalThis) return (globalThis as Record<string, unknown>)[name];
      throw new ReferenceError(`${name} is not defined`);
    },
    has: (_, key) => own.has(String(key)) || names.has(String(key)) || key in globalThis,
    set(_, key, value) {
      const name = String(key);
      const found = own.get(name);
      if (found?.set) found.set(value);
      else if (found) throw new TypeError(`${name} is constant: declare it again to give it another value`);
      else if (names.has(name))
        throw new TypeError(
          `${name} belongs to cell ${names.get(name)!.cell} of the notebook and cannot be assigned here: \`const ${name} = ...\` makes one of this console's own`,
        );
      else throw new ReferenceError(`${name} is not defined`);
      return true;
    },
  });
  return {
    names,
    own,
    live,
    set: (name, of) => void names.set(name, of),
    known: (name, run) => (run.request.console ? own.get(name) : undefined) ?? names.get(name),
    define(run, getters) {
      const mine = run.request.console ? own : names;
      for (const [name, { get, set }] of Object.entries(Object.getOwnPropertyDescriptors(getters)))
        mine.set(name, { cell: run.cell.id, get: get!, ...(set && { set }) });
    },
    replace: (run, given) => void replaced.set(run, new Map(given.map((name) => [name, own.get(name)]))),
    restore(run) {
      for (const [name, old] of replaced.get(run) ?? []) if (old && !read(own.get(name))) own.set(name, old);
    },
    find: (name) => read(own.get(name) ?? names.get(name)) ?? null,
    take(cell) {
      const values = new Map<string, unknown>();
      for (const map of [names, own])
        for (const [name, each] of map.by(cell)) {
          const value = read(each);
          if (value) values.set(name, value.value);
          map.delete(name);
        }
      return values;
    },
    values: () => [...names.values(), ...own.values()].map((each) => read(each)?.value),
    of: (cell) => [...names.by(cell), ...own.by(cell)].map(([, each]) => read(each)?.value),
    variables() {
      const list: Variable[] = [];
      for (const [name, each] of names) {
        const value = read(each);
        if (value) list.push({ name, cell: each.cell, ...preview(value.value) });
      }
      return list;
    },
  };
}
