import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Field, Signature } from "../protocol/values.js";
import { readForm } from "./forms.js";
import { fromWire, recordChecker, toWire, WireError } from "./wire.js";

const field = (type: Field["type"], more: Partial<Field> = {}): Field => ({ name: "v", type, nullable: false, ...more });

describe("one rule for each type", () => {
  const taken: [Field["type"], unknown, unknown][] = [
    ["double", 1.5, 1.5],
    ["double", -0, -0],
    ["integer", 7, 7],
    ["bigint", 7, 7],
    ["bigint", "9007199254740993", 9007199254740993n],
    ["bigint", "7", 7],
    ["decimal", "12.50", 12.5],
    ["boolean", false, false],
    ["string", "", ""],
    ["timestamp", "2001-05-31T08:05:00Z", new Date("2001-05-31T08:05:00Z")],
    ["timestamp", "2001-05-31T08:05:00", new Date("2001-05-31T08:05:00Z")],
    ["timestamp", "2001-05-31 08:05", new Date("2001-05-31T08:05:00Z")],
    ["timestamp", "2001-05-31T10:05:00+0200", new Date("2001-05-31T08:05:00Z")],
    ["timestamp", 991296300000, new Date("2001-05-31T08:05:00Z")],
    ["date", "2001-05-31", new Date("2001-05-31T00:00:00Z")],
    ["double[]", [1, [2, 3]], [1, 2, 3]],
    ["image", [[0, 255]], [0, 255]],
  ];
  it.each(taken)("%s takes %o", (type, wire, native) => expect(fromWire(field(type), wire, "r.v")).toEqual(native));
  const refused: [Field["type"], unknown][] = [
    ["double", "1.5"],
    ["double", NaN],
    ["double", Infinity],
    ["double", true],
    ["integer", 1.5],
    ["integer", 2 ** 53],
    ["bigint", 2 ** 53],
    ["bigint", "1e3"],
    ["decimal", "1,5"],
    ["boolean", "true"],
    ["boolean", 1],
    ["string", 1],
    ["timestamp", "yesterday"],
    ["timestamp", "2001-02-30"],
    ["timestamp", "2001-05-31T25:00:00Z"],
    ["date", "31.05.2001"],
    ["double[]", "1,2"],
    ["double[]", [1, "2"]],
    ["image", [[0, null]]],
  ];
  it.each(refused)("%s refuses %o by name", (type, wire) => {
    try {
      fromWire(field(type), wire, "instances[2].v");
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(WireError);
      expect((error as WireError).field).toBe("v");
      expect((error as Error).message).toMatch(/^instances\[2\]\.v: Expected .*, got /);
    }
  });
});

it("brings every value back from the log as it was", () => {
  fc.assert(
    fc.property(fc.oneof(fc.bigInt({ min: -(2n ** 127n), max: 2n ** 127n - 1n }), fc.maxSafeInteger()), (value) => {
      const wire = JSON.parse(JSON.stringify(toWire(value))) as unknown;
      expect(BigInt(fromWire(field("bigint"), wire, "v") as bigint)).toBe(BigInt(value));
    }),
  );
  fc.assert(
    fc.property(fc.date({ noInvalidDate: true, min: new Date("0001-01-01"), max: new Date("9999-12-31") }), (value) => {
      expect(fromWire(field("timestamp"), JSON.parse(JSON.stringify(toWire(value))), "v")).toEqual(value);
    }),
  );
});

const signature: Signature = {
  inputs: [
    { name: "distance", type: "double", nullable: false, range: [0, 100] },
    { name: "origin", type: "string", nullable: true, seen: ["ATL"] },
  ],
  output: { name: "late", kind: "probability" },
};

it("never throws anything but a WireError at a hostile record", () => {
  const check = recordChecker(signature);
  fc.assert(
    fc.property(fc.anything(), (value) => {
      try {
        expect(Object.keys(check(value, "r").record)).toEqual(["distance", "origin"]);
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
      }
    }),
  );
});

it("does not take fields from a prototype, and warns of what training has not seen", () => {
  const check = recordChecker(signature);
  expect(() => check(JSON.parse('{"__proto__":{"distance":1}}'), "r")).toThrow(/`distance` \(double\) is missing/);
  expect(check({ distance: 101, origin: "ORD", note: 1 }, "r")).toEqual({
    record: { distance: 101, origin: "ORD" },
    warnings: ["range:distance", "unseen:origin", "extra:note"],
  });
  expect(check({ distance: 1 }, "r")).toEqual({ record: { distance: 1, origin: null }, warnings: [] });
});

it("reads CSV with quotes, empty cells and both line ends", () => {
  const body = Buffer.from('distance,origin\r\n1,"O""Hare, """\r\n2,\n');
  const request = { form: "mlflow", body, type: "text/csv; charset=utf-8", headerLength: null, name: "m", version: "1" } as const;
  expect(readForm(request, signature).rows).toEqual([
    { distance: 1, origin: 'O"Hare, "' },
    { distance: 2, origin: null },
  ]);
});

it("never throws anything but a WireError at hostile bytes, in any form", () => {
  const json = fc.json().map((text) => Buffer.from(text));
  fc.assert(
    fc.property(
      fc.oneof(fc.uint8Array(), json),
      fc.constantFrom("v1" as const, "v2" as const, "mlflow" as const),
      fc.constantFrom("application/json", "text/csv"),
      (body, form, type) => {
        try {
          readForm({ form, body, type, headerLength: null, name: "m", version: "1" }, signature);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      },
    ),
    { numRuns: 500 },
  );
});
