/** Monaco's side of the language service: completion, hover, parameters, rename and marks for every open editor. */
import * as monaco from "monaco-editor/editor/editor.api.js";
import "monaco-editor/features/hover/register.js";
import "monaco-editor/features/parameterHints/register.js";
import "monaco-editor/features/rename/register.js";
import type { CodeProblem, CompletionKind, Edit, LanguageAnswers, LanguageQuestion, Place } from "../../kernels/protocol/language.js";

/** What the open notebook gives: its connection, and the way to other cells. */
export interface LanguageHost {
  /** `signal`: the answer is not wanted any more */
  ask(question: LanguageQuestion, signal?: AbortSignal): Promise<unknown>;
  /** names known without the service: offered while it starts or is dead */
  names(): { name: string; detail: string }[];
  /** true when the service answers; false while it starts or is dead */
  ready(): boolean;
  /** puts the caret there */
  go(cell: string, at: number): void;
  /** edits in any cells, as one change that one undo takes back */
  apply(edits: readonly Edit[]): void;
  /** places in cells as a list to choose from, those of files to be read */
  show(heading: string, places: readonly Place[]): void;
  say(level: "info" | "warning", text: string): void;
}
export const host: { current: LanguageHost | null } = { current: null };

export const language = "touch-typescript";
const cells = new WeakMap<monaco.editor.ITextModel, string>();

/** The model shows this cell. */
export function attach(model: monaco.editor.ITextModel, cell: string): void {
  cells.set(model, cell);
}

/** Findings as marks in the code; markers of the same place and text are kept by Monaco, so nothing flickers. */
export function mark(model: monaco.editor.ITextModel, problems: readonly CodeProblem[]): void {
  const markers = problems.map(({ from, to, severity, message, code }): monaco.editor.IMarkerData => {
    const [start, end] = [model.getPositionAt(from), model.getPositionAt(Math.max(to, from + 1))];
    return {
      startLineNumber: start.lineNumber,
      startColumn: start.column,
      endLineNumber: end.lineNumber,
      endColumn: end.column,
      severity: severity === "error" ? monaco.MarkerSeverity.Error : monaco.MarkerSeverity.Warning,
      message,
      ...(code !== undefined && { code: `TS${code}` }),
    };
  });
  monaco.editor.setModelMarkers(model, "touch", markers);
}

const K = monaco.languages.CompletionItemKind;
const kinds: Record<CompletionKind, monaco.languages.CompletionItemKind> = {
  variable: K.Variable,
  constant: K.Constant,
  function: K.Function,
  method: K.Method,
  property: K.Property,
  class: K.Class,
  interface: K.Interface,
  type: K.TypeParameter,
  module: K.Module,
  keyword: K.Keyword,
  text: K.Text,
  file: K.File,
  table: K.Struct,
  column: K.Field,
};

export const rangeOf = (model: monaco.editor.ITextModel, from: number, to: number): monaco.Range =>
  monaco.Range.fromPositions(model.getPositionAt(from), model.getPositionAt(to));

type Asked<A extends LanguageQuestion["ask"]> = Omit<Extract<LanguageQuestion, { ask: A }>, "cell" | "at">;

/** The service's answer; null when it has none: the code has changed meanwhile, a newer question came, it is starting or dead. */
export async function askCell<T>(
  model: monaco.editor.ITextModel,
  question: (cell: string) => LanguageQuestion,
  token?: monaco.CancellationToken,
): Promise<T | null> {
  const cell = cells.get(model);
  if (cell === undefined || host.current === null || token?.isCancellationRequested === true) return null;
  const stop = new AbortController();
  const listener = token?.onCancellationRequested(() => stop.abort());
  try {
    return (await host.current.ask(question(cell), stop.signal)) as T;
  } catch {
    // the state of the service is shown with the problems
    return null;
  } finally {
    listener?.dispose();
  }
}

type Placed = "complete" | "detail" | "hover" | "signature" | "definition" | "references" | "rename";

function ask<A extends Placed>(
  model: monaco.editor.ITextModel,
  position: monaco.IPosition,
  question: Asked<A> & { ask: A },
  token?: monaco.CancellationToken,
): Promise<LanguageAnswers[A] | null> {
  return askCell(model, (cell) => ({ ...question, cell, at: model.getOffsetAt(position) }) as unknown as LanguageQuestion, token);
}

/** As `ask`, null also when the model's text is not that of the question any more: places of the answer would be wrong. */
export async function askNow<A extends Exclude<Placed, "complete" | "detail">>(
  model: monaco.editor.ITextModel,
  position: monaco.IPosition,
  question: Asked<A> & { ask: A },
  token?: monaco.CancellationToken,
): Promise<LanguageAnswers[A] | null> {
  const version = model.getVersionId();
  const answer = await ask(model, position, question, token);
  return model.isDisposed() || model.getVersionId() !== version ? null : answer;
}

