import fc from "fast-check";
import { expect, it } from "vitest";
import { ansi, collapse, fold } from "./ansi.js";

it("colours what the sequence says and no more", () => {
  expect(ansi("a\x1b[31mred\x1b[0m b \x1b[1;32mok\x1b[22mx\x1b[39m.")).toEqual([
    { text: "a", style: "" },
    { text: "red", style: "red" },
    { text: " b ", style: "" },
    { text: "ok", style: "green bold" },
    { text: "x", style: "green" },
    { text: ".", style: "" },
  ]);
  expect(ansi("\x1b[38;5;196mhot\x1b[2K\x1b]0;title\x07!")).toEqual([{ text: "hot!", style: "" }]);
});

it("keeps every character that is no escape", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(
        ansi(text.replaceAll("\x1b", ""))
          .map((span) => span.text)
          .join(""),
      ).toBe(text.replaceAll("\x1b", ""));
    }),
  );
});

it("collapses progress lines", () => {
  expect(collapse("10 %\r20 %\r100 %\ndone")).toBe("100 %\ndone");
  expect(collapse("abc\rx")).toBe("xbc");
  expect(collapse("a\r\nb")).toBe("a\nb");
  expect(collapse("ab\bc")).toBe("ac");
});

it("counts repeated lines", () => {
  expect(fold(["a", "a", "a", "b", "b", ""])).toEqual(["a  × 3", "b", "b", ""]);
});
