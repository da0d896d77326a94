/** Patterns of files as DuckDB reads them (`data/*.parquet`, `year=*`, `**`): what matches, and where to look. */
import { readdir } from "node:fs/promises";
import { join, sep } from "node:path";

export const isPattern = (path: string): boolean => /[*?[{]/.test(path);

export interface Pattern {
  /** the folder above the first star */
  base: string;
  matches(path: string): boolean;
  /** can a file below this folder match? */
  leads(folder: string): boolean;
}

/** `path` is absolute. Hidden folders and node_modules are entered only by name. */
export function patternOf(path: string): Pattern {
  const parts = path.split(sep);
  const first = parts.findIndex(isPattern);
  const base = parts.slice(0, first).join(sep);
  const rest = parts.slice(first).map((part) => (part === "**" ? null : segment(part)));
  /** do the names from `i` fit the parts from `k`? `part`: the names may end before the parts do */
  const fit = (names: string[], i: number, k: number, part: boolean): boolean => {
    if (i === names.length) return part ? k < rest.length : rest.slice(k).every((one) => one === null) && k > 0 && rest.at(-1) !== null;
    const one = rest[k];
    if (one === undefined) return false;
    if (one !== null) return one.test(names[i]!) && fit(names, i + 1, k + 1, part);
    return fit(names, i, k + 1, part) || (!/^(\.|node_modules$)/.test(names[i]!) && fit(names, i + 1, k, part));
  };
  const names = (full: string) => (full === base ? [] : full.startsWith(base + sep) ? full.slice(base.length + 1).split(sep) : null);
  return {
    base,
    matches: (full) => {
      const all = names(full);
      return all !== null && all.length > 0 && fit(all, 0, 0, false);
    },
    leads: (folder) => {
      const all = names(folder);
      return all !== null && fit(all, 0, 0, true);
    },
  };
}

/** The files that match at present, sorted. */
export async function matching(pattern: Pattern): Promise<string[]> {
  const found: string[] = [];
  const look = async (folder: string): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (pattern.leads(path)) await look(path);
      } else if (pattern.matches(path)) found.push(path);
    }
  };
  await look(pattern.base);
  return found.sort();
}

/** One part of a path as an expression: `*`, `?`, `[a-z]`, `{a,b}`. */
function segment(part: string): RegExp {
  let source = "";
  for (let i = 0; i < part.length; i++) {
    const char = part[i]!;
    const close = char === "[" ? part.indexOf("]", i + 2) : char === "{" ? part.indexOf("}", i) : -1;
    if (char === "*") source += "[^/]*";
    else if (char === "?") source += "[^/]";
    else if (close > 0 && char === "[") {
      source += `[${part
        .slice(i + 1, close)
        .replace(/^!/, "^")
        .replaceAll("\\", "\\\\")}]`;
      i = close;
    } else if (close > 0) {
      source += `(?:${part
        .slice(i + 1, close)
        .split(",")
        .map(escape)
        .join("|")})`;
      i = close;
    } else source += escape(char);
  }
  return new RegExp(`^${source}$`);
}

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
