/** Controls whose value is one or some of a list. */
import { html, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import type { ControlSpec, ControlValue } from "../../kernels/protocol/controls.js";

/** options up to which several are chosen by boxes, all in sight; more are a list that scrolls */
export const listed = 12;

export function choices(
  id: string,
  spec: Extract<ControlSpec, { type: "select" | "multiple" | "radio" }>,
  value: ControlValue,
  off: boolean,
  choose: (value: ControlValue) => void,
): TemplateResult {
  const { options } = spec;
  if (spec.type === "radio")
    return html`${options.map(
      (option) =>
        html`<label
          ><input type="radio" name=${id} ?disabled=${off} .checked=${live(option === value)} @change=${() => choose(option)} /> ${option}</label
        >`,
    )}`;
  const chosen = new Set(Array.isArray(value) ? value : [value as string]);
  const some = (pick: (option: string) => boolean) => choose(options.filter(pick));
  if (spec.type === "multiple" && options.length <= listed)
    return html`${options.map(
      (option) =>
        html`<label
          ><input
            type="checkbox"
            ?disabled=${off}
            .checked=${live(chosen.has(option))}
            @change=${(event: Event) => some((other) => (other === option ? (event.target as HTMLInputElement).checked : chosen.has(other)))}
          />
          ${option}</label
        >`,
    )}`;
  const change = (event: Event) => {
    const select = event.target as HTMLSelectElement;
    if (spec.type === "select") choose(options[select.selectedIndex]!);
    else some((option) => [...select.selectedOptions].some((one) => options[one.index] === option));
  };
  return html`<select id=${id} ?multiple=${spec.type === "multiple"} size=${spec.type === "multiple" ? 8 : 1} ?disabled=${off} @change=${change}>
    ${options.map((option) => html`<option .selected=${live(chosen.has(option))}>${option}</option>`)}
  </select>`;
}
