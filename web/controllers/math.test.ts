import MarkdownIt from "markdown-it";
import { expect, it } from "vitest";
import { fillMath, withMath } from "./math.js";

const render = withMath(new MarkdownIt({ html: false, linkify: true }));
/** formulas in the text, `$$` before those by themselves */
const found = (text: string): string[] => render(text).formulas.map(({ tex, display }) => (display ? `$$${tex}` : tex));
const shown = (text: string): string => {
  const { html, formulas } = render(text);
  return fillMath(html, formulas, ({ tex }) => `[${tex}]`).trim();
};

it("finds formulas in a line, and leaves their signs alone", () => {
  expect(shown("mean $\\mu_1 * x_2 * y$ and $a\\$b$, **bold $c$**")).toBe("<p>mean [\\mu_1 * x_2 * y] and [a\\$b], <strong>bold [c]</strong></p>");
  expect(found("# Loss $L$\n\n- item $x$\n\n| a |\n|---|\n| $y$ |")).toEqual(["L", "x", "y"]);
  expect(found("[costs $b](https://x.org) and $c$")).toEqual(["c"]);
  expect(found("in words $$x^2$$ here, and $$ y $$.")).toEqual(["$$x^2", "$$y"]);
});

it("leaves prices, code, escapes and single signs as text", () => {
  for (const text of [
    "from $5 and $6",
    "$5, $6 or $x",
    "US$5 to US$60",
    "100 $ or 200 $",
    "`$x$` and ``a $b$``",
    "\\$x\\$",
    "$",
    "$$",
    "$$$$",
    "$ x $",
    "$x\n\ny$",
    "    $$\n    code\n    $$",
    "```\n$$x$$\n```",
  ])
    expect(found(text), text).toEqual([]);
  expect(shown("from $5 and $6")).toBe("<p>from $5 and $6</p>");
});

it("finds formulas by themselves: two signs, or an environment, over lines and inside a list", () => {
  expect(found("$$x$$")).toEqual(["$$x"]);
  expect(found("before\n$$\na \\\\\n b\n$$\nafter")).toEqual(["$$a \\\\\nb"]);
  expect(found("$$ a\n= b $$")).toEqual(["$$a\n= b"]);
  expect(found("\\begin{align*}\na &= b \\\\\nc &= d\n\\end{align*}")).toEqual(["$$\\begin{align*}\na &= b \\\\\nc &= d\n\\end{align*}"]);
  expect(found("- item\n\n  $$\n  x\n  $$")).toEqual(["$$x"]);
  expect(shown("> $$\n> x\n> $$")).toBe("<blockquote>\n<p>[x]</p>\n</blockquote>");
  // without an end it is text
  expect(found("$$\nx")).toEqual([]);
  expect(found("\\begin{align}\nx")).toEqual([]);
  expect(found("$$x$$ and $$y$$")).toEqual(["$$x", "$$y"]);
});

it("reads a long text of single signs once", () => {
  // seconds beyond any patience if each sign looked through the rest
  expect(found("$a ".repeat(200_000))).toEqual([]);
});
