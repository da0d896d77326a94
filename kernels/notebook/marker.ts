/** The marker line of a cell: `// %% [kind] id="x" lazy cache disabled`. */
import type { CellKind, CellOptions } from "../protocol/document.js";

export const kinds: readonly CellKind[] = [
  "code",
  "sql",
  "markdown",
  "label",
  "baseline",
  "train",
  "distill",
  "ab-test",
  "drift",
  "diagnose",
  "review",
  "promote",
];
const flags = ["lazy", "cache", "disabled"] as const;

export interface Marker {
  kind: CellKind;
  id: string | null;
  options: CellOptions;
  /** the body is commented line by line (see print.ts) */
  unfinished: boolean;
  /** what was not understood, for a person */
  unknown: string | null;
}

/** Splits what follows `// %%` into words; a value in double quotes is a JSON string and may hold spaces. */
export function parseMarker(line: string): Marker {
  const marker: Marker = { kind: "code", id: null, options: {}, unfinished: false, unknown: null };
  const rest: string[] = [];
  let kind: CellKind | null = null;
  for (const token of line.match(/[^\s"]*"(?:[^"\\]|\\.)*"|\S+/gsu) ?? []) {
    const named = /^\[(.*)\]$/.exec(token)?.[1];
    const [, key, value] = /^(lazy|cache|disabled)(?:=(true|false))?$/.exec(token) ?? [];
    const id = token.startsWith("id=") ? readString(token.slice(3)) : null;
    // a word that is said twice is dropped: kept, it would take the first one's place once that is gone
    if (named !== undefined && (kinds as readonly string[]).includes(named)) kind ??= named as CellKind;
    else if (id !== null && id !== "" && marker.id === null) marker.id = id;
    else if (key !== undefined) marker.options[key as (typeof flags)[number]] ??= value !== "false";
    else if (token === "unfinished") marker.unfinished = true;
    else {
      rest.push(token);
      if (named !== undefined) marker.unknown = `cell kind [${named}] is not known; it is shown as code`;
      else if (token.startsWith("id=")) marker.unknown = `${token} is not an id of its own`;
    }
  }
  if (kind !== null) marker.kind = kind;
  if (rest.length > 0) marker.options.rest = rest;
  return marker;
}

/** The line without its line end. */
export function printMarker(kind: CellKind, id: string, options: CellOptions, unfinished: boolean): string {
  const words = ["// %%"];
  if (kind !== "code") words.push(`[${kind}]`);
  words.push(`id=${JSON.stringify(id)}`);
  for (const flag of flags) if (options[flag] !== undefined) words.push(options[flag] ? flag : `${flag}=false`);
  if (unfinished) words.push("unfinished");
  return [...words, ...(options.rest ?? [])].join(" ");
}

function readString(text: string): string | null {
  if (!text.startsWith('"')) return /^[\w.-]+$/.test(text) ? text : null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "string" ? value : null;
  } catch {
    return null;
  }
}
