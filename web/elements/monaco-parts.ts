/**
 * Monaco in parts. Its modules, evaluated in one go, hold the page for 200 ms; each part is a chunk that has what those before it have not, and between
 * two of them the page draws and answers.
 */
export const monacoParts: readonly (() => Promise<unknown>)[] = [
  () => import("monaco-editor/base/browser/dom.js"),
  () => import("monaco-editor/editor/common/model/textModel.js"),
  () => import("monaco-editor/editor/browser/view.js"),
  () => import("monaco-editor/editor/browser/widget/codeEditor/codeEditorWidget.js"),
  () => import("monaco-editor/editor/editor.api.js"),
  () => import("./monaco-features.js"),
];

/** Loads the parts one after the other, each in a task of its own, then the whole. */
export async function inParts<T>(parts: readonly (() => Promise<unknown>)[], whole: () => Promise<T>): Promise<T> {
  for (const part of parts) {
    // what fails here fails again with the whole, which says so
    await part().catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve));
  }
  return whole();
}
