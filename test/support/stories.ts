/** Small notebooks with hidden state, and what people do to them: drawn for the test that holds the badge against clean runs. */
import fc from "fast-check";

/** Files of the workspace that pieces import. */
export const files: Record<string, string> = {
  "counter.ts": "let n = 0\nexport const up = () => ++n\n",
  "deep.ts": 'import { up } from "./counter.ts"\nexport const twice = () => up() + up()\n',
  "loaded.ts": 'import { up } from "./counter.ts"\nexport const loaded = up()\n',
  "registry.ts": "const all = new Map<string, number>()\nexport const note = (key: string) => {\n  all.set(key, all.size)\n  return all.size\n}\n",
  "tally.ts": "class Tally {\n  n = 0\n  up() {\n    return ++this.n\n  }\n}\nexport const tally = new Tally()\n",
  "list.ts": "export const list: number[] = []\n",
  "pure.ts":
    'import { rate } from "./rate.ts"\nexport const twice = (x: number) => x * rate\nexport class Box {\n  n = 0\n  up() {\n    return ++this.n\n  }\n}\n',
  "rate.ts": "export const rate = 2\nconst names = new Map([[1, 'one']])\nexport const nameOf = (n: number) => names.get(n)\n",
};

/** `ME`: the cell's own name; `OTHER`: another cell's, of the kind asked for; `K`: a small number. */
interface Piece {
  /** what the cell's name stands for; null: it defines none */
  makes: string | null;
  needs: string | null;
  source: string;
}
const piece = (makes: string | null, needs: string | null, source: string): Piece => ({ makes, needs, source });

export const pieces: readonly Piece[] = [
  piece("number", null, "const ME = K"),
  piece("number", "number", "const ME = OTHER + K"),
  piece("number", null, "const ME = Math.random()"),
  piece("number", null, "let ME = 0\nfor (const x of [1, K]) ME += x"),
  piece("list", null, "const ME = [K]"),
  piece("list", "list", "const ME = OTHER"),
  piece("list", "list", "const ME = [...OTHER, K]"),
  piece("list", "list", "const ME = OTHER.map((x) => x + K)"),
  piece("record", null, "const ME = { n: K, list: [] }"),
  piece("map", null, "const ME = new Map([['a', K]])"),
  piece("count", null, "let _n = K\nconst ME = () => ++_n"),
  piece("count", null, "const ME = (() => { let i = K; return () => i++ })()"),
  piece("count", "count", "const ME = () => OTHER() + OTHER()"),
  piece("count", null, "class _A { #n = K; up() { return ++this.#n } }\nconst _a = new _A()\nconst ME = () => _a.up()"),
  piece("count", null, "const _seen = {}\nconst ME = () => { _seen.n = (_seen.n ?? 0) + 1; return _seen.n }"),
  piece("count", null, "const _rest = [1, 2, 3, 4, 5, 6, 7, 8, 9]\nconst ME = () => _rest.pop()"),
  piece("object", null, "class _B { n = K; up() { return ++this.n } }\nconst ME = new _B()"),
  piece("object", null, "class _C { #n = K; up() { return ++this.#n } }\nconst ME = new _C()"),
  piece("object", null, "const ME = { n: K, up() { return ++this.n } }"),
  piece("maker", null, "const ME = () => { let n = K; return () => ++n }"),
  piece("count", "maker", "const ME = OTHER()"),
  piece("pure", null, "const ME = (x) => x + K"),
  piece("pure", null, "const ME = (x) => { let sum = 0; for (const y of [x, K]) sum += y; return sum }"),
  piece("push", null, "const ME = (list) => { list.push(K); return list.length }"),
  piece("cache", null, "const _m = new Map()\nconst ME = (k) => { if (!_m.has(k)) _m.set(k, _m.size); return _m.get(k) }"),
  piece("iterator", null, "const ME = [K, 2, 3, 4, 5, 6][Symbol.iterator]()"),
  piece("iterator", null, "function* _g() { for (let i = K; i < 9; i++) yield i }\nconst ME = _g()"),
  piece("pattern", null, "const ME = /a/g"),
  piece("table", null, "const ME = sql`select K as x`"),
  piece("table", "table", "const ME = sql`select x + 1 as x from OTHER`"),
  piece("number", "table", "const ME = (await OTHER.rows())[0].x"),
  piece(null, null, "await sql`create or replace table shared as select K as x`"),
  piece(null, null, "await sql`create table if not exists shared as select 0 as x`\nawait sql`insert into shared values (K)`"),
  piece(null, null, "await sql`create table if not exists shared as select 0 as x`\n(await sql`select count(*)::int as n from shared`.rows())[0].n"),
  piece(null, null, "globalThis.shared = (globalThis.shared ?? 0) + K\nglobalThis.shared"),
  piece(null, null, "globalThis.shared"),
  piece(null, null, "process.env.SHARED = String(K)"),
  piece(null, null, "process.env.SHARED"),
  piece("count", null, 'import { up as ME } from "./counter.ts"'),
  piece(null, null, 'import { up as _up } from "./counter.ts"\n_up()'),
  piece("count", null, 'import { twice as ME } from "./deep.ts"'),
  piece("number", null, 'import { loaded as ME } from "./loaded.ts"'),
  piece("cache", null, 'import { note as ME } from "./registry.ts"'),
  piece("object", null, 'import { tally as ME } from "./tally.ts"'),
  piece("list", null, 'import { list as ME } from "./list.ts"'),
  piece(null, null, 'import { list as _list } from "./list.ts"\n_list.push(K)'),
  piece("pure", null, 'import { twice as ME } from "./pure.ts"'),
  piece("object", null, 'import { Box as _Box } from "./pure.ts"\nconst ME = new _Box()'),
  piece(null, null, "new Date().toISOString()"),
  piece(null, "number", "OTHER"),
  piece(null, "number", "console.log(OTHER)"),
  piece(null, "list", "OTHER.length"),
  piece(null, "list", "OTHER.push(K)"),
  piece(null, "list", "OTHER.map((x) => x * K)"),
  piece(null, "record", "OTHER.n"),
  piece(null, "record", "OTHER.n += K"),
  piece(null, "record", "OTHER.list.push(K)"),
  piece(null, "map", "OTHER.size"),
  piece(null, "map", "OTHER.set('b', K)"),
  piece("number", "count", "const ME = OTHER()"),
  piece(null, "count", "OTHER()"),
  piece(null, "count", "const f = () => OTHER()\nf() + f()".replaceAll("f", "_f")),
  piece(null, "object", "OTHER.up()"),
  piece(null, "object", "OTHER.n"),
  piece(null, "pure", "OTHER(K)"),
  piece(null, "cache", "OTHER(K)"),
  piece(null, "cache", "[OTHER(1), OTHER(K)]"),
  piece(null, "push", "OTHER([1])"),
  piece(null, "iterator", "OTHER.next().value"),
  piece(null, "iterator", "[...OTHER].length"),
  piece(null, "iterator", "for (const x of OTHER) { console.log(x); break }"),
  piece(null, "pattern", "OTHER.test('aa')"),
  piece(null, "table", "await OTHER.rows()"),
  piece(null, "table", "sql`select x * K as y from OTHER`"),
];

