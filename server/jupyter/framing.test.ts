import fc from "fast-check";
import { expect, it } from "vitest";
import { decode, encode, v1, type Framing } from "./framing.js";
import { FramingError, type Message } from "./message.js";

const dictionary = fc.dictionary(
  fc.string().filter((key) => key !== "__proto__"),
  fc.jsonValue({ maxDepth: 2 }),
) as fc.Arbitrary<Record<string, unknown>>;
const message: fc.Arbitrary<Message> = fc.record({
  channel: fc.constantFrom("shell", "control", "stdin") as fc.Arbitrary<Message["channel"]>,
  header: fc.record({ msg_id: fc.string(), msg_type: fc.string(), session: fc.string(), username: fc.string({ unit: "binary" }) }),
  parent_header: fc.constant({}),
  metadata: dictionary,
  content: dictionary,
  buffers: fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 4 }),
});
const framings: Framing[] = [v1, "default"];
const bytes = (data: string | Uint8Array) => (typeof data === "string" ? new TextEncoder().encode(data) : data);
const same = (given: Message) => JSON.parse(JSON.stringify({ ...given, buffers: given.buffers.map((buffer) => [...buffer]) })) as unknown;

it.each(framings)("%s: what is written is read", (framing) => {
  fc.assert(
    fc.property(message, (given) => {
      expect(same(decode(framing, encode(framing, given)))).toEqual(same(given));
    }),
  );
});

it.each(framings)("%s: any bytes are a message or a FramingError", (framing) => {
  const read = (data: string | Uint8Array) => {
    try {
      decode(framing, data);
    } catch (error) {
      if (!(error instanceof FramingError)) throw error;
    }
  };
  fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.string(), fc.json()), read));
  // a real message with some bytes changed, or cut
  fc.assert(
    fc.property(message, fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 5 }), fc.nat(400), (given, changes, cut) => {
      const data = Uint8Array.from(bytes(encode(framing, given)));
      for (const [at, value] of changes) data[at % data.length] = value;
      read(data.subarray(0, data.length - (cut % 2 === 0 ? 0 : cut % data.length)));
    }),
  );
});

it("writes v1 as the client reads it", () => {
  const data = encode(v1, {
    channel: "iopub",
    header: { msg_id: "m", msg_type: "status", session: "s", username: "u" },
    parent_header: {},
    metadata: {},
    content: { execution_state: "idle" },
    buffers: [Uint8Array.of(1, 2)],
  }) as Uint8Array;
  const view = new DataView(data.buffer);
  expect(view.getBigUint64(0, true)).toBe(7n);
  expect(view.getBigUint64(8, true)).toBe(64n);
  expect(view.getBigUint64(56, true)).toBe(BigInt(data.length));
  expect(new TextDecoder().decode(data.subarray(64, 69))).toBe("iopub");
});

it("does not allocate for a count that lies", () => {
  const data = new Uint8Array(16);
  new DataView(data.buffer).setBigUint64(0, 2n ** 50n, true);
  expect(() => decode(v1, data)).toThrow("too many");
});
