/** What a file that cells import keeps from one call to the next: found by its syntax, so that a file of constants and pure functions is known to keep nothing. Pure. */
import { analyse } from "./references.js";

/** The name of what its functions change and keep, and of what it changes for the whole kernel; null: nothing. */
export function stateOfFile(source: string): string | null {
  const { keeps, effects, mutations, problems } = analyse({ id: "", kind: "code", source });
  if (problems.length > 0) return null;
  const shared = mutations.find(({ name, call }) => call === undefined || /^global(This)?$/.test(name));
  return keeps ?? shared?.name ?? (effects ? "tables" : null);
}
