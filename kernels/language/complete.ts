/** What may stand at a place in TypeScript: members, names of this and the other cells, literals of options. */
import type ts from "typescript";
import type { Completion, CompletionKind, Completions } from "../protocol/language.js";
import { libraryNames } from "../reactive/references.js";
import { display } from "./info.js";
import type { Project } from "./project.js";
import { toCell, toModule } from "./virtual.js";

const kinds: Record<string, CompletionKind> = {
  const: "constant",
  enum: "class",
  class: "class",
  "local class": "class",
  function: "function",
  "local function": "function",
  method: "method",
  construct: "method",
  call: "method",
  index: "method",
  property: "property",
  getter: "property",
  setter: "property",
  accessor: "property",
  interface: "interface",
  type: "type",
  "primitive type": "keyword",
  "type parameter": "type",
  keyword: "keyword",
  module: "module",
  "external module name": "module",
  directory: "file",
  script: "file",
  string: "text",
};
const preferences: ts.UserPreferences & { includeSymbol: boolean } = {
  includeCompletionsWithInsertText: true,
  includeCompletionsWithObjectLiteralMethodSnippets: false,
  includeCompletionsForModuleExports: false,
  includeCompletionsForImportStatements: false,
  // not in the published types, and in every version: where a name is declared
  includeSymbol: true,
  quotePreference: "double",
  allowRenameOfImportPath: false,
};
const triggers = new Set([".", '"', "'", "`", "/", "@", "<", "#", " "]);
const library = new Set([...libraryNames, "html", "md", "svg"]);

type Entry = ts.CompletionEntry & { symbol?: ts.Symbol };

export function complete(project: Project, cell: string, at: number, trigger?: string): Completions {
  const opened = project.open(cell, "all");
  if (opened === null) return { from: at, to: at, items: [], incomplete: false };
  const { file, module } = opened;
  const found = project.service.getCompletionsAtPosition(file, toModule(module, at), {
    ...preferences,
    ...(trigger !== undefined && triggers.has(trigger) && { triggerCharacter: trigger as ts.CompletionsTriggerCharacter }),
  });
  const { source } = project.reading(cell)!.cell;
  const span = found?.optionalReplacementSpan;
  const word = /[\p{ID_Continue}$]*$/u.exec(source.slice(0, at))![0];
  const from = (span && toCell(module, span.start)) ?? at - word.length;
  const to = (span && toCell(module, span.start + span.length)) ?? at;
  const members = found?.isMemberCompletion === true;
  const items: Completion[] = [];
  for (const entry of found?.entries ?? []) {
    if (foreign(entry, members)) continue;
    const item: Completion = {
      label: entry.name,
      kind: kinds[entry.kind] ?? (entry.kind === "alias" ? aliasKind((entry as Entry).symbol) : "variable"),
      sort: sortOf(entry, project, members),
    };
    // a replacement of its own (`?.x`, `["a b"]`) may begin before the word
    const own = entry.replacementSpan && toCell(module, entry.replacementSpan.start);
    if (entry.insertText !== undefined && entry.insertText !== entry.name) {
      if (typeof own === "number" && own < from) continue;
      item.insert = entry.insertText;
    }
    const owner = members ? undefined : project.owner(entry.name);
    if (owner !== undefined && owner !== cell && entry.kind === "alias") item.detail = `cell ${owner}`;
    items.push(item);
  }
  return { from, to, items, incomplete: found?.isIncomplete === true };
}

function aliasKind(symbol: ts.Symbol | undefined): CompletionKind {
  return symbol === undefined || /^[a-z_$]/.test(symbol.name) ? "variable" : "class";
}

/** The page's own globals are in the types (TensorFlow.js speaks of canvases) and not in a kernel. */
function foreign(entry: ts.CompletionEntry, members: boolean): boolean {
  if (members || entry.name in globalThis) return false;
  const declared = (entry as Entry).symbol?.declarations;
  return declared?.some((one) => /[\\/]lib\.dom(\.\w+)?\.d\.ts$/.test(one.getSourceFile().fileName)) === true;
}

/** Own names, then those of other cells, then the library's, then JavaScript's. */
function sortOf(entry: ts.CompletionEntry, project: Project, members: boolean): string {
  if (members) return entry.sortText;
  if (project.owner(entry.name) !== undefined && entry.kind === "alias") return "11b";
  if (library.has(entry.name) && Number.parseInt(entry.sortText, 10) >= 15) return "12";
  return entry.sortText;
}

/** Signature and documentation of one completion. */
export function detail(project: Project, cell: string, at: number, label: string): { signature: string; docs: string } | null {
  const opened = project.open(cell, "all");
  if (opened === null) return null;
  const found = project.service.getCompletionEntryDetails(
    opened.file,
    toModule(opened.module, at),
    label,
    undefined,
    undefined,
    preferences,
    undefined,
  );
  return found === undefined ? null : display(found);
}
