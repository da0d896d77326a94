/** `touch-form`: a built-in cell's call as fields. Each field is one literal or name of the source; the server writes the smallest edit. */
import { html, nothing, type TemplateResult } from "lit";
import type { CellDefinition, FormField, ScopeName } from "../../kernels/protocol/cells.js";
import type { CallField, CallView } from "../../kernels/protocol/document.js";
import { schemaErrors } from "../controllers/check.js";
import { define, TouchElement } from "./base.js";
import { icon } from "./icon.js";
import { words } from "./words.js";

type Value = CallField["value"];

const literal = (value: string | number | boolean | null): Value => ({ type: "literal", value });

/** What a field shows now: the call's own value, else the default. */
export function fieldText(value: Value | undefined): string {
  if (value === undefined) return "";
  switch (value.type) {
    case "literal":
      return value.value === null ? "" : String(value.value);
    case "name":
      return value.name;
    case "list":
      return value.items.map(fieldText).join(", ");
    case "code":
      return value.text;
  }
}

/** A typed list "0.8, 0.1, x" as literals. */
export function parseList(text: string): Value {
  const items = text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map((part): Value =>
      literal(
        /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(part)
          ? Number(part)
          : part === "true"
            ? true
            : part === "false"
              ? false
              : part.replace(/^(["'])(.*)\1$/, "$2"),
      ),
    );
  return { type: "list", items };
}

export class TouchForm extends TouchElement {
  static override properties = {
    definition: { attribute: false },
    view: { attribute: false },
    scope: { attribute: false },
    readonly: { attribute: false },
    errors: { state: true },
    open: { state: true },
  };
  declare definition: CellDefinition;
  declare view: CallView | null;
  /** names that the call may read */
  declare scope: ScopeName[];
  declare readonly: boolean;
  declare errors: Record<string, string>;
  declare open: boolean;

  constructor() {
    super();
    this.view = null;
    this.scope = [];
    this.readonly = false;
    this.errors = {};
    this.open = false;
  }

  get #fields(): Map<string, CallField> {
    const fields = new Map(this.view?.ok === true ? this.view.fields.map((field) => [field.path, field]) : []);
    // a text in the place of an object is its name: `optimizer: "sgd"`
    for (const { path } of this.definition.fields) {
      const short = path.endsWith(".name") && !fields.has(path) ? fields.get(path.slice(0, -".name".length)) : undefined;
      if (short?.value.type === "literal" && typeof short.value.value === "string") fields.set(path, { ...short, path });
    }
    return fields;
  }

  #shown(field: FormField, fields: Map<string, CallField>): boolean {
    if (field.when === undefined) return true;
    const other = fields.get(field.when.path)?.value;
    const value =
      other === undefined
        ? this.definition.fields.find((f) => f.path === field.when!.path)?.default
        : other.type === "literal"
          ? other.value
          : undefined;
    return value === undefined ? field.when.is.includes(undefined) : field.when.is.includes(value);
  }

  #send(field: FormField, value: Value | undefined): void {
    const own =
      value !== undefined && value.type === "literal"
        ? this.#check(field, value.value)
        : value === undefined && field.required === true
          ? "is required"
          : null;
    const replaced = (path: string) => path === field.path || (field.whole !== undefined && path.startsWith(`${field.whole}.`));
    const others = [...this.#fields.values()].filter((other) => !replaced(other.path));
    const error =
      own !== null
        ? `${field.label} ${own}`
        : value === undefined || field.whole !== undefined
          ? null
          : (schemaErrors(this.definition.schema, [...others, { path: field.path, value }]).get(field.path) ?? null);
    this.errors = { ...this.errors, [field.path]: error ?? "" };
    if (error !== null) return;
    // what equals the default is left out of the source
    const same = value?.type === "literal" && field.default !== undefined && value.value === field.default;
    const source = value?.type === "literal" ? field.choices?.find((choice) => choice.value === value.value)?.source : undefined;
    const written: Value | undefined = source === undefined ? value : { type: "code", text: source };
    this.emit("form-field", { path: field.whole ?? field.path, value: same ? undefined : written });
  }

  #check(field: FormField, value: unknown): string | null {
    if (field.control !== "number") return null;
    const n = Number(value);
    if (!Number.isFinite(n)) return "is not a number";
    if (field.min !== undefined && n < field.min) return `must be at least ${field.min}`;
    if (field.max !== undefined && n > field.max) return `must be at most ${field.max}`;
    return null;
  }

  /** Columns of the relation or split that another field names. */
  #columns(field: FormField, fields: Map<string, CallField>): { name: string; type: string }[] {
    const of = field.of === undefined ? undefined : fields.get(field.of)?.value;
    return of?.type === "name" ? (this.scope.find((name) => name.name === of.name)?.columns ?? []) : [];
  }

  #control(field: FormField, now: CallField | undefined, fields: Map<string, CallField>): TemplateResult {
    const id = `${this.#id}-${field.path}`;
    const off = this.readonly || now?.readOnly !== undefined;
    const text = fieldText(now?.value);
    const shadow =
      field.default === undefined || field.default === null
        ? ""
        : Array.isArray(field.default)
          ? field.default.join(", ")
          : typeof field.default === "object"
            ? JSON.stringify(field.default)
            : String(field.default);
    const described = `${id}-help`;
    const invalid = this.errors[field.path] || this.#refused.has(field.path) ? "true" : "false";
    if (now?.value.type === "code" || (now?.readOnly !== undefined && now.value.type !== "literal"))
      return html`<span class="from-code" id=${id} title=${now.readOnly ?? "an expression"}
        ><code>${text}</code> <span class="hint">from code</span>
        <button type="button" class="link" @click=${() => this.emit("show-code")}>Edit</button></span
      >`;
    switch (field.control) {
      case "name": {
        const fitting = this.scope.filter((name) => field.accepts === undefined || field.accepts.includes(name.type));
        const known = fitting.some((name) => name.name === text);
        return html`<select
          id=${id}
          ?disabled=${off}
          aria-describedby=${described}
          @change=${(event: Event) => {
            const chosen = (event.target as HTMLSelectElement).value;
            this.#send(field, chosen === "" ? undefined : { type: "name", name: chosen });
          }}
        >
          <option value="" ?selected=${text === ""}>${field.required === true ? "choose" : "none"}</option>
          ${!known && text !== "" ? html`<option value=${text} selected>${text}</option>` : nothing}
          ${fitting.map((name) => html`<option value=${name.name} ?selected=${name.name === text}>${name.name} (${name.type})</option>`)}
        </select>`;
      }
      case "choice":
        return html`<select
          id=${id}
          ?disabled=${off}
          aria-describedby=${described}
          @change=${(event: Event) => {
            const choice = field.choices?.[(event.target as HTMLSelectElement).selectedIndex - (field.default === undefined ? 1 : 0)];
            this.#send(field, choice === undefined ? undefined : literal(choice.value));
          }}
        >
          ${field.default === undefined ? html`<option ?selected=${now === undefined}>${field.required === true ? "choose" : "automatic"}</option>` : nothing}
          ${(field.choices ?? []).map((choice) => html`<option ?selected=${now === undefined ? choice.value === field.default : String(choice.value) === text}>${choice.label}</option>`)}
        </select>`;
      case "boolean":
        return html`<input
          id=${id}
          type="checkbox"
          ?disabled=${off}
          aria-describedby=${described}
          .checked=${now === undefined ? field.default === true : text === "true"}
          @change=${(event: Event) => this.#send(field, literal((event.target as HTMLInputElement).checked))}
        />`;
      default: {
        const columns = field.control === "column" ? this.#columns(field, fields) : [];
        return html`<input
            id=${id}
            type=${field.control === "number" ? "number" : "text"}
            min=${field.min ?? nothing}
            max=${field.max ?? nothing}
            step=${field.control === "number" ? (field.step ?? "any") : nothing}
            list=${columns.length > 0 ? `${id}-columns` : nothing}
            ?disabled=${off}
            placeholder=${shadow}
            aria-describedby=${described}
            aria-invalid=${invalid}
            .value=${text}
            @change=${(event: Event) => this.#send(field, typed(field.control, (event.target as HTMLInputElement).value))}
          />
          ${field.unit === undefined ? nothing : html`<span class="unit">${field.unit}</span>`}
          ${columns.length > 0 ? html`<datalist id=${`${id}-columns`}>${columns.map((column) => html`<option value=${column.name}>${column.type}</option>`)}</datalist>` : nothing}`;
      }
    }
  }

  /** what the schema refuses of the code as it stands */
  #refused = new Map<string, string>();
  #id = `form${++forms}`;

  #row(field: FormField, fields: Map<string, CallField>): TemplateResult {
    const id = `${this.#id}-${field.path}`;
    const error = this.errors[field.path] || this.#refused.get(field.path);
    return html`<div class="field">
      <label for=${id}>${field.label}${field.required === true ? html`<span class="required" title="required">*</span>` : nothing}</label>
      <div class="control">${this.#control(field, fields.get(field.path), fields)}</div>
      <p class="help" id=${`${id}-help`}>
        ${error ? html`<span class="inline-error">${icon("triangle-alert")} ${words(error)}</span>` : (field.help ?? "")}
      </p>
    </div>`;
  }

  protected override render() {
    if (this.view === null) return html`<p class="form-note">Reading the call.</p>`;
    if (!this.view.ok)
      return html`<p class="form-note">
        ${icon("code")} The code is ahead of the form: ${this.view.reason}
        <button class="link" @click=${() => this.emit("show-code")}>Show code</button>
      </p>`;
    const fields = this.#fields;
    this.#refused = schemaErrors(this.definition.schema, fields.values());
    const all = this.definition.fields.filter((field) => this.#shown(field, fields));
    const basic = all.filter((field) => field.advanced !== true);
    const more = all.filter((field) => field.advanced === true);
    const wrong = more.some((field) => this.errors[field.path] || this.#refused.has(field.path));
    const set = more.filter((field) => fields.has(field.path)).map((field) => field.label);
    const known = new Set(this.definition.fields.map((field) => field.path));
    const other = this.view.fields.filter((field) => !known.has(field.path) && ![...known].some((path) => path.startsWith(`${field.path}.`)));
    return html`<div class="form" role="group" aria-label=${this.definition.title}>
      <p class="question">${this.definition.question}</p>
      <div class="fields">${basic.map((field) => this.#row(field, fields))}</div>
      ${
        more.length > 0
          ? html`<details ?open=${wrong || this.open}>
              <summary>More (${more.length})${set.length > 0 ? html`<span class="hint">, set: ${set.join(", ")}</span>` : nothing}</summary>
              <div class="fields">${more.map((field) => this.#row(field, fields))}</div>
            </details>`
          : nothing
      }
      ${
        other.length > 0
          ? html`<p class="hint">
              Also in the code:
              ${other.map((field, i) => html`${i > 0 ? ", " : ""}<code>${field.path}: ${fieldText(field.value).slice(0, 60)}</code>`)}
              <button class="link" @click=${() => this.emit("show-code")}>Edit</button>
            </p>`
          : nothing
      }
      <p class="hint">Result: <code>${this.view.result ?? "(no name)"}</code></p>
    </div>`;
  }
}
let forms = 0;

/** What was typed, as the call's value; undefined: the field is left out. */
function typed(control: FormField["control"], value: string): CallField["value"] | undefined {
  if (value.trim() === "") return undefined;
  switch (control) {
    case "number":
      return literal(Number(value));
    case "list":
      return parseList(value.trim());
    case "json":
      return { type: "code", text: value };
    default:
      return literal(value);
  }
}
define("touch-form", TouchForm);
