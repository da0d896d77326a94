/** Which rows train, which stop the training, which judge. Three views and a name for the rule; no row is copied. */
import { kept, type Recipe } from "../protocol/kept.js";
import { settle, type Hash, type Relation, type Row, type Split, type SplitOptions, type VersionRef } from "../protocol/values.js";
import type { TrainedOn } from "./engine.js";
import { literal } from "./literal.js";
import { quote, text } from "./names.js";
import { find } from "./near.js";
import { Once } from "./once.js";
import { expected } from "./expected.js";
import { sha } from "./recipe.js";
import { stableHash } from "./sample.js";
import { TableRelation } from "./relation.js";

/** The rule as data: the same rule on the same data has the same id. */
export interface Rule {
  by: "time" | "hash" | "fold";
  key: string;
  /** time: [start of valid, start of test] */
  cut?: unknown[];
  ratio?: [number, number, number];
  stratify?: string;
  folds?: number;
  fold?: number;
  seed?: number;
  /** hashes of relations added to train */
  with?: Hash[];
}

type Part = "train" | "valid" | "test";
/** 2^64: the range of the key's hash. */
const range = 18446744073709551616n;

export class TableSplit<R extends object = Row> implements Split<R> {
  readonly #base: TableRelation<R>;
  readonly #options: SplitOptions<R>;
  readonly #added: TableRelation<object>[];
  readonly #rule: Rule;
  #id: Hash | null = null;
  readonly #ready = new Once<void>();
  /** SQL conditions of the parts, known once settled */
  #parts: Record<Part, string> | null = null;
  readonly train: TableRelation<R>;
  readonly valid: TableRelation<R>;
  readonly test: TableRelation<R>;

  constructor(base: TableRelation<R>, options: SplitOptions<R>, added: TableRelation<object>[] = []) {
    this.#base = base;
    this.#options = options;
    this.#added = added;
    this.#rule = check(options);
    this.train = this.#part("train");
    this.valid = this.#part("valid");
    this.test = this.#part("test");
  }

  static {
    Object.defineProperty(this, "name", { value: "Split" });
  }

  toString(): string {
    return `Split by ${this.#rule.by} of ${this.#rule.key}`;
  }

