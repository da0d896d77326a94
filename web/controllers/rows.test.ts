import { expect, it } from "vitest";
import { cellText, csv, filterText, isNumeric, localRows, relationRows } from "./rows.js";

it("sorts and filters a small table, NULL last in both directions", async () => {
  const rows = localRows(
    "t",
    ["a", "b"],
    [
      ["x", 2],
      ["y", null],
      ["z", 10],
    ],
  );
  expect(rows.columns.map((column) => column.type)).toEqual(["VARCHAR", "DOUBLE"]);
  const by = async (desc: boolean) => (await rows.page(0, 10, [{ column: "b", desc }], [])).rows.map((row) => row[1]);
  expect(await by(false)).toEqual([2, 10, null]);
  expect(await by(true)).toEqual([10, 2, null]);
  expect(await rows.count([{ column: "b", op: "range", min: 3 }])).toBe(1);
  expect((await rows.page(1, 1, [], [{ column: "b", op: "not-null" }])).rows).toEqual([["z", 10]]);
  expect(await rows.count([{ column: "a", op: "contains", text: "Y" }])).toBe(1);
});

it("asks the kernel for pages with sort and filters", async () => {
  const asked: unknown[] = [];
  const rows = relationRows(
    { relation: "nb.flights", columns: [], total: null, first: [] },
    async (query) => {
      asked.push(query);
      return query.query === "table.count" ? 7 : { rows: [[1]] };
    },
    "workspaces/a/b.nb.ts",
  );
  expect(rows.csv([], [{ column: "a", op: "null" }])).toBe(
    "/api/ts/tables/export?path=workspaces%2Fa%2Fb.nb.ts&relation=nb.flights&format=csv&where=%5B%7B%22column%22%3A%22a%22%2C%22op%22%3A%22null%22%7D%5D",
  );
  expect(await rows.count([])).toBe(7);
  expect((await rows.page(200, 200, [{ column: "a", desc: true }], [])).rows).toEqual([[1]]);
  expect(asked[1]).toEqual({ query: "table.page", relation: "nb.flights", offset: 200, limit: 200, sort: [{ column: "a", desc: true }] });
});

it("writes cells, files and filters", () => {
  expect(
    csv(
      ["a", 'b"c'],
      [
        [1, "x,y"],
        [null, "line\nbreak"],
        [[1, 2], 'q"q'],
      ],
    ),
  ).toBe('a,"b""c"\r\n1,"x,y"\r\n,"line\nbreak"\r\n"[1,2]","q""q"\r\n');
  expect([
    cellText(null, "INTEGER"),
    cellText(0.1 + 0.2, "DOUBLE"),
    cellText("2001-01-01T10:00:00.000Z", "TIMESTAMP"),
    cellText({ a: 1 }, "STRUCT"),
  ]).toEqual(["NULL", "0.3", "2001-01-01 10:00:00", '{"a":1}']);
  expect(filterText({ column: "delay", op: "range", min: 15 })).toBe("delay >= 15");
  expect(["BIGINT", "INTEGER", "UTINYINT", "DECIMAL(4,1)", "VARCHAR", "INTERVAL"].map(isNumeric)).toEqual([true, true, true, true, false, false]);
});
