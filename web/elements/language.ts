/** Findings of the language service as marks in the code. */
import * as monaco from "monaco-editor/editor/editor.api.js";
import type { CodeProblem } from "../../kernels/protocol/language.js";

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
