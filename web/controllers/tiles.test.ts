import { expect, it } from "vitest";
import type { Filter, SortKey } from "../../kernels/protocol/document.js";
import type { WireValue } from "../../kernels/protocol/output.js";
import { Profiles } from "./profiles.js";
import type { Page, RowSource } from "./rows.js";
import type { QueryOptions } from "./session.js";
import { Tiles } from "./tiles.js";

interface Asked {
  what: "page" | "count" | "profile";
  offset: number;
  sort: SortKey[];
  where: Filter[];
  columns: string[] | undefined;
  how: QueryOptions;
  answer(value: Page | number | object): void;
  fail(message: string, code?: string): void;
}

/** A table whose answers come when the test says so. */
function table(width: number, more: Partial<RowSource> = {}) {
  const asked: Asked[] = [];
  const ask = <T>(what: Asked["what"], offset: number, sort: SortKey[], where: Filter[], columns?: string[], how: QueryOptions = {}) =>
    new Promise<T>((resolve, reject) => {
      asked.push({
        what,
        offset,
        sort,
        where,
        columns,
        how,
        answer: resolve as Asked["answer"],
        fail: (message, code) => reject(Object.assign(new Error(message), { code })),
      });
    });
  const source: RowSource = {
    columns: Array.from({ length: width }, (_, i) => ({ name: `c${i}`, type: "INTEGER" })),
    total: 1000,
    first: [],
    name: "t",
    page: (offset, _limit, sort, where, columns, how) => ask("page", offset, sort, where, columns, how),
    count: (where, how) => ask("count", 0, [], where, undefined, how),
    profile: (columns, where, how) => ask("profile", 0, [], where, columns, how),
    csv: () => null,
    ...more,
  };
  let switches = 0;
  let changes = 0;
  const tiles = new Tiles(source, { changed: () => changes++, switched: () => switches++ });
  return { source, tiles, asked, switches: () => switches, changes: () => changes };
}
const rows = (value: WireValue, count = 200, width = 2): WireValue[][] => Array.from({ length: count }, () => Array<WireValue>(width).fill(value));
const page = (value: WireValue, count = 200, width = 2): Page => ({ rows: rows(value, count, width), total: null });
const turn = () => new Promise((resolve) => setTimeout(resolve));
const by = (column: string): SortKey[] => [{ column, desc: false }];

it("keeps the old rows until the new are here, and shows no answer of a view that is wanted no more", async () => {
  const { tiles, asked, switches } = table(2);
  tiles.need(0, 10, 0, 2);
  asked[0]!.answer(page("plain"));
  await turn();
  tiles.set(by("c0"), []);
  tiles.set(by("c1"), []);
  expect([tiles.value(0, 0), tiles.pending, tiles.sort]).toEqual(["plain", true, by("c1")]);
  expect(asked[1]!.how.signal!.aborted).toBe(true);
  // the older answer comes last, as if the kernel had not heard of the stop
  asked[2]!.answer(page("by c1"));
  await turn();
  asked[1]!.answer(page("by c0"));
  await turn();
  expect([tiles.value(0, 0), tiles.pending, switches()]).toEqual(["by c1", false, 1]);
});

