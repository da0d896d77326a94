import { expect, it } from "vitest";
import { readTable } from "./guard.js";

it("reads a table's keys and filters from an address, and refuses whatever is none in a sentence", () => {
  const sort = [{ column: "a", desc: true }];
  const where = [
    { column: "a", op: "range", min: 1 },
    { op: "search", text: "x" },
    { column: "b", op: "in", values: [1, null, "x"] },
  ];
  expect(readTable({ relation: 'nb."t"' })).toEqual({ relation: 'nb."t"' });
  expect(readTable({ relation: "t", sort: JSON.stringify(sort), where: JSON.stringify(where) })).toEqual({ relation: "t", sort, where });
  for (const [given, why] of [
    [{}, "Expected `relation`"],
    [{ relation: "" }, "Expected `relation`"],
    [{ relation: "x".repeat(1001) }, "Expected `relation`"],
    [{ relation: "t", sort: "a" }, "Expected `sort` to be a JSON list."],
    [{ relation: "t", sort: '{"column":"a","desc":true}' }, "Expected sort to fit"],
    [{ relation: "t", sort: '[{"column":"a"}]' }, "Expected sort at `0.desc`"],
    [{ relation: "t", sort: '[{"column":1,"desc":true}]' }, "Expected sort at `0.column`"],
    [{ relation: "t", sort: '[{"column":"a","desc":true,"nulls":"first"}]' }, 'Expected sort at `0` to fit the protocol: Unrecognized key: "nulls"'],
    [{ relation: "t", where: '[{"op":"drop","column":"a"}]' }, "Expected where at `0.op`"],
    [{ relation: "t", where: '[{"op":"in","column":"a","values":[{}]}]' }, "Expected where at `0.values.0`"],
    [{ relation: "t", where: '[{"op":"range","column":"a","min":[]}]' }, "Expected where at `0.min`"],
    [{ relation: "t", where: "null" }, "Expected where to fit"],
  ] as [Parameters<typeof readTable>[0], string][])
    expect(() => readTable(given), JSON.stringify(given)).toThrow(why);
});
