import { expect, it } from "vitest";
import { inParts, monacoParts } from "./monaco-parts.js";

it("loads one part after the other and then the whole, and lets the page go on between two of them", async () => {
  const seen: string[] = [];
  const part = (name: string) => async () => {
    seen.push(name);
    setTimeout(() => seen.push(`page after ${name}`));
  };
  expect(await inParts([part("a"), part("b")], async () => (seen.push("whole"), 7))).toBe(7);
  expect(seen).toEqual(["a", "page after a", "b", "page after b", "whole"]);
  expect(monacoParts.length).toBeGreaterThan(4);
});

it("a part that cannot be loaded is the whole's to tell", async () => {
  const broken = () => Promise.reject(new Error("offline"));
  await expect(inParts([broken], async () => 1)).resolves.toBe(1);
  await expect(inParts([broken], broken)).rejects.toThrow("offline");
});
