/** What a name is: its type and documentation, and the parameters of the call around the caret. */
import ts from "typescript";
import type { Hover, Signatures } from "../protocol/language.js";
import type { Project } from "./project.js";
import { toCell, toModule } from "./virtual.js";

interface Described {
  displayParts?: ts.SymbolDisplayPart[];
  documentation?: ts.SymbolDisplayPart[];
  tags?: ts.JSDocTagInfo[];
}

/** Names of our virtual modules say nothing to a person. */
export function tidy(text: string): string {
  return text
    .replace(/typeof import\("[^"]*\.cell\d+(\.ts)?"\)/g, "a cell")
    .replace(/import\("[^"]*\/(?:[^"/]*\.cell\d+|kernels\/protocol\/(?:library|values|output)|names)(\.[jt]s)?"\)\./g, "")
    .replace(/import\("[^"]*\/node_modules\/([^"]*)"\)\./g, "");
}

export function display({ displayParts, documentation, tags }: Described): { signature: string; docs: string } {
  const signature = tidy(ts.displayPartsToString(displayParts))
    .replace(/^\(alias\) /, "")
    .replace(/\n(import|export) .*$/s, "");
  const notes = (tags ?? [])
    .filter((tag) => ["param", "returns", "deprecated", "example", "throws"].includes(tag.name))
    .map((tag) => `*@${tag.name}* ${ts.displayPartsToString(tag.text)}`);
  return { signature, docs: [ts.displayPartsToString(documentation), ...notes].filter((text) => text !== "").join("\n\n") };
}

export function hover(project: Project, cell: string, at: number): Hover | null {
  const opened = project.open(cell);
  if (opened === null) return null;
  const info = project.service.getQuickInfoAtPosition(opened.file, toModule(opened.module, at));
  if (info === undefined) return null;
  const from = toCell(opened.module, info.textSpan.start);
  const to = toCell(opened.module, info.textSpan.start + info.textSpan.length);
  return from === null || to === null ? null : { from, to, ...display(info) };
}

export function signature(project: Project, cell: string, at: number): Signatures | null {
  const opened = project.open(cell);
  const help = opened && project.service.getSignatureHelpItems(opened.file, toModule(opened.module, at), undefined);
  if (!help) return null;
  const text = (parts: ts.SymbolDisplayPart[]) => tidy(ts.displayPartsToString(parts));
  return {
    active: help.selectedItemIndex,
    parameter: help.argumentIndex,
    items: help.items.map((item) => {
      let label = text(item.prefixDisplayParts);
      const parameters = item.parameters.map((parameter, i) => {
        if (i > 0) label += text(item.separatorDisplayParts);
        const from = label.length;
        label += text(parameter.displayParts);
        return { from, to: label.length, docs: ts.displayPartsToString(parameter.documentation) };
      });
      return { label: label + text(item.suffixDisplayParts), docs: ts.displayPartsToString(item.documentation), parameters };
    }),
  };
}
