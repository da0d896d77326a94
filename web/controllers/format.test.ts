import { expect, it } from "vitest";
import { ago, bytes, clock, duration, figure, memory, ordinal, percent } from "./format.js";

it("writes memory in powers of two", () => {
  expect([0, 412 * 2 ** 20, 1.8 * 2 ** 30, 4 * 2 ** 30].map(memory)).toEqual(["0 MB", "412 MB", "1.8 GB", "4.0 GB"]);
});

it("writes sizes, times and figures as people read them", () => {
  expect([0, 999, 1000, 412_345_678, 1_800_000_000, 999_999].map(bytes)).toEqual(["0 B", "999 B", "1.0 kB", "412 MB", "1.8 GB", "1.0 MB"]);
  expect([0.2, 4.9, 10, 210, 1500, 41_000, 72_000, 3_723_000].map(duration)).toEqual([
    "<1 ms",
    "4 ms",
    "0.01 s",
    "0.21 s",
    "1.5 s",
    "0:41",
    "1:12",
    "1:02:03",
  ]);
  expect(clock(41_900)).toBe("0:41");
  expect([14.9, 0.123456, 2_914_003, 0.00001234, 0, NaN, 1234.56].map(figure)).toEqual([
    "14.9",
    "0.1235",
    "2,914,003",
    "1.23e-5",
    "0",
    "NaN",
    "1234.6",
  ]);
  expect([percent(11.2, 14.9), percent(15, 15), percent(1, 0), percent(102, 100)]).toEqual(["−25 %", "0.0 %", "", "+2.0 %"]);
  expect([1, 2, 3, 4, 11, 12, 13, 21, 22, 112].map(ordinal).join(" ")).toBe("1st 2nd 3rd 4th 11th 12th 13th 21st 22nd 112th");
  expect([ago(0, 10_000), ago(0, 240_000), ago(0, 7_200_000), ago(0, 9e8)]).toEqual(["just now", "4 min ago", "2 h ago", "10 d ago"]);
});
