import { JSDOM } from "jsdom";
import { expect, it } from "vitest";
import { measured, textWidth } from "./measure.js";

const { window } = new JSDOM(`<svg><g transform="translate(100,50)"><text x="10" y="20" style="font-size:10px;text-anchor:middle">abcd</text>
  <rect x="-5" y="0" width="30" height="40" transform="translate(0, 5) rotate(90)"/><path d="M0,0H7V-3C1,1 2,2 9,4Z"/></g></svg>`);
measured(window);
const of = (name: string) => window.document.querySelector(name)!;
const box = (name: string) => {
  const { left, top, right, bottom } = of(name).getBoundingClientRect();
  return [left, top, right, bottom].map(Math.round);
};

it("places texts by their anchor, and what is moved or turned where it comes to lie", () => {
  const width = textWidth("abcd", 10);
  expect((of("text") as SVGTextElement).getBBox().width).toBeCloseTo(width);
  expect(box("text")).toEqual([110 - width / 2, 61, 110 + width / 2, 73].map(Math.round));
  expect(box("rect")).toEqual([60, 50, 100, 80]);
  expect(box("path")).toEqual([100, 47, 109, 54]);
  // the group holds all of them
  expect(box("g")).toEqual([60, 47, Math.round(110 + width / 2), 80]);
});

it("takes letters by their width", () => {
  expect(textWidth("iii", 10)).toBeLessThan(textWidth("aaa", 10));
  expect(textWidth("WWW", 10)).toBeGreaterThan(textWidth("aaa", 10));
  expect(textWidth("", 10)).toBe(0);
});