/** A piece, which of the cells that fit it reads, and its number. */
export interface Drawn {
  piece: number;
  other: number;
  number: number;
}
export type Doing =
  | { do: "run" | "run-alone" | "from" | "delete" | "disable"; at: number }
  | { do: "run-all" | "run-stale" | "undo" | "restart" | "restart-all" | "lazy" | "auto" }
  | { do: "insert"; at: number; drawn: Drawn }
  /** `keep`: what others read of it stays of its kind */
  | { do: "edit"; at: number; drawn: Drawn; keep: boolean }
  | { do: "move"; at: number; to: number };

const at = fc.nat(7);
const drawn: fc.Arbitrary<Drawn> = fc.record({ piece: fc.nat(pieces.length - 1), other: fc.nat(9), number: fc.integer({ min: 1, max: 4 }) });
const doing: fc.Arbitrary<Doing> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom("run" as const, "run-alone" as const), at }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("edit" as const), at, drawn, keep: fc.constantFrom(true, true, true, false) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("insert" as const), at, drawn }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("delete" as const, "disable" as const, "from" as const), at }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("move" as const), at, to: at }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom("run-all" as const, "run-stale" as const, "run-stale" as const, "undo" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("restart" as const, "restart-all" as const, "lazy" as const, "auto" as const) }) },
);

export interface Story {
  cells: Drawn[];
  mode: "lazy" | "auto";
  doings: Doing[];
  /** everything runs first */
  whole: boolean;
}
export const story: fc.Arbitrary<Story> = fc.record({
  cells: fc.array(drawn, { minLength: 3, maxLength: 7 }),
  mode: fc.constantFrom("lazy" as const, "auto" as const),
  doings: fc.array(doing, { minLength: 3, maxLength: 9 }),
  whole: fc.constantFrom(true, true, true, false),
});

export interface Made {
  id: string;
  makes: string | null;
  source: string;
}

/** A cell's source, which reads one of `others`; where none fits, a reader becomes a plain value. `like`: it makes what that cell made. */
export function write(id: string, { piece: which, other, number }: Drawn, others: readonly Made[], like?: Made): Made {
  const fitting = like === undefined ? pieces : pieces.filter(({ makes }) => makes === like.makes);
  let { makes, needs, source } = fitting[which % fitting.length]!;
  const fits = (kind: string | null) => others.filter((one) => one.id !== id && one.makes === kind);
  if (needs !== null && fits(needs).length === 0) {
    const plain = pieces.find((one) => one.needs === null && (like === undefined || one.makes === like.makes)) ?? pieces[0]!;
    ({ makes, needs, source } = plain);
  }
  const found = fits(needs)[other % Math.max(1, fits(needs).length)];
  const lists = needs === "push" ? fits("list") : [];
  if (lists.length > 0) source = `OTHER(v_${lists[number % lists.length]!.id})`;
  source = source.replaceAll("ME", `v_${id}`).replaceAll("OTHER", `v_${found?.id}`);
  return { id, makes, source: source.replace(/\bK\b/g, String(number)) };
}
