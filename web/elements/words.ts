import { html, type TemplateResult } from "lit";

/** A sentence with `names` in backticks set as code. */
export function words(text: string): TemplateResult[] {
  return text.split(/(`[^`\n]+`)/).map((part) => (/^`.+`$/.test(part) ? html`<code>${part.slice(1, -1)}</code>` : html`${part}`));
}
