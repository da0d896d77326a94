import fc from "fast-check";
import { expect, it } from "vitest";
import { highlight, startState, tokenizeLine } from "./tokens.js";

const show = (source: string, language: "typescript" | "markdown" = "typescript") =>
  highlight(source, language).map((line) =>
    line
      .filter((span) => span.text.trim() !== "" && span.type !== "text")
      .map((span) => `${span.type}:${span.text.trim()}`)
      .join(" "),
  );

it("colours TypeScript", () => {
  expect(show('const x = 1_000n // n\nreturn foo.type + "a\\"b"')).toEqual([
    "keyword:const number:1_000n comment:// n",
    'keyword:return string:"a\\"b"',
  ]);
  expect(show("/* a\nb */ let y")).toEqual(["comment:/* a", "comment:b */ keyword:let"]);
});

it("colours SQL inside its template and the code in its holes", () => {
  expect(show("const q = sql`select a -- c\nfrom 'f' where d < ${new Date({a: 1}.a)} and e`\nlet z")).toEqual([
    "keyword:const string:` keyword:select comment:-- c",
    "keyword:from string:'f' keyword:where keyword:${new type:Date number:1 keyword:} keyword:and string:`",
    "keyword:let",
  ]);
});

it("colours Markdown and its fences", () => {
  expect(show("# Title\nsome `code`\n```\nx = 1\n```\n**b**", "markdown")).toEqual([
    "keyword:# Title",
    "string:`code`",
    "type:```",
    "string:x = 1",
    "type:```",
    "type:**b**",
  ]);
});

it("gives back every character of any source, and terminates", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(..."`${}'\"/*\\ab1 sql\n-#") }),
      fc.constantFrom("typescript" as const, "markdown" as const),
      (source, language) => {
        expect(
          highlight(source, language)
            .map((line) => line.map((span) => span.text).join(""))
            .join("\n"),
        ).toBe(source);
      },
    ),
  );
  expect(tokenizeLine("", startState("typescript")).tokens).toEqual([]);
});
