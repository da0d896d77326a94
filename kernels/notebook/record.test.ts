import fc from "fast-check";
import { expect, it } from "vitest";
import { withEntries, withEntry } from "./record.js";

const key = fc
  .oneof(fc.string({ maxLength: 2 }), fc.nat(99).map(String), fc.constantFrom("constructor", "toString", "hasOwnProperty"))
  .filter((each) => each !== "__proto__");
const changes = fc.array(fc.tuple(key, fc.option(fc.nat(), { nil: undefined })), { maxLength: 20 });
const large = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`c${i}`, i]));

it("reads as a plain object with the same changes, and every older version stays as it was", () => {
  fc.assert(
    fc.property(fc.boolean(), fc.array(changes, { maxLength: 8 }), (big, rounds) => {
      let record: Record<string, number> = big ? large : {};
      let model: Record<string, number> = { ...record };
      const versions: [Record<string, number>, Record<string, number>][] = [];
      for (const round of rounds) {
        record = withEntries(record, round);
        model = { ...model };
        for (const [name, value] of round) {
          if (value === undefined) delete model[name];
          else model[name] = value;
        }
        versions.push([record, model]);
      }
      for (const [seen, meant] of versions) {
        expect(Object.keys(seen).sort()).toEqual(Object.keys(meant).sort());
        expect({ ...seen }).toEqual(meant);
        expect(JSON.parse(JSON.stringify(seen))).toEqual(meant);
        for (const name of [...rounds.flat().map(([each]) => each), "c7", "nothing", "constructor"]) {
          expect(seen[name]).toBe(meant[name]);
          expect(name in seen).toBe(name in meant);
          expect(Object.hasOwn(seen, name)).toBe(Object.hasOwn(meant, name));
        }
      }
    }),
  );
});

it("is the same record when there is nothing to take out", () => {
  expect(withEntry(large, "nothing", undefined)).toBe(large);
  const some = withEntry(large, "c1", 5);
  expect(withEntry(some, "nothing", undefined)).toBe(some);
});

it("refuses a change in place", () => {
  const some = withEntry(large, "c1", 5);
  expect(() => (some["c1"] = 6)).toThrow(TypeError);
  expect(() => delete some["c1"]).toThrow(TypeError);
  expect(some["c1"]).toBe(5);
});

it("a change of one of many entries leaves all others as they are, without a look at them", () => {
  let reads = 0;
  const watched = Object.defineProperties(
    {},
    Object.fromEntries(Object.keys(large).map((name) => [name, { enumerable: true, get: () => (reads++, 1) }])),
  ) as Record<string, number>;
  let record = withEntry(watched, "c0", 1);
  const first = reads;
  for (let i = 0; i < 100; i++) record = withEntry(record, `c${i}`, i);
  expect(reads).toBe(first);
  expect(Object.keys(record)).toHaveLength(200);
});
