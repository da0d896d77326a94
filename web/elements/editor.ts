/** `touch-editor`: highlighted static code until the cell is focused, hovered or clicked; then Monaco on the same pixels. */
import { html, nothing, type PropertyValues } from "lit";
import type { editor as Editor, IDisposable } from "monaco-editor/editor/editor.api.js";
import { splice } from "../controllers/splice.js";
import { highlight, type Language } from "../controllers/tokens.js";
import type { CodeProblem } from "../../kernels/protocol/language.js";
import { define, TouchElement } from "./base.js";
import { FoundMarks, type Found } from "./found.js";
import { inParts, monacoParts } from "./monaco-parts.js";

let loading: Promise<typeof import("./monaco.js")> | null = null;
let loaded: typeof import("./monaco.js") | null = null;
export const loadMonaco = (): Promise<typeof import("./monaco.js")> =>
  (loading ??= inParts(monacoParts, () => import("./monaco.js")).then((module) => (loaded = module)));

const lineHeight = 20;
const padding = 8;
/** lines of static code that are seen (notebook.css) */
const seenLines = 40;

/** The same width as the static code leaves for them (notebook.css). */
const lineNumbers = (on: boolean) => ({ lineNumbers: on ? "on" : "off", lineNumbersMinChars: on ? 3 : 0 }) as const;

export class TouchEditor extends TouchElement {
  static override properties = {
    value: { attribute: false },
    language: { attribute: false },
    readonly: { attribute: false },
    label: { attribute: false },
    hint: { attribute: false },
    cell: { attribute: false },
    problems: { attribute: false },
    found: { attribute: false },
    numbers: { attribute: false },
    mounted: { state: true },
  };
  /** the source; changes from outside are applied as the smallest splice */
  declare value: string;
  declare language: Language;
  declare readonly: boolean;
  declare label: string;
  /** the cell whose source this is, for the language service */
  declare cell: string;
  /** what the language service says about it */
  declare problems: readonly CodeProblem[];
  /** what find and replace marks in it */
  declare found: readonly Found[];
  /** with line numbers */
  declare numbers: boolean;
  /** ghost text of an empty editor */
  declare hint: string;
  declare mounted: boolean;
  #editor: Editor.IStandaloneCodeEditor | null = null;
  #model: Editor.ITextModel | null = null;
  #parts: IDisposable[] = [];
  #applying = false;
  #wantsFocus: { offset: number | "end" | null } | null = null;
  #hover: ReturnType<typeof setTimeout> | null = null;
  #far: IntersectionObserver | null = null;
  #marks = new FoundMarks();
  #here: Range | null = null;

  constructor() {
    super();
    this.value = "";
    this.language = "typescript";
    this.readonly = false;
    this.label = "code";
    this.hint = "";
    this.cell = "";
    this.problems = [];
    this.found = [];
    this.numbers = false;
    this.mounted = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.addEventListener("pointerenter", this.#onEnter);
    this.addEventListener("pointerleave", this.#onLeave);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.removeEventListener("pointerenter", this.#onEnter);
    this.removeEventListener("pointerleave", this.#onLeave);
    // a moved cell is taken out and put back in the same task
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.#unmount();
      this.#marks.clear();
      this.#model?.dispose();
      this.#model = null;
    });
  }

  #onEnter = (): void => {
    if (this.mounted || matchMedia("(pointer: coarse)").matches) return;
    this.#hover ??= setTimeout(() => void this.mount(), 80);
  };
  #onLeave = (): void => {
    if (this.#hover !== null) clearTimeout(this.#hover);
    this.#hover = null;
  };

  get focused(): boolean {
    return this.#editor?.hasTextFocus() ?? this.contains(document.activeElement);
  }

  /** Where the caret stands, in UTF-16 units; null when the editor is not open. */
  get caret(): number | null {
    const position = this.#editor?.getPosition() ?? null;
    return position === null || this.#model === null ? null : this.#model.getOffsetAt(position);
  }

  /** Opens the editor with the caret at an offset (default: where it was). */
  async focusEditor(offset: number | "end" | null = null): Promise<void> {
    this.#wantsFocus = { offset };
    await this.mount();
    this.#takeFocus();
  }

  /** Does what one of the editor's own actions does, at the caret. */
  async act(action: string): Promise<void> {
    await this.focusEditor();
    await this.#editor?.getAction(action)?.run();
  }

