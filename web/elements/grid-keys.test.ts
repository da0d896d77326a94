import { expect, it } from "vitest";
import { columnWindow, meantColumn, windowWith } from "./grid-columns.js";
import { gridKey, type GridMoves } from "./grid-keys.js";

const columns = (n: number) => Array.from({ length: n }, (_, i) => ({ name: `c${i}`, type: "INTEGER" }));

it("each key does one thing, and others are left to the page", () => {
  const did: unknown[][] = [];
  const grid = new Proxy({ row: 5, column: 2, page: 9, lastColumn: 7 } as unknown as GridMoves, {
    get: (target, name) => (name in target ? target[name as keyof GridMoves] : (...args: unknown[]) => did.push([name, ...args])),
  });
  const press = (key: string, how: object = {}) => gridKey({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...how }, grid);
  for (const key of ["ArrowDown", "ArrowUp", "ArrowRight", "ArrowLeft", "PageDown", "PageUp", "Home", "End", "Enter", "s", "S", "j", "/", "Escape"])
    expect(press(key, { shiftKey: key === "S" })).toBe(true);
  for (const key of ["Home", "End", "c", "g"]) expect(press(key, { ctrlKey: true })).toBe(true);
  expect(press("ArrowDown", { altKey: true })).toBe(true);
  expect(did).toEqual([
    ["move", 6, 2, false],
    ["move", 4, 2, false],
    ["move", 5, 3, false],
    ["move", 5, 1, false],
    ["move", 14, 2, false],
    ["move", -4, 2, false],
    ["move", 5, 0, false],
    ["move", 5, 7, false],
    ["open", 5, 2],
    ["sort", 2, false],
    ["sort", 2, true],
    ["focus", "column"],
    ["focus", "search"],
    ["leave"],
    ["move", 0, 2, false],
    ["end", 2, false],
    ["copy", 5, 2],
    ["focus", "row"],
    ["menu", 2],
  ]);
  did.length = 0;
  for (const key of ["ArrowDown", "ArrowLeft", "PageUp", "Home", "End", " "]) expect(press(key, { shiftKey: true })).toBe(true);
  for (const key of ["End", "a", " "]) expect(press(key, { ctrlKey: true, shiftKey: key === "End" })).toBe(true);
  expect(did).toEqual([
    ["move", 6, 2, true],
    ["move", 5, 1, true],
    ["move", -4, 2, true],
    ["move", 5, 0, true],
    ["move", 5, 7, true],
    ["select", "row"],
    ["end", 2, true],
    ["select", "all"],
    ["select", "column"],
  ]);
  for (const [key, how] of [[" "], ["a"], ["Enter", { ctrlKey: true }], ["c"], ["g"], ["s", { metaKey: true }], ["x"], ["Tab"]] as [
    string,
    object?,
  ][])
    expect(press(key, how)).toBe(false);
});

it("a wide table has a window of columns that follows the place", () => {
  expect(columnWindow(columns(64), 10)).toMatchObject({ from: 0, columns: { length: 64 } });
  expect(columnWindow(columns(10_000), 9990)).toMatchObject({ from: 9970, columns: { length: 30 } });
  expect([windowWith(64, 0, 60), windowWith(100, 0, 29), windowWith(100, 0, 30), windowWith(100, 50, 49), windowWith(100, 0, 99)]).toEqual([
    0, 0, 1, 49, 70,
  ]);
});

it("finds the column that was meant", () => {
  const named = ["Total", "total cost", "cost", "é%"].map((name) => ({ name, type: "DOUBLE" }));
  expect(["total", "tot", "cost", "l c", "É%", "x", " "].map((text) => meantColumn(named, text))).toEqual([0, 0, 2, 1, 3, -1, -1]);
});
