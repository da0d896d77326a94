/** What the inputs of a cell hold that is no plain value: a result that holds the same object names it by its place there, and copies nothing. */
import { types } from "node:util";

export interface Inputs {
  /** place of an object, as text; undefined of one that no input holds */
  placeOf(value: object): string | undefined;
}

/** longer lists are of numbers or rows */
const longest = 10_000;

/** Looks into plain objects and lists. Getters are not run. */
export function placesIn(values: ReadonlyMap<string, unknown>, isWhole: (value: object) => boolean): Inputs {
  const places = new Map<object, string>();
  const seen = new Set<object>();
  const look = (value: unknown, path: string[]): void => {
    if (typeof value !== "object" || value === null || types.isProxy(value) || seen.has(value)) return;
    seen.add(value);
    if (isWhole(value)) return void places.set(value, JSON.stringify(path));
    if (Array.isArray(value)) {
      if (value.length <= longest) value.forEach((each, i) => look(each, [...path, String(i)]));
    } else if (Object.getPrototypeOf(value) === Object.prototype) {
      for (const [key, property] of Object.entries(Object.getOwnPropertyDescriptors(value))) look(property.value, [...path, key]);
    }
  };
  for (const [name, value] of values) look(value, [name]);
  return { placeOf: (value) => places.get(value) };
}

/** The object at a place. Throws where there is none. */
export function atPlace(values: ReadonlyMap<string, unknown>, place: string): object {
  const [name, ...keys] = JSON.parse(place) as string[];
  let found = values.get(name!);
  for (const key of keys) found = typeof found === "object" && found !== null ? Object.getOwnPropertyDescriptor(found, key)?.value : undefined;
  if (typeof found !== "object" || found === null) throw new Error(`the input ${[name, ...keys].join(".")} is another now`);
  return found;
}
