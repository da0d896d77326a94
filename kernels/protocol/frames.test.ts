import fc from "fast-check";
import { expect, it } from "vitest";
import { encodeFrame, frameDecoder, type Frame } from "./frames.js";

it("gives back every frame however the stream is cut", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.jsonValue(), fc.uint8Array())), fc.integer({ min: 1, max: 40 }), (frames, size) => {
      const bytes = Buffer.concat(frames.map(([head, body]) => encodeFrame(head, body)));
      const seen: Frame[] = [];
      const feed = frameDecoder((frame) => seen.push(frame));
      for (let at = 0; at < bytes.length; at += size) feed(bytes.subarray(at, at + size));
      expect(JSON.stringify(seen.map((f) => f.head))).toEqual(JSON.stringify(frames.map(([head]) => head)));
      expect(seen.map((f) => [...f.body])).toEqual(frames.map(([, body]) => [...body]));
    }),
  );
});

it("refuses a length that no frame has", () => {
  const feed = frameDecoder(() => {});
  expect(() => feed(new Uint8Array([255, 255, 255, 255]))).toThrow("frame length");
});
