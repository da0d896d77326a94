/** Recomputes the contrast table of the design from the stylesheet itself (WCAG 2 relative luminance). */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

const css = readFileSync(new URL("./tokens.css", import.meta.url), "utf8");

function block(selector: string): Record<string, string> {
  const at = css.indexOf(`${selector} {`);
  const body = css.slice(at, css.indexOf("}", at));
  return Object.fromEntries([...body.matchAll(/--ts-([\w-]+): (#[0-9a-f]{6});/g)].map((m) => [m[1]!, m[2]!]));
}

function luminance(hex: string): number {
  const part = (at: number) => {
    const v = parseInt(hex.slice(at, at + 2), 16) / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5);
}

function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

for (const [theme, selector] of [
  ["light", ":root"],
  ["dark", ':root[data-theme="dark"]'],
] as const) {
  const t = block(selector);
  const grounds = ["page", "surface", "sunken"];
  it(`keeps text at 4.5 and more in the ${theme} theme`, () => {
    const low: string[] = [];
    const need = (fore: string, back: string, least: number) => {
      const ratio = contrast(t[fore]!, t[back]!);
      if (!(ratio >= least)) low.push(`${fore} on ${back}: ${ratio.toFixed(2)}`);
    };
    for (const ground of grounds) for (const text of ["text", "text-2", "text-3", "accent"]) need(text, ground, 4.5);
    for (const state of ["ok", "warn", "error", "stale", "gold"]) {
      for (const ground of grounds) need(state, ground, 4.5);
      need(state, `${state}-soft`, 4.5);
      need("text", `${state}-soft`, 11);
    }
    need("on-accent", "accent", 4.5);
    need("on-error", "error", 4.5);
    expect(low).toEqual([]);
  });
  it(`keeps controls and marks at 3 and more in the ${theme} theme`, () => {
    const low: string[] = [];
    for (const ground of grounds) {
      for (const mark of ["control", "ring"]) if (contrast(t[mark]!, t[ground]!) < 3) low.push(`${mark} on ${ground}`);
    }
    for (let n = 1; n <= 6; n++) if (contrast(t[`series-${n}`]!, t["surface"]!) < 3) low.push(`series-${n}`);
    expect(low).toEqual([]);
  });
}

it("gives the figures that the design states", () => {
  const light = block(":root");
  const dark = block(':root[data-theme="dark"]');
  expect(contrast(light["text"]!, light["surface"]!)).toBeCloseTo(16.7, 0);
  expect(contrast(light["accent"]!, light["surface"]!)).toBeCloseTo(6.1, 1);
  expect(contrast(dark["accent"]!, dark["sunken"]!)).toBeCloseTo(8.95, 1);
  expect(Object.keys(dark).sort()).toEqual(Object.keys(light).sort());
});
