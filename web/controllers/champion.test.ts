import { expect, it } from "vitest";
import type { HistoryLine } from "../../kernels/protocol/serving.js";
import { previousChampion } from "./champion.js";

const promote = (version: number, alias: "champion" | "challenger" = "champion") =>
  ({ type: "promote", version, alias, incumbent: 0.9 }) as HistoryLine;
const back = (from: number, to: number) => ({ type: "rollback", from, to }) as HistoryLine;

it("knows where a roll back goes", () => {
  const of = (...lines: HistoryLine[]) => previousChampion(lines.reverse());
  expect(of()).toBe(null);
  expect(of(promote(1))).toBe(null);
  expect(of(promote(1), promote(2))).toBe(1);
  expect(of(promote(1), promote(2), promote(3, "challenger"))).toBe(1);
  expect(of(promote(1), promote(2), back(2, 1))).toBe(2);
  expect(of(promote(1), promote(2), { type: "retire" } as HistoryLine)).toBe(null);
});