/** What is known without the service. */
function plainNames(model: monaco.editor.ITextModel, position: monaco.Position): monaco.languages.CompletionItem[] {
  const word = model.getWordUntilPosition(position);
  const before = model.getValueInRange(new monaco.Range(position.lineNumber, 1, position.lineNumber, word.startColumn));
  if (before.endsWith(".")) return [];
  const range = new monaco.Range(position.lineNumber, word.startColumn, position.lineNumber, word.endColumn);
  return (host.current?.names() ?? []).map(({ name, detail }) => ({ label: name, detail, kind: K.Variable, insertText: name, range }));
}

interface Item extends monaco.languages.CompletionItem {
  /** where more about it is asked; absent for plain names */
  place?: { model: monaco.editor.ITextModel; position: monaco.Position };
}

monaco.languages.registerCompletionItemProvider(language, {
  triggerCharacters: [".", '"', "'", "`", "/"],
  async provideCompletionItems(model, position, { triggerCharacter }, token) {
    const plain = () => ({ suggestions: triggerCharacter === undefined ? plainNames(model, position) : [] });
    if (host.current?.ready() !== true) return plain();
    // letters typed meanwhile stand after the position: Monaco filters by them, the answer stays right
    const found = await ask(model, position, { ask: "complete", ...(triggerCharacter !== undefined && { trigger: triggerCharacter }) }, token);
    if (model.isDisposed()) return { suggestions: [] };
    if (found === null) return plain();
    const start = model.getPositionAt(found.from);
    const range = monaco.Range.fromPositions(start, position);
    return {
      incomplete: found.incomplete,
      suggestions: found.items.map((item): Item => ({
        label: item.detail === undefined ? item.label : { label: item.label, description: item.detail },
        kind: kinds[item.kind],
        insertText: item.insert ?? item.label,
        sortText: item.sort + item.label,
        filterText: item.insert ?? item.label,
        range,
        ...(item.docs === undefined ? { place: { model, position } } : { documentation: { value: item.docs } }),
      })),
    };
  },
  async resolveCompletionItem(item: Item, token) {
    const { place, label } = item;
    if (place === undefined || place.model.isDisposed()) return item;
    const more = await ask(place.model, place.position, { ask: "detail", label: typeof label === "string" ? label : label.label }, token);
    return more === null ? item : { ...item, detail: more.signature, documentation: { value: more.docs } };
  },
});

monaco.languages.registerHoverProvider(language, {
  async provideHover(model, position, token) {
    const found = await askNow(model, position, { ask: "hover" }, token);
    if (found === null) return null;
    const signature = { value: `\`\`\`${language}\n${found.signature}\n\`\`\`` };
    return { range: rangeOf(model, found.from, found.to), contents: found.docs === "" ? [signature] : [signature, { value: found.docs }] };
  },
});

monaco.languages.registerSignatureHelpProvider(language, {
  signatureHelpTriggerCharacters: ["(", ","],
  signatureHelpRetriggerCharacters: [")"],
  async provideSignatureHelp(model, position, token) {
    const found = await ask(model, position, { ask: "signature" }, token);
    if (found === null) return null;
    const signatures = found.items.map(({ label, docs, parameters }) => ({
      label,
      documentation: { value: docs },
      parameters: parameters.map(({ from, to, docs }) => ({ label: [from, to] as [number, number], documentation: { value: docs } })),
    }));
    return { value: { signatures, activeSignature: found.active, activeParameter: found.parameter }, dispose: () => undefined };
  },
});

monaco.languages.registerRenameProvider(language, {
  async resolveRenameLocation(model, position) {
    const found = await askNow(model, position, { ask: "rename", to: null });
    const here = monaco.Range.fromPositions(position);
    if (found === null) return { range: here, text: "", rejectReason: "The language service does not answer yet." };
    if ("refused" in found) return { range: here, text: "", rejectReason: found.refused };
    return { range: rangeOf(model, found.from, found.to), text: found.name };
  },
  async provideRenameEdits(model, position, name) {
    const found = await askNow(model, position, { ask: "rename", to: name });
    if (found === null) return { edits: [], rejectReason: "The code has changed meanwhile; try again." };
    if ("refused" in found) return { edits: [], rejectReason: found.refused };
    // through the notebook: other cells may have no editor, and one undo takes all of it back
    host.current?.apply(found.edits);
    return { edits: [] };
  },
});
