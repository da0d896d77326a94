/** One field with its button, and what was wrong with the last try below it. */
import { html, nothing, type TemplateResult } from "lit";
import { icon } from "./icon.js";

export interface AddForm {
  /** of the field */
  name: string;
  label: string;
  placeholder: string;
  /** characters */
  most?: number;
  sign: string;
  action: string;
  wrong: string | null;
  /** nothing may be typed */
  off?: boolean;
  /** nothing may be sent yet */
  busy?: boolean;
  submit(input: HTMLInputElement): void;
}

export function addForm({ name, label, placeholder, most = 2000, sign, action, wrong, off = false, busy = false, submit }: AddForm): TemplateResult {
  return html`<form
    class="package-add"
    @submit=${(event: Event) => {
      event.preventDefault();
      submit((event.currentTarget as HTMLFormElement).elements.namedItem(name) as HTMLInputElement);
    }}
  >
    <label for="${name}-name">${label}</label>
    <div class="package-line">
      <input
        id="${name}-name"
        name=${name}
        maxlength=${most}
        placeholder=${placeholder}
        autocomplete="off"
        autocapitalize="off"
        spellcheck="false"
        ?disabled=${off}
        aria-describedby=${wrong === null ? nothing : `${name}-wrong`}
      />
      <button class="small" ?disabled=${off || busy}>${icon(sign)} ${action}</button>
    </div>
    ${wrong === null ? nothing : html`<p class="field-error" id="${name}-wrong" role="alert">${wrong}</p>`}
  </form>`;
}
