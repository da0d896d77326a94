/** Names like the one that was not found. */
import type { ColumnInfo } from "../protocol/output.js";

/** " (did you mean `x`?)", " (there are: a, b, c)" or "". The name itself is no help. */
export function near(name: string, all: readonly string[]): string {
  const names = all.filter((other) => other !== name);
  const close = names
    .map((other) => ({ other, far: distance(name.toLowerCase(), other.toLowerCase()) }))
    .filter(({ other, far }) => far <= Math.max(1, Math.floor(Math.max(name.length, other.length) / 3)))
    .sort((a, b) => a.far - b.far)
    .slice(0, 3)
    .map(({ other }) => `\`${other}\``);
  if (close.length > 0) return ` (did you mean ${close.join(" or ")}?)`;
  if (names.length === 0) return "";
  return ` (there are: ${names.slice(0, 12).join(", ")}${names.length > 12 ? ", ..." : ""})`;
}

/** Levenshtein's distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}

/** The column of that name, or an error that says which there are. */
export function find(columns: ColumnInfo[], name: string): ColumnInfo {
  const found = columns.find((column) => column.name === name);
  if (found) return found;
  throw new Error(
    `no column ${JSON.stringify(name)}${near(
      name,
      columns.map((column) => column.name),
    )}`,
  );
}
