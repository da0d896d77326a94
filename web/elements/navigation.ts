/** From a name to where it is defined and used: F12, Shift+F12, and a click with Ctrl or Cmd. */
import * as monaco from "monaco-editor/editor/editor.api.js";
import { isMac } from "../app/keys.js";
import { askNow, host } from "./language.js";

const silence = "The language service does not answer yet.";

async function goToDefinition(model: monaco.editor.ITextModel, position: monaco.IPosition): Promise<void> {
  const found = await askNow(model, position, { ask: "definition" });
  const place = found?.[0];
  if (found === null) host.current?.say("info", silence);
  else if (place === undefined) host.current?.say("info", "No definition found here.");
  else if ("cell" in place) host.current?.go(place.cell, place.from);
  else host.current?.show("Definition", [place]);
}

async function showReferences(model: monaco.editor.ITextModel, position: monaco.IPosition): Promise<void> {
  const found = await askNow(model, position, { ask: "references" });
  const word = model.getWordAtPosition(position)?.word ?? "";
  if (found === null) host.current?.say("info", silence);
  else if (found.length === 0) host.current?.say("info", "No uses found here.");
  else host.current?.show(`Uses of ${word}`, found);
}

/** Gives one editor its ways to other places. What is returned ends with the editor. */
export function addNavigation(editor: monaco.editor.IStandaloneCodeEditor): monaco.IDisposable[] {
  const action = (id: string, label: string, keybindings: number[], run: typeof goToDefinition) =>
    editor.addAction({
      id,
      label,
      keybindings,
      contextMenuGroupId: "navigation",
      async run() {
        const [model, position] = [editor.getModel(), editor.getPosition()];
        if (model !== null && position !== null) await run(model, position);
      },
    });
  return [
    action("touch.definition", "Go to Definition", [monaco.KeyCode.F12], goToDefinition),
    action("touch.references", "Show Uses", [monaco.KeyMod.Shift | monaco.KeyCode.F12], showReferences),
    ...linkOnMod(editor),
  ];
}

/** With Ctrl (Cmd on a Mac) held, a name that has a definition is underlined, and a click goes there. */
function linkOnMod(editor: monaco.editor.IStandaloneCodeEditor): monaco.IDisposable[] {
  const mark = editor.createDecorationsCollection();
  let over = "";
  let pressed: monaco.Position | null = null;
  const clear = () => {
    over = "";
    mark.clear();
  };
  const linked = ({ event, target }: monaco.editor.IEditorMouseEvent): monaco.Position | null =>
    (isMac() ? event.metaKey : event.ctrlKey) && !event.shiftKey && !event.altKey && target.type === monaco.editor.MouseTargetType.CONTENT_TEXT
      ? target.position
      : null;
  return [
    editor.onMouseMove((event) => {
      const [model, position] = [editor.getModel(), linked(event)];
      const word = position === null ? null : (model?.getWordAtPosition(position) ?? null);
      if (model === null || position === null || word === null) return clear();
      const key = `${model.getVersionId()} ${position.lineNumber} ${word.startColumn}`;
      if (key === over) return;
      clear();
      over = key;
      void askNow(model, position, { ask: "definition" }).then((found) => {
        if (over !== key || (found?.length ?? 0) === 0) return;
        const range = new monaco.Range(position.lineNumber, word.startColumn, position.lineNumber, word.endColumn);
        mark.set([{ range, options: { inlineClassName: "definition-link" } }]);
      });
    }),
    editor.onMouseDown((event) => (pressed = event.event.leftButton ? linked(event) : null)),
    editor.onMouseUp((event) => {
      const [model, position] = [editor.getModel(), linked(event)];
      if (model === null || position === null || pressed === null || !position.equals(pressed)) return;
      clear();
      void goToDefinition(model, position);
    }),
    editor.onMouseLeave(clear),
    editor.onKeyUp(clear),
  ];
}