it("asks ahead for the first rows of a view that may be wanted, shows them at once when it is, and stops when it is not", async () => {
  const limits: number[] = [];
  const { tiles, asked, switches } = table(2, { total: 10_000_000 });
  const { page: ask } = tiles.source;
  tiles.source.page = (offset, limit, ...rest) => (limits.push(limit), ask(offset, limit, ...rest));
  tiles.need(0, 10, 0, 2);
  asked[0]!.answer(page("plain"));
  await turn();
  tiles.expect(by("c0"), []);
  tiles.unexpect();
  expect([asked[1]!.how.signal!.aborted, tiles.value(0, 0)]).toEqual([true, "plain"]);
  tiles.expect(by("c0"), []);
  tiles.expect(by("c0"), []);
  asked[2]!.how.working!(50);
  asked[2]!.answer(page("by c0", 25));
  await turn();
  expect([tiles.working, tiles.value(0, 0), tiles.sort, switches()]).toEqual([null, "plain", [], 0]);
  tiles.unexpect();
  tiles.set(by("c0"), []);
  expect([tiles.value(0, 0), tiles.sort, tiles.pending, switches(), asked.length]).toEqual(["by c0", by("c0"), false, 1, 3]);
  // the rest of the tile, once it is looked at
  tiles.need(0, 10, 0, 2);
  tiles.need(20, 30, 0, 2);
  expect([asked.length, limits]).toEqual([4, [200, 25, 25, 200]]);
  asked[3]!.answer(page("by c0"));
  await turn();
  // wanted while it is on its way: asked once
  tiles.expect(by("c1"), []);
  tiles.set(by("c1"), []);
  expect([tiles.pending, asked.length]).toEqual([true, 5]);
  asked[4]!.answer(page("by c1", 25));
  await turn();
  expect([tiles.value(0, 0), tiles.pending, switches()]).toEqual(["by c1", false, 2]);
  // what fails ahead is told when it is asked for in earnest
  tiles.expect(by("c0"), []);
  asked[5]!.fail("no");
  await turn();
  expect([tiles.failure, tiles.value(0, 0)]).toEqual([null, "by c1"]);
  tiles.set(by("c0"), []);
  expect(asked.length).toBe(7);
});

it("says how far a long sort is; stopped, the rows before it are back with their order", async () => {
  const { tiles, asked } = table(2);
  tiles.need(0, 10, 0, 2);
  asked[0]!.answer(page("plain"));
  await turn();
  tiles.set(by("c0"), []);
  asked[1]!.how.working!(40);
  expect(tiles.working).toEqual({ doing: "sorting", percent: 40 });
  tiles.cancel();
  expect([asked[1]!.how.signal!.aborted, tiles.working, tiles.sort, tiles.pending, tiles.value(0, 1)]).toEqual([true, null, [], false, "plain"]);
  asked[1]!.fail("The query was stopped.");
  await turn();
  expect(tiles.failure).toBeNull();
  tiles.set([], [{ op: "search", text: "x" }]);
  asked[2]!.how.working!(1);
  expect(tiles.working!.doing).toBe("searching");
});

it("a filter that fails is told and not applied", async () => {
  const { tiles, asked } = table(2);
  tiles.need(0, 10, 0, 2);
  asked[0]!.answer(page("plain"));
  await turn();
  tiles.set([], [{ column: "c0", op: "regex", text: "(" }]);
  asked[1]!.fail("missing )");
  await turn();
  expect([tiles.failure, tiles.where, tiles.value(0, 0), tiles.total]).toEqual(["missing )", [], "plain", 1000]);
  tiles.set(by("c0"), []);
  expect(tiles.failure).toBeNull();
});

it("counts a filtered table after its first rows, and not when they are all", async () => {
  const { tiles, asked } = table(2);
  const where: Filter[] = [{ column: "c0", op: "null" }];
  tiles.set([], where);
  asked[0]!.answer(page("many"));
  await turn();
  expect([asked[1]!.what, tiles.total]).toEqual(["count", null]);
  asked[1]!.answer(777);
  await turn();
  expect(tiles.total).toBe(777);
  tiles.set([], [{ column: "c1", op: "null" }]);
  asked[2]!.answer(page("few", 7));
  await turn();
  expect([tiles.total, asked.length]).toEqual([7, 3]);
});

it("asks for the columns in the window of a wide table alone, once", async () => {
  const { tiles, asked } = table(10_000, { first: rows("first", 100, 32) });
  tiles.need(0, 10, 0, 30);
  expect([asked.length, tiles.value(0, 31), tiles.value(0, 32)]).toEqual([0, "first", undefined]);
  tiles.need(0, 10, 8980, 9010);
  tiles.need(0, 10, 8980, 9010);
  expect(asked.map(({ offset, columns }) => [offset, columns![0], columns!.length])).toEqual([
    [0, "c8960", 32],
    [0, "c8992", 32],
  ]);
  asked[1]!.answer(page("right", 200, 32));
  await turn();
  expect([tiles.value(3, 9000), tiles.value(3, 8980)]).toEqual(["right", undefined]);
  // the rows that came with the table are half a tile
  tiles.need(150, 160, 0, 30);
  expect(asked[2]!.columns![0]).toBe("c0");
});

