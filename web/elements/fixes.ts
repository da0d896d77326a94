/** Quick fixes in the editor (Ctrl+. and the light bulb): what the language service proposes for the findings at the caret. */
import * as monaco from "monaco-editor/editor/editor.api.js";
import "monaco-editor/features/codeAction/register.js";
import type { LanguageAnswers } from "../../kernels/protocol/language.js";
import { askCell, language, rangeOf } from "./language.js";

monaco.languages.registerCodeActionProvider(
  language,
  {
    async provideCodeActions(model, range, { markers, trigger }, token) {
      const none = { actions: [], dispose: () => undefined };
      // at each step of the caret Monaco asks: without a finding there is nothing to repair
      if (markers.length === 0 && trigger !== monaco.languages.CodeActionTriggerType.Invoke) return none;
      const version = model.getVersionId();
      const [from, to] = [range.getStartPosition(), range.getEndPosition()].map((one) => model.getOffsetAt(one)) as [number, number];
      const found = await askCell<LanguageAnswers["fixes"]>(model, (cell) => ({ ask: "fixes", cell, from, to }), token);
      if (found === null || model.isDisposed() || model.getVersionId() !== version) return none;
      return {
        ...none,
        actions: found.map(({ label, edits }) => ({
          title: label,
          kind: "quickfix",
          diagnostics: [...markers],
          edit: {
            edits: edits.map(({ at, remove, insert }) => ({
              resource: model.uri,
              versionId: version,
              textEdit: { range: rangeOf(model, at, at + remove), text: insert },
            })),
          },
        })),
      };
    },
  },
  { providedCodeActionKinds: ["quickfix"] },
);
