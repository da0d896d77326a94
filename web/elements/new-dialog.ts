/** The dialog that makes one new thing: a few fields, Create, Cancel, and what went wrong. */
import { html, nothing, type TemplateResult } from "lit";
import { icon } from "./icon.js";

export interface NewDialog {
  id: string;
  title: string;
  /** labels with their inputs */
  fields: TemplateResult;
  failure: string | null;
  create(event: SubmitEvent): void;
  closed?(): void;
}

export function newDialog({ id, title, fields, failure, create, closed }: NewDialog): TemplateResult {
  const close = (event: Event): void => (event.currentTarget as HTMLElement).closest("dialog")!.close();
  return html`<dialog class="new-dialog" aria-labelledby=${id} @close=${closed ?? nothing}>
    <h2 id=${id}>${title}</h2>
    <form class="new-form" @submit=${create}>
      ${fields}
      <div class="row">
        <button class="primary">Create</button>
        <button type="button" @click=${close}>Cancel</button>
      </div>
    </form>
    ${failure !== null ? html`<p class="inline-error" role="alert">${icon("triangle-alert")} ${failure}</p>` : nothing}
  </dialog>`;
}
