/**
 * Monaco, loaded when the first editor is wanted. Our own tokeniser colours, so that nothing changes when it takes over;
 * the package's TypeScript client is left out (the language service is the server's).
 */
import * as monaco from "monaco-editor/editor/editor.api.js";
import "./monaco-features.js";
import EditorWorker from "monaco-editor/editor/editor.worker.js?worker";
import "./fixes.js";
import * as language from "./language.js";
import { addNavigation } from "./navigation.js";
import { startState, tokenizeLine, type Language, type State } from "../controllers/tokens.js";
import { isDark, token } from "../controllers/theme.js";

export { addNavigation, language, monaco };

(globalThis as { MonacoEnvironment?: unknown }).MonacoEnvironment = { getWorker: () => new EditorWorker() };

class LineState implements monaco.languages.IState {
  readonly state: State;
  constructor(state: State) {
    this.state = state;
  }
  clone(): LineState {
    return this;
  }
  equals(other: monaco.languages.IState): boolean {
    return other instanceof LineState && other.state.join() === this.state.join();
  }
}

for (const name of ["typescript", "markdown"] as Language[]) {
  const id = `touch-${name}`;
  monaco.languages.register({ id });
  monaco.languages.setTokensProvider(id, {
    getInitialState: () => new LineState(startState(name)),
    tokenize(line, state) {
      const result = tokenizeLine(line, (state as LineState).state);
      return { endState: new LineState(result.state), tokens: result.tokens.map((t) => ({ startIndex: t.start, scopes: t.type })) };
    },
  });
  monaco.languages.setLanguageConfiguration(id, {
    ...(name === "typescript" && { comments: { lineComment: "//", blockComment: ["/*", "*/"] as [string, string] } }),
    brackets: [
      ["{", "}"],
      ["[", "]"],
      ["(", ")"],
    ],
    autoClosingPairs: [
      { open: "{", close: "}" },
      { open: "[", close: "]" },
      { open: "(", close: ")" },
      { open: '"', close: '"', notIn: ["string", "comment"] },
      { open: "`", close: "`", notIn: ["string", "comment"] },
    ],
    indentationRules: { increaseIndentPattern: /[{([]\s*$/, decreaseIndentPattern: /^\s*[})\]]/ },
  });
}

function theme(): void {
  const dark = isDark();
  const hex = (name: string) => token(name).replace("#", "");
  monaco.editor.defineTheme("touch", {
    base: dark ? "vs-dark" : "vs",
    inherit: true,
    rules: [
      { token: "", foreground: hex("text") },
      { token: "text", foreground: hex("text") },
      { token: "keyword", foreground: hex("accent") },
      { token: "string", foreground: hex("ok") },
      { token: "number", foreground: hex("warn") },
      { token: "type", foreground: hex("stale") },
      { token: "comment", foreground: hex("text-3") },
    ],
    colors: {
      "editor.background": token("sunken"),
      "editor.foreground": token("text"),
      "editor.lineHighlightBackground": "#00000000",
      "editor.lineHighlightBorder": "#00000000",
      "editorCursor.foreground": token("text"),
      "editor.selectionBackground": `${token("accent")}40`,
      "editor.placeholder.foreground": token("text-3"),
      "editorLineNumber.foreground": token("text-3"),
      "editorWidget.background": token("surface"),
      "editorWidget.border": token("line"),
      "editorSuggestWidget.background": token("surface"),
      focusBorder: token("ring"),
    },
  });
  monaco.editor.setTheme("touch");
}
theme();
addEventListener("touch-theme", theme);

const run = (id: string, name: string) =>
  monaco.editor.addCommand({ id, run: () => void dispatchEvent(new CustomEvent("touch-command", { detail: name })) });
for (const name of ["palette", "run", "run-next", "run-insert", "run-stale", "stop", "leave", "up", "down", "next-problem"])
  run(`touch.${name}`, name);

const { KeyMod, KeyCode } = monaco;
const plain = "editorTextFocus && !suggestWidgetVisible && !findWidgetVisible && !editorHasMultipleSelections && !editorHasSelection";
monaco.editor.addKeybindingRules([
  { keybinding: KeyMod.CtrlCmd | KeyCode.KeyK, command: "touch.palette" },
  { keybinding: KeyCode.F1, command: "touch.palette" },
  { keybinding: KeyMod.CtrlCmd | KeyCode.Enter, command: "touch.run", when: "editorTextFocus" },
  // also while names are offered: a suggestion is taken with Enter or Tab
  { keybinding: KeyMod.Shift | KeyCode.Enter, command: "touch.run-next", when: "editorTextFocus && !findInputFocussed" },
  { keybinding: KeyMod.Alt | KeyCode.Enter, command: "touch.run-insert", when: "editorTextFocus && !findWidgetVisible" },
  { keybinding: KeyMod.CtrlCmd | KeyMod.Shift | KeyCode.Enter, command: "touch.run-stale", when: "editorTextFocus" },
  { keybinding: KeyMod.CtrlCmd | KeyMod.Alt | KeyCode.Period, command: "touch.stop", when: "editorTextFocus" },
  { keybinding: KeyCode.F8, command: "touch.next-problem" },
  {
    keybinding: KeyCode.Escape,
    command: "touch.leave",
    when: "editorTextFocus && !suggestWidgetVisible && !findWidgetVisible && !editorHasMultipleSelections && !inSnippetMode && !parameterHintsVisible && !renameInputVisible",
  },
  { keybinding: KeyCode.UpArrow, command: "touch.up", when: `${plain} && touchFirstLine` },
  { keybinding: KeyCode.DownArrow, command: "touch.down", when: `${plain} && touchLastLine` },
]);