  toJSON(): string {
    return this.toString();
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  get id(): Hash {
    if (this.#id === null) throw new Error("the split is not made yet: export it from its cell, or `await` a read of one of its parts first");
    return this.#id;
  }

  get spec(): { by: "time" | "hash" | "fold"; key: keyof R & string; cut: unknown } {
    const { by, key, ...cut } = this.#rule;
    return { by, key: key as keyof R & string, cut: by === "time" && !cut.with ? cut.cut : cut };
  }

  /** The base and the rule: from equal rows the same rule makes the same split. */
  get [kept](): Recipe {
    return { kind: "split", parts: { base: this.#base, options: this.#options, added: this.#added }, functions: new Set() };
  }

  [settle](): Promise<void> {
    return this.#ready.get(() => this.#settle());
  }

  with(rows: Relation<R>): TableSplit<R> {
    if (!(rows instanceof TableRelation)) throw expected("rows", "a relation", rows);
    return new TableSplit<R>(this.#base, this.#options, [...this.#added, rows as unknown as TableRelation<object>]);
  }

  async covers(ref: VersionRef): Promise<"disjoint" | "overlap" | "unknown"> {
    await this[settle]();
    const trained = await this.#base.engine.options.trainedOn?.(ref);
    return trained ? compare(this, trained) : "unknown";
  }

  /** Rows of each part and the range of the key there, as text; what a cell shows of a split. */
  async summary(): Promise<{ part: Part; rows: number; first: string | null; last: string | null }[]> {
    await this[settle]();
    const key = quote(this.#rule.key);
    const of = (part: Part): string =>
      `select '${part}' as part, count(*)::double as rows, min(${key})::varchar as first, max(${key})::varchar as last from ${this[part].name}`;
    const parts: Part[] = ["train", "valid", "test"];
    await Promise.all(parts.map((part) => this[part][settle]()));
    const { rows } = await this.#base.engine.query(parts.map(of).join(" union all "));
    return rows as { part: Part; rows: number; first: string | null; last: string | null }[];
  }

  #part(part: Part): TableRelation<R> {
    const base = this.#base;
    return new TableRelation<R>(base.engine, {
      upstream: [base as unknown as TableRelation<object>, ...this.#added],
      build: async () => {
        await this[settle]();
        const rows = `from ${base.name} where ${this.#parts![part]}`;
        const all = part === "train" ? this.#added.reduce((sql, more) => `${sql} union all by name ${this.#addition(more)}`, rows) : rows;
        return { sql: `from (${all}) order by ${await this.#order()}`, table: false };
      },
      hash: async () => {
        await this[settle]();
        return sha("part", part, this.id);
      },
      steady: true,
    });
  }

  /** Rows of the same key as a row that judges never come into training. Times are no identities, so there nothing is left out. */
  #addition(rows: TableRelation<object>): string {
    const { by, key, stratify } = this.#rule;
    if (by === "time") return `from ${rows.name}`;
    return stratify
      ? `from ${rows.name} where ${this.#parts!.train} or ${quote(stratify)} is null`
      : `from ${rows.name} where ${this.#parts!.train} and ${quote(key)} is not null`;
  }

  /** By the key, then by every column that can be compared cheaply: rows that are still equal are alike. */
  async #order(): Promise<string> {
    const info = await this.#base.info();
    const names = info
      .filter(
        ({ name, type }) => name !== this.#rule.key && !/[\])]$|BLOB|JSON|^(STRUCT|MAP|UNION|VARIANT|BIT)/.test(type.replace(/\(\d+,\d+\)$/, "")),
      )
      .map(({ name }) => name);
    return [this.#rule.key, ...names].map((name) => quote(name)).join(", ");
  }

  async #settle(): Promise<void> {
    const base = this.#base;
    await base.fixed();
    for (const more of this.#added) await more.fixed();
    const info = await base.info();
    const { key, by, stratify } = this.#rule;
    const column = quote(find(info, key).name);
    if (stratify !== undefined) find(info, stratify);
    for (const more of this.#added) find(await more.info(), key);
    const { rows } = await base.engine.query(
      `select count(*)::double as n, count(${column})::double as present, min(${column}) as low, max(${column}) as high from ${base.name}`,
    );
    const { n, present, low, high } = rows[0] as { n: number; present: number; low: unknown; high: unknown };
    if (n === 0) throw new Error("the relation has no rows to split");
    if (present < n)
      throw new Error(`the key \`${key}\` is NULL in ${n - present} of ${n} rows: a row without a key has no place in a split; filter them out`);
    if (by === "time") {
      this.#rule.cut ??= await this.#defaultCut(column);
      const type = find(info, key).type;
      const [valid, test] = await this.#cutValues(type);
      this.#parts = {
        train: `${column} < ${valid}`,
        valid: `${column} >= ${valid} and ${column} < ${test}`,
        test: `${column} >= ${test}`,
      };
    } else if (by === "fold") {
      const { folds, fold, seed } = this.#rule as Required<Rule>;
      const number = `(${stableHash(column, seed)} // ${range / BigInt(folds)})`;
      const last = folds - 1;
      const of = (k: number): string => (k === last ? `${number} >= ${k}` : `${number} = ${k}`);
      const next = (fold + 1) % folds;
      this.#parts = { test: of(fold), valid: of(next), train: `not (${of(fold)}) and not (${of(next)})` };
    } else {
      const hash = stableHash(column, this.#rule.seed!);
      const [a, b] = stratify === undefined ? this.#thresholds() : await this.#strata(hash, column);
      this.#parts = { train: `${hash} < ${a}`, valid: `${hash} >= ${a} and ${hash} < ${b}`, test: `${hash} >= ${b}` };
    }
    const parts = this.#parts;
    const counts = await base.engine.query(
      `select count(*) filter (${parts.train})::double as train, count(*) filter (${parts.valid})::double as valid, count(*) filter (${parts.test})::double as test from ${base.name}`,
    );
    for (const part of ["train", "test"] as const) {
      if (counts.rows[0]![part] !== 0) continue;
      const tell = (value: unknown): string => (value instanceof Date ? value.toISOString().slice(0, 10) : String(value));
      const span = by === "time" ? `: \`${key}\` goes from ${tell(low)} to ${tell(high)}` : `: ${n} rows are too few for this rule`;
      throw new Error(`the split leaves no rows to ${part === "train" ? "train" : "test"}${span}`);
    }
    this.#rule.with = await Promise.all(this.#added.map((relation) => relation.hash()));
    if (this.#rule.with.length === 0) delete this.#rule.with;
    this.#id = sha(
      "split",
      await base.hash(),
      JSON.stringify(this.#rule, (_, value) => (typeof value === "bigint" ? `${value}n` : value)),
    );
  }

  async #defaultCut(column: string): Promise<unknown[]> {
    const [train, valid] = this.#rule.ratio ?? [0.7, 0.15, 0.15];
    const { rows } = await this.#base.engine.query(
      `select quantile_disc(${column}, ${train}) as a, quantile_disc(${column}, ${train + valid}) as b from ${this.#base.name}`,
    );
    return [rows[0]!["a"], rows[0]!["b"]];
  }

  /** The cut as values of the key's type. */
  async #cutValues(type: string): Promise<[string, string]> {
    const [a, b] = this.#rule.cut!.map((value) => `cast(${literal(value)} as ${type})`) as [string, string];
    let inOrder: unknown;
    try {
      inOrder = (await this.#base.engine.query(`select ${a} < ${b} as o`)).rows[0]!["o"];
    } catch {
      throw new Error(`Expected \`cut\` to hold two values of the type of \`${this.#rule.key}\` (${type}), got ${JSON.stringify(this.#rule.cut)}`);
    }
    if (inOrder !== true)
      throw new Error(`Expected \`cut\` to be [start of valid, start of test] in this order, got ${JSON.stringify(this.#rule.cut)}`);
    return [a, b];
  }

  #thresholds(): [string, string] {
    const [train, valid] = this.#rule.ratio!;
    const at = (share: number): string => `'${(range * BigInt(Math.round(share * 1e9))) / 1_000_000_000n}'::UHUGEINT`;
    return [at(train), at(train + valid)];
  }

  /** Per stratum the hashes that give each part its exact share. A key belongs to one stratum. */
  async #strata(hash: string, column: string): Promise<[string, string]> {
    const { engine } = this.#base;
    const stratum = quote(this.#rule.stratify!);
    const torn = await engine.query(
      `select ${column}::varchar as k from ${this.#base.name} group by ${column} having count(distinct coalesce(${stratum}::varchar, '')) > 1 limit 1`,
    );
    if (torn.length > 0)
      throw new Error(
        `the key ${JSON.stringify(torn.rows[0]!["k"])} has rows in more than one stratum of \`${this.#rule.stratify}\`: a key's rows stay together, so stratify by a column that is the same in all of them`,
      );
    const [train, valid] = this.#rule.ratio!;
    const { rows } = await engine.query(
      `select s, quantile_disc(h, ${train})::varchar as a, quantile_disc(h, ${train + valid})::varchar as b
       from (select distinct coalesce(${stratum}::varchar, '') as s, ${hash} as h from ${this.#base.name}) group by s order by s`,
    );
    if (rows.length > 1000) throw new Error(`\`${this.#rule.stratify}\` has ${rows.length} different values: stratify by a column of at most 1,000`);
    const choose = (which: "a" | "b"): string =>
      `case coalesce(${stratum}::varchar, '') ${rows.map((row) => `when ${text(row["s"] as string)} then '${row[which] as string}'::UBIGINT`).join(" ")} end`;
    return [choose("a"), choose("b")];
  }
}

function check<R extends object>(options: SplitOptions<R>): Rule {
  if (typeof options !== "object" || options === null)
    throw expected("options", 'an object such as { by: "time", key: "date", cut: [...] }', options);
  const { by, key, cut, ratio, stratify, folds = 5, fold = 0, seed = 0 } = options;
  const known = new Set(["by", "key", "cut", "ratio", "stratify", "folds", "fold", "seed"]);
  for (const name of Object.keys(options))
    if (!known.has(name)) throw new Error(`split has no option \`${name}\` (there are: ${[...known].join(", ")})`);
  if (typeof key !== "string" || key === "") throw expected("key", "the name of a column", key);
  if (!Number.isSafeInteger(seed)) throw expected("seed", "a whole number", seed);
  if (ratio !== undefined) {
    const valid = Array.isArray(ratio) && ratio.length === 3 && ratio.every((share) => typeof share === "number" && share >= 0 && share <= 1);
    if (!valid || Math.abs(ratio[0] + ratio[1] + ratio[2] - 1) > 1e-9)
      throw expected("ratio", "three shares that sum to 1, such as [0.7, 0.15, 0.15]", JSON.stringify(ratio));
  }
  switch (by) {
    case "time":
      if (cut !== undefined && !(Array.isArray(cut) && cut.length === 2))
        throw expected("cut", "[start of valid, start of test]", JSON.stringify(cut));
      return {
        by,
        key,
        ...(cut ? { cut: cut.map((value) => (value instanceof Date ? value.toISOString() : value)) } : {}),
        ...(cut ? {} : { ratio: ratio ?? [0.7, 0.15, 0.15] }),
      };
    case "hash":
      return { by, key, ratio: ratio ?? [0.7, 0.15, 0.15], seed, ...(stratify === undefined ? {} : { stratify }) };
    case "fold":
      if (!(Number.isSafeInteger(folds) && folds >= 3))
        throw expected("folds", "a whole number from 3 (one judges, one stops the training, the rest train)", folds);
      if (!(Number.isSafeInteger(fold) && fold >= 0 && fold < folds)) throw expected("fold", `a whole number from 0 to ${folds - 1}`, fold);
      return { by, key, folds, fold, seed };
    default:
      throw expected("by", '"time", "hash" or "fold"', by);
  }
}

/** Has a version trained (or stopped by) rows that judge here? Says "overlap" when it cannot be excluded under the same rule. */
function compare<R extends object>(split: TableSplit<R>, trained: TrainedOn): "disjoint" | "overlap" | "unknown" {
  if (trained.id === split.id) return "disjoint";
  const { by, key, cut } = split.spec;
  if (trained.by !== by || trained.key !== key) return "unknown";
  if (by === "time") {
    const mine = Array.isArray(cut) ? cut : (cut as { cut?: unknown[] }).cut;
    const theirs = trained.cut;
    if (!Array.isArray(mine) || !Array.isArray(theirs)) return "unknown";
    const [a, b] = [order(mine[1]), order(theirs[1])];
    return a === null || b === null || typeof a !== typeof b ? "unknown" : a >= b ? "disjoint" : "overlap";
  }
  const mine = cut as Omit<Rule, "by" | "key">;
  const theirs = trained.cut as Omit<Rule, "by" | "key"> | null;
  if (!theirs || typeof theirs !== "object" || mine.stratify || theirs.stratify) return "unknown";
  if (by === "fold") return mine.folds === theirs.folds && mine.seed === theirs.seed && mine.fold === theirs.fold ? "disjoint" : "overlap";
  if (!mine.ratio || !theirs.ratio) return "unknown";
  return mine.seed === theirs.seed && mine.ratio[0] + mine.ratio[1] >= theirs.ratio[0] + theirs.ratio[1] - 1e-12 ? "disjoint" : "overlap";
}

/** A cut's value as something that compares as the key does. */
function order(value: unknown): number | null {
  if (typeof value === "number") return value;
  if (value instanceof Date) return value.getTime();
  if (typeof value !== "string") return null;
  const time = Date.parse(/^\d{4}-\d\d-\d\d$/.test(value) ? value : `${value.replace(" ", "T").replace(/Z$/, "")}Z`);
  return Number.isNaN(time) ? null : time;
}
