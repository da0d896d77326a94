import { expect, it } from "vitest";
import { stateOfFile } from "./file-state.js";

it.each<[string, string | null]>([
  ["let n = 0\nexport const up = () => ++n", "n"],
  ["export let n = 0\nexport function set(to: number) { n = to }", "n"],
  ["const all = new Map<string, number>()\nexport const note = (key: string) => { all.set(key, all.size) }", "all"],
  ["const list: number[] = []\nexport default (x: number) => list.push(x)", "list"],
  ["export const next = (() => { let i = 0; return () => i++ })()", "i"],
  ["const memo = {}\nexport const get = (k) => (memo[k] ??= k * 2)", "memo"],
  ["class Tally { n = 0; up() { return ++this.n } }\nexport const tally = new Tally()", "n"],
  ["class Ids { static last = 0; static next() { return ++Ids.last } }\nexport { Ids }", "Ids"],
  ["export class Ids { static last = 0; static next() { return ++this.last } }", "last"],
  ["export const store = { n: 0, up() { return ++this.n } }", "n"],
  ["class A { #n = 0; up() { return ++this.#n } }\nexport const a = new A()", "#n"],
  ["globalThis.shared = 1", "globalThis"],
  ["export const on = () => { process.env.X = '1' }", "process"],
  ["export const make = () => sql`create table t as select 1`", "tables"],
  ["export const rate = 2\nexport const twice = (x: number) => x * rate", null],
  ["export class Box { n = 0; up() { return ++this.n } }", null],
  ["class Point { constructor(x) { this.x = x } }\nexport const zero = new Point(0)", null],
  ["const names = new Map([[1, 'one']])\nexport const nameOf = (n: number) => names.get(n)", null],
  ["const names = new Map()\nfor (const n of [1, 2]) names.set(n, `${n}`)\nexport const nameOf = (n) => names.get(n)", null],
  ["export const sum = (list: number[]) => { let all = 0; for (const x of list) all += x; return all }", null],
  ["export function sorted(list: number[]) { const own = [...list]; own.sort(); return own }", null],
  ["export const total = (list) => { let all = 0; list.forEach((x) => { all += x }); return all }", null],
  ["let n = 0\nn += 1\nexport { n }", null],
  ["console.clear()\nexport const x = 1", null],
  ["export const broken = (", null],
])("%s", (source, state) => {
  expect(stateOfFile(source)).toBe(state);
});
