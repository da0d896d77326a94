/** `touch-value`: a value as text, or as a tree that is unfolded level by level; the kernel is asked for each level when it is opened. */
import { html, nothing, type TemplateResult } from "lit";
import type { KernelQuery, ValueChildren } from "../../kernels/protocol/document.js";
import type { ValueChild, ValueNode, ValueView } from "../../kernels/protocol/output.js";
import { integer } from "../controllers/format.js";
import { define, TouchElement } from "./base.js";
import { icon } from "./icon.js";
import "./text.js";

const step = 100;

/** What is known of one opened level. */
interface Level {
  children: ValueChild[];
  total: number;
  failure: string | null;
  asking: boolean;
}

export class TouchValue extends TouchElement {
  static override properties = {
    view: { attribute: false },
    text: { attribute: false },
    query: { attribute: false },
    tree: { state: true },
    version: { state: true },
  };
  declare view: ValueView;
  /** the value as text, shown until the tree is asked for */
  declare text: string;
  declare query: (query: KernelQuery) => Promise<unknown>;
  declare tree: boolean;
  declare version: number;
  #levels = new Map<string, Level>();
  #handle = "";

  constructor() {
    super();
    this.text = "";
    this.tree = false;
    this.version = 0;
  }

  protected override willUpdate(): void {
    if (this.view.handle === this.#handle) return;
    // another run's value
    this.#handle = this.view.handle;
    this.#levels.clear();
    if (this.tree) void this.#more([]);
  }

  async #more(path: number[]): Promise<void> {
    const key = path.join(".");
    const level: Level = this.#levels.get(key) ?? { children: [], total: 0, failure: null, asking: false };
    if (level.asking) return;
    level.asking = true;
    level.failure = null;
    this.#levels.set(key, level);
    this.version++;
    try {
      const { handle } = this.view;
      const found = (await this.query({ query: "value.children", handle, path, offset: level.children.length, limit: step })) as ValueChildren;
      level.children = [...level.children, ...found.children];
      level.total = found.total;
    } catch (error) {
      level.failure = (error as Error).message;
    }
    level.asking = false;
    this.version++;
  }

  #toggle(path: number[]): void {
    const key = path.join(".");
    if (this.#levels.has(key)) {
      for (const other of [...this.#levels.keys()]) if (other === key || other.startsWith(`${key}.`)) this.#levels.delete(other);
      this.version++;
    } else void this.#more(path);
  }

  #node(label: string | null, node: ValueNode, path: number[]): TemplateResult {
    const level = path.length === 0 ? this.#levels.get("") : this.#levels.get(path.join("."));
    const name = label === null ? nothing : html`<span class="value-key">${label}</span>`;
    return html`${
      node.size === 0
        ? html`<span class="value-leaf">${name} <code>${node.text}</code></span>`
        : html`<button class="value-fold" aria-expanded=${String(level !== undefined)} @click=${() => this.#toggle(path)}>
            ${icon(level === undefined ? "chevron-right" : "chevron-down")} ${name} <code>${node.text}</code>
          </button>`
    }${level === undefined ? nothing : this.#level(level, path)}`;
  }

  #level(level: Level, path: number[]): TemplateResult {
    const left = level.total - level.children.length;
    return html`<ul class="value-children">
      ${level.children.map((child, i) => html`<li>${this.#node(child.key, child.node, [...path, i])}</li>`)}
      ${level.asking ? html`<li class="hint" role="status">Asking the kernel</li>` : nothing}
      ${level.failure !== null ? html`<li class="inline-error" role="alert">${level.failure}</li>` : nothing}
      ${
        left > 0 && !level.asking
          ? html`<li>
              <button class="link" @click=${() => void this.#more(path)}>${integer(left)} more: show ${integer(Math.min(step, left))}</button>
            </li>`
          : nothing
      }
    </ul>`;
  }

  #show(tree: boolean): void {
    this.tree = tree;
    if (tree && !this.#levels.has("")) void this.#more([]);
  }

  protected override render() {
    return html`${this.tree ? html`<div class="value-tree">${this.#node(null, this.view.node, [])}</div>` : html`<touch-text .text=${this.text} .name=${"value"}></touch-text>`}
      <button class="link value-switch" @click=${() => this.#show(!this.tree)}>${this.tree ? "Show as text" : "Unfold as a tree"}</button>`;
  }
}
define("touch-value", TouchValue);