  /** Edits that the editor can undo; false when it is not open. They are places of the text as it is, last first. */
  applyEdits(edits: readonly { at: number; remove: number; insert: string }[]): boolean {
    const [editor, model] = [this.#editor, this.#model];
    if (editor === null || model === null || this.readonly) return false;
    const position = (at: number) => model.getPositionAt(at);
    const operations = edits.map(({ at, remove, insert }) => {
      const [from, to] = [position(at), position(at + remove)];
      const range = { startLineNumber: from.lineNumber, startColumn: from.column, endLineNumber: to.lineNumber, endColumn: to.column };
      return { range, text: insert };
    });
    editor.pushUndoStop();
    model.pushEditOperations(editor.getSelections(), operations, () => null);
    editor.pushUndoStop();
    return true;
  }

  /** The caret is not wanted any more (Escape while Monaco loads). */
  cancelFocus(): void {
    this.#wantsFocus = null;
  }

  #takeFocus(): void {
    if (this.#editor === null || this.#model === null || this.#wantsFocus === null) return;
    const { offset } = this.#wantsFocus;
    this.#wantsFocus = null;
    this.#editor.focus();
    if (offset !== null) {
      const position = this.#model.getPositionAt(offset === "end" ? this.#model.getValueLength() : offset);
      this.#editor.setPosition(position);
      this.#editor.revealPosition(position);
    }
  }

  goToLine(line: number, column = 1): void {
    void this.focusEditor().then(() => {
      this.#editor?.setPosition({ lineNumber: line, column });
      this.#editor?.revealLineInCenterIfOutsideViewport(line);
    });
  }

  async mount(): Promise<void> {
    if (this.mounted) return;
    const module = loaded ?? (await loadMonaco());
    if (this.mounted || !this.isConnected) return;
    this.mounted = true;
    await this.updateComplete;
    const host = this.querySelector<HTMLElement>(".editor-host");
    if (host === null || this.#editor !== null) return;
    const { monaco } = module;
    this.#model ??= monaco.editor.createModel(this.value, `touch-${this.language}`);
    this.#model.setEOL(0);
    if (this.language === "typescript") {
      module.language.attach(this.#model, this.cell);
      module.language.mark(this.#model, this.problems);
    }
    this.#editor = monaco.editor.create(host, {
      model: this.#model,
      theme: "touch",
      readOnly: this.readonly,
      ariaLabel: `${this.label}. Control M: Tab leaves the editor`,
      fontFamily: getComputedStyle(document.documentElement).getPropertyValue("--ts-mono"),
      fontSize: 13,
      lineHeight,
      padding: { top: padding, bottom: padding },
      minimap: { enabled: false },
      ...lineNumbers(this.numbers),
      glyphMargin: false,
      folding: false,
      lineDecorationsWidth: 12,
      overviewRulerLanes: 0,
      hideCursorInOverviewRuler: true,
      overviewRulerBorder: false,
      renderLineHighlight: "none",
      scrollBeyondLastLine: false,
      automaticLayout: true,
      fixedOverflowWidgets: true,
      wordBasedSuggestions: "currentDocument",
      // Enter after a whole word begins a line
      acceptSuggestionOnEnter: "smart",
      quickSuggestions: { other: true, comments: false, strings: false },
      tabSize: 2,
      insertSpaces: true,
      detectIndentation: false,
      occurrencesHighlight: "off",
      selectionHighlight: false,
      scrollbar: { alwaysConsumeMouseWheel: false, vertical: "auto", verticalScrollbarSize: 8, horizontalScrollbarSize: 8 },
      placeholder: this.hint,
      wordWrap: this.language === "markdown" ? "on" : "off",
      unicodeHighlight: { ambiguousCharacters: false, nonBasicASCII: false },
    });
    const editor = this.#editor;
    const first = editor.createContextKey<boolean>("touchFirstLine", true);
    const last = editor.createContextKey<boolean>("touchLastLine", true);
    const place = () => {
      const position = editor.getPosition();
      first.set(position?.lineNumber === 1);
      last.set(position?.lineNumber === this.#model?.getLineCount());
    };
    const height = () => {
      const lines = Math.min(40, this.#model?.getLineCount() ?? 1);
      host.style.height = `${Math.max(lines * lineHeight + 2 * padding, Math.min(editor.getContentHeight(), 40 * lineHeight))}px`;
      editor.layout();
    };
    this.#parts = [
      editor.onDidChangeCursorPosition(place),
      editor.onDidContentSizeChange(height),
      this.#model.onDidChangeContent((event) => {
        place();
        if (this.#applying) return;
        // Monaco gives them last first, against the text before: one splice after the other is then right
        const edits = [...event.changes]
          .sort((a, b) => b.rangeOffset - a.rangeOffset)
          .map((c) => ({ at: c.rangeOffset, remove: c.rangeLength, insert: c.text.replaceAll("\r", "") }));
        this.value = this.#model!.getValue();
        this.emit("source-edit", edits);
      }),
      editor.onKeyDown((event) => {
        // what the hint says; a comment can be begun in any other cell
        if (event.browserEvent.key !== "/" || this.hint === "" || this.#model?.getValueLength() !== 0) return;
        event.preventDefault();
        event.stopPropagation();
        dispatchEvent(new CustomEvent("touch-command", { detail: "insert-menu" }));
      }),
      editor.onDidFocusEditorText(() => {
        this.emit("editor-focus");
        this.#far?.disconnect();
      }),
      editor.onDidBlurEditorText(() => this.#watchFar()),
      ...(this.language === "typescript" ? module.addNavigation(editor) : []),
    ];
    place();
    height();
    this.#mark();
    this.#takeFocus();
    this.#watchFar();
    performance.mark("editor-ready");
  }

  /** Far from the screen and without the focus the editor goes, its model stays. */
  #watchFar(): void {
    this.#far?.disconnect();
    this.#far = new IntersectionObserver(
      (entries) => {
        if (entries.at(-1)?.isIntersecting === false && !this.focused) this.#unmount();
      },
      { rootMargin: "300% 0px" },
    );
    this.#far.observe(this);
  }

  #unmount(): void {
    this.#far?.disconnect();
    for (const part of this.#parts) part.dispose();
    this.#parts = [];
    this.#marks.clear();
    this.#editor?.dispose();
    this.#editor = null;
    this.mounted = false;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("problems") && this.#model !== null && this.language === "typescript") loaded?.language.mark(this.#model, this.problems);
    if (changed.has("readonly")) this.#editor?.updateOptions({ readOnly: this.readonly });
    if (changed.has("language") && this.#model !== null) loaded?.monaco.editor.setModelLanguage(this.#model, `touch-${this.language}`);
    if (changed.has("numbers")) this.#editor?.updateOptions(lineNumbers(this.numbers));
    if (changed.has("value") && this.#model !== null) this.#follow();
    if (changed.has("found") || (this.found.length > 0 && (changed.has("value") || changed.has("mounted")))) this.#mark();
  }

  #mark(): void {
    const code = this.querySelector("pre code");
    this.#here = null;
    if (this.#editor !== null && this.#model !== null) this.#marks.inEditor(this.#editor, this.#model, this.found);
    else if (code !== null) this.#here = this.#marks.inText(code, this.found);
  }

  /** Brings the match where the person is on the screen. */
  async revealFound(): Promise<void> {
    await this.updateComplete;
    const current = this.found.find((one) => one.current);
    if (current === undefined) return;
    const line = this.value.slice(0, current.from).split("\n").length;
    if (line > seenLines) await this.mount();
    // what is far away is not laid out
    const card = this.closest("article") ?? this;
    const { top: from, bottom: to } = card.getBoundingClientRect();
    if (to < 0 || from > innerHeight) card.scrollIntoView({ block: "center" });
    await new Promise((resolve) => requestAnimationFrame(resolve));
    let top = this.#here?.getBoundingClientRect().top;
    this.#here?.startContainer.parentElement?.scrollIntoView({ block: "nearest", inline: "nearest" });
    if (this.#editor !== null && this.#model !== null) {
      this.#editor.revealPositionInCenterIfOutsideViewport(this.#model.getPositionAt(current.from));
      top = this.getBoundingClientRect().top + this.#editor.getTopForLineNumber(line) - this.#editor.getScrollTop();
    }
    if (top !== undefined && (top < innerHeight / 4 || top > innerHeight * 0.8)) scrollBy({ top: top - innerHeight / 2 });
  }

  /** Applies a change from outside as the smallest splice. */
  #follow(): void {
    if (this.#model !== null) {
      const edit = splice(this.#model.getValue(), this.value);
      if (edit === null) return;
      const from = this.#model.getPositionAt(edit.at);
      const to = this.#model.getPositionAt(edit.at + edit.remove);
      this.#applying = true;
      this.#model.applyEdits([
        {
          range: { startLineNumber: from.lineNumber, startColumn: from.column, endLineNumber: to.lineNumber, endColumn: to.column },
          text: edit.insert,
        },
      ]);
      this.#applying = false;
    }
  }

  #click = (event: MouseEvent): void => {
    if (getSelection()?.isCollapsed === false) return;
    void this.focusEditor(this.#offsetAt(event.clientX, event.clientY));
  };

  /** Reached by Tab: the editor opens. A press of the mouse also focuses, but its click says where the caret goes. */
  #tabbed = (event: FocusEvent): void => {
    if ((event.target as Element).matches(":focus-visible")) void this.focusEditor();
  };

  /** The offset in the source under a point of the static code. */
  #offsetAt(x: number, y: number): number | "end" {
    const pre = this.querySelector("pre code");
    const at = document.caretPositionFromPoint?.(x, y) ?? null;
    const node = at?.offsetNode ?? null;
    if (pre === null || node === null || !pre.contains(node)) return "end";
    const range = document.createRange();
    range.selectNodeContents(pre);
    range.setEnd(node, at!.offset);
    return Math.min(range.toString().length, this.value.length);
  }

  protected override render() {
    if (this.mounted) return html`<div class="editor-host"></div>`;
    const lines = highlight(this.value, this.language);
    return html`<pre
      class="static-code"
      tabindex="0"
      role="group"
      aria-label=${this.label}
      data-language=${this.language}
      data-numbers=${this.numbers && this.language !== "markdown" ? lines.map((_, i) => i + 1).join("\n") : nothing}
      @click=${this.#click}
      @focus=${this.#tabbed}
    ><code>${this.value === "" ? html`<span class="tok-comment">${this.hint || " "}</span>` : nothing}${lines.map(
      (line, i) =>
        html`${i > 0 ? "\n" : nothing}${line.map((span) => (span.type === "text" ? span.text : html`<span class=${`tok-${span.type}`}>${span.text}</span>`))}`,
    )}</code></pre>`;
  }
}
define("touch-editor", TouchEditor);
