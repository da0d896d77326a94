/** Marks of what was found in an editor: by the browser's own highlights in static code, by Monaco's decorations in an open one. */
import type { editor as Editor } from "monaco-editor/editor/editor.api.js";

export interface Found {
  from: number;
  to: number;
  /** the one that the person is at */
  current: boolean;
}

const names = ["found", "found-current"] as const;

/** The page's highlight of a name; null where the browser has none. */
function highlightOf(name: (typeof names)[number]): Highlight | null {
  if (typeof Highlight === "undefined") return null;
  let known = CSS.highlights.get(name);
  if (known === undefined) CSS.highlights.set(name, (known = new Highlight()));
  return known;
}

export class FoundMarks {
  #ranges: Range[] = [];
  #decorations: Editor.IEditorDecorationsCollection | null = null;

  clear(): void {
    for (const name of names) {
      const highlight = this.#ranges.length === 0 ? null : highlightOf(name);
      for (const range of this.#ranges) highlight?.delete(range);
    }
    this.#ranges = [];
    this.#decorations?.clear();
    this.#decorations = null;
  }

  inEditor(editor: Editor.IStandaloneCodeEditor, model: Editor.ITextModel, found: readonly Found[]): void {
    this.clear();
    this.#decorations = editor.createDecorationsCollection(
      found.map(({ from, to, current }) => {
        const [start, end] = [model.getPositionAt(from), model.getPositionAt(to)];
        const range = { startLineNumber: start.lineNumber, startColumn: start.column, endLineNumber: end.lineNumber, endColumn: end.column };
        return { range, options: { inlineClassName: current ? "found-current" : "found" } };
      }),
    );
  }

  /** `found` in the order of the text that `root` holds. Returns the range of the current one. */
  inText(root: Element, found: readonly Found[]): Range | null {
    this.clear();
    let here: Range | null = null;
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    let node = walker.nextNode() as Text | null;
    let start = 0;
    /** the node and place of an offset; an end may lie at the end of a node */
    const at = (offset: number, end: boolean): [Text, number] | null => {
      while (node !== null && (end ? offset > start + node.length : offset >= start + node.length)) {
        start += node.length;
        node = walker.nextNode() as Text | null;
      }
      return node === null ? null : [node, offset - start];
    };
    for (const { from, to, current } of found) {
      const first = at(from, false);
      const last = at(to, true);
      if (first === null || last === null) break;
      const range = document.createRange();
      range.setStart(...first);
      range.setEnd(...last);
      highlightOf(current ? "found-current" : "found")?.add(range);
      this.#ranges.push(range);
      if (current) here = range;
    }
    return here;
  }
}
