/** How a value that the library makes is made again: what lets a model, a split or a metric lie on disk, and gives it a content to compare. */

/** Under this key such a value has its recipe. Copies by `{ ...model }` have it too. */
export const kept: unique symbol = Symbol.for("touchstone.kept");

export type KeptKind = "model" | "evaluated" | "baseline" | "judged" | "ensemble" | "metric" | "features" | "split";

export interface Recipe {
  kind: KeptKind;
  /** values that say all there is to it: plain ones, relations, and others with a recipe */
  parts: Record<string, unknown>;
  /** functions under the value's own names that come with it: any other is the author's */
  functions: ReadonlySet<unknown>;
}

/** Gives a value its recipe, in place of one that it had; `parts` that are undefined are left out. */
export function keptBy<T extends object>(value: T, kind: KeptKind, parts: object): T {
  const functions = new Set(Object.values(value).filter((each) => typeof each === "function"));
  const known = Object.entries(parts).filter(([, part]) => part !== undefined);
  return Object.assign(value, { [kept]: { kind, parts: Object.fromEntries(known), functions } satisfies Recipe });
}

/** The recipe of a value; null of one that has none. */
export function recipeOf(value: object): Recipe | null {
  return (value as { [kept]?: Recipe })[kept] ?? null;
}
