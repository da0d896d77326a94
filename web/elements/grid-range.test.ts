import { expect, it } from "vitest";
import { localRows } from "../controllers/rows.js";
import { holds, rangeOf, rangeText, rangeTsv } from "./grid-range.js";

it("a range is the same from either corner", () => {
  const range = rangeOf({ row: 7, column: 1 }, { row: 3, column: 2 });
  expect(range).toEqual({ rows: [3, 7], columns: [1, 2] });
  expect([holds(range, 3, 1), holds(range, 7, 2), holds(range, 8, 2), holds(range, 3, 0), holds(null, 3, 1)]).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
  expect(rangeText(range)).toBe("5 rows by 2 columns selected");
});

it("is copied in the order on show, whatever is loaded, as a spreadsheet reads it", async () => {
  const source = localRows(
    "t",
    ["n", "s", "x"],
    Array.from({ length: 25_000 }, (_, i) => [i, i === 24_999 ? 'a\t"b"' : i % 2 === 0 ? null : `s${i}`, 1 / 3]),
  );
  const text = await rangeTsv(source, { rows: [0, 24_998], columns: [0, 1] }, [{ column: "n", desc: true }], [{ column: "n", op: "range", min: 1 }]);
  const lines = text.split("\n");
  expect(lines.slice(0, 3)).toEqual(['24999\t"a\t""b"""', "24998\t", "24997\ts24997"]);
  expect([lines.length, lines.at(-1)]).toEqual([24_999, "1\ts1"]);
  expect(await rangeTsv(source, { rows: [0, 0], columns: [2, 2] }, [], [])).toBe("0.3333333333333333");
  await expect(rangeTsv(source, { rows: [0, 300_000], columns: [0, 1] }, [], [])).rejects.toThrow("600,002 cells are too many to copy");
});