it("stopped while rows are loaded, asks for nothing until it goes on", async () => {
  const { tiles, asked } = table(2);
  tiles.need(0, 10, 0, 2);
  tiles.cancel();
  tiles.need(400, 410, 0, 2);
  expect([tiles.stopped, asked.length]).toEqual([true, 1]);
  tiles.resume();
  tiles.need(400, 410, 0, 2);
  asked[0]!.answer(page("late"));
  asked[1]!.answer(page("here"));
  await turn();
  expect([tiles.value(0, 0), tiles.value(400, 0)]).toEqual([undefined, "here"]);
});

it("looks at columns once, afresh under other filters, and keeps what is known when stopped", async () => {
  const { source, asked } = table(3);
  let changes = 0;
  const profiles = new Profiles(source, () => changes++);
  const of = (names: string[]) => ({ rows: 9, looked: 9, columns: names.map((name) => ({ name })) });
  void profiles.want(["c0", "c1"]);
  void profiles.want(["c1", "c2"]);
  expect(asked.map(({ columns }) => columns)).toEqual([["c0", "c1"], ["c2"]]);
  asked[0]!.answer(of(["c0", "c1"]));
  await turn();
  asked[1]!.how.working!(50);
  expect([profiles.of("c0"), profiles.working]).toEqual([{ name: "c0" }, 50]);
  profiles.cancel();
  void profiles.want(["c2"]);
  expect([profiles.working, profiles.stopped, asked.length, profiles.of("c1")]).toEqual([null, true, 2, { name: "c1" }]);
  profiles.filter([{ column: "c0", op: "null" }]);
  expect(profiles.of("c0")).toBeNull();
  void profiles.want(["c0"]);
  asked[1]!.answer(of(["c2"]));
  await turn();
  expect([profiles.of("c2"), asked.length]).toEqual([null, 3]);
});

it("keeps its rows when the kernel has ended, says so once and asks nothing more", async () => {
  const { tiles, asked } = table(2, { total: null });
  tiles.need(0, 10, 0, 2);
  asked.find(({ what }) => what === "page")!.answer(page("kept"));
  await turn();
  asked.find(({ what }) => what === "count")!.fail("The kernel is not running", "gone");
  await turn();
  expect([tiles.gone, tiles.failure, tiles.total, tiles.working]).toEqual([true, null, null, null]);
  expect(tiles.value(199, 1)).toBe("kept");
  const before = asked.length;
  tiles.need(400, 420, 0, 2);
  tiles.set(by("c0"), []);
  expect(await tiles.counted()).toBeNull();
  expect([asked.length, tiles.pending, tiles.value(0, 0)]).toEqual([before, false, "kept"]);
});

it("goes back to the rows before when the kernel ends while others are on their way", async () => {
  const { tiles, asked } = table(2);
  tiles.need(0, 10, 0, 2);
  asked[0]!.answer(page("plain"));
  await turn();
  tiles.set(by("c0"), []);
  asked[1]!.fail("the kernel stopped before it answered", "gone");
  await turn();
  expect([tiles.gone, tiles.failure, tiles.pending, tiles.value(0, 0)]).toEqual([true, null, false, "plain"]);
});

it("looks at no columns of a kernel that has ended", async () => {
  const { source, asked } = table(2);
  const profiles = new Profiles(source, () => undefined);
  void profiles.want(["c0"]);
  asked[0]!.fail("The kernel is not running", "gone");
  await turn();
  expect([profiles.stopped, profiles.failure, profiles.working]).toEqual([true, null, null]);
});
