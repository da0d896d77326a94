import fc from "fast-check";
import { expect, it } from "vitest";
import { decodeLz4 } from "./lz4.js";

const frame = (...blocks: number[][]): Uint8Array =>
  Uint8Array.from([
    4,
    0x22,
    0x4d,
    0x18,
    0x60,
    0x40,
    0x82,
    ...blocks.flatMap((block) => [block.length & 255, block.length >> 8, 0, 0, ...block]),
    0,
    0,
    0,
    0,
  ]);
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
const codes = (word: string): number[] => [...Buffer.from(word, "latin1")];

it("copies literals and matches, also those that run into themselves or into the block before", () => {
  // "abc", 4 + 2 bytes from 3 ago, then "xyzzy"
  expect(text(decodeLz4(frame([0x32, ...codes("abc"), 3, 0, 0x50, ...codes("xyzzy")])))).toBe("abcabcabcxyzzy");
  expect(text(decodeLz4(frame([0x10, 97, 1, 0, 0x10, 98])))).toBe("aaaaab");
  // 15 + 255 + 3 literals
  const long = "q".repeat(273);
  expect(text(decodeLz4(frame([0xf0, 255, 3, ...codes(long)])))).toBe(long);
  expect(text(decodeLz4(frame([0x40, ...codes("wxyz")], [0x00, 4, 0, 0x10, 33])))).toBe("wxyzwxyz!");
  // a block that was not compressed
  expect(text(decodeLz4(Uint8Array.from([4, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82, 2, 0, 0, 0x80, 104, 105, 0, 0, 0, 0])))).toBe("hi");
});

it("refuses what is broken, and never reads past it", () => {
  for (const [bytes, why] of [
    [Uint8Array.of(1, 2, 3), "begin"],
    [frame([0x32, ...codes("abc"), 9, 0, 0]), "before the data"],
    [frame([0x32, ...codes("abc"), 0, 0, 0]), "before the data"],
    [frame([0xf0, 255]), "ends early"],
    [frame([0x50, 97]), "ends early"],
    [frame([0x10, 97]).subarray(0, 9), "ends early"],
  ] as [Uint8Array, string][])
    expect(() => decodeLz4(bytes)).toThrow(why);
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 3 }), fc.nat(), fc.nat(255), (blocks, at, value) => {
      const bytes = frame(...blocks.map((block) => [...block]));
      bytes[at % bytes.length] = value;
      try {
        expect(decodeLz4(bytes)).toBeInstanceOf(Uint8Array);
      } catch (error) {
        expect((error as Error).message).toMatch(/^LZ4 data is broken/);
      }
    }),
  );
});
