import fc from "fast-check";
import { expect, it } from "vitest";
import { PersistentMap } from "./persistent.js";

const key = fc.string({ maxLength: 3 });
const change = fc.oneof(
  fc.record({ do: fc.constant("with" as const), key, value: fc.nat() }),
  fc.record({ do: fc.constant("without" as const), key }),
  fc.record({ do: fc.constant("only" as const), key }),
);

it("holds what a Map holds, and every older version stays as it was", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
      let map = PersistentMap.empty<number>();
      const model = new Map<string, number>();
      const versions: { map: PersistentMap<number>; entries: [string, number][] }[] = [];
      for (const one of changes) {
        if (one.do === "with") {
          map = map.with(one.key, one.value);
          model.set(one.key, one.value);
        } else if (one.do === "without") {
          const had = map;
          map = map.without(one.key);
          expect(map === had).toBe(!model.delete(one.key));
        } else {
          map = map.only((other) => other >= one.key);
          for (const other of [...model.keys()]) if (other < one.key) model.delete(other);
        }
        versions.push({ map, entries: [...model] });
      }
      for (const { map, entries } of versions) {
        expect([...map].sort()).toEqual(entries.sort());
        expect(map.size).toBe(entries.length);
        for (const [name, value] of entries) expect([map.has(name), map.get(name)]).toEqual([true, value]);
      }
      expect([...PersistentMap.of(model)].sort()).toEqual([...model].sort());
    }),
  );
});
