import { html, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { Control } from "../../kernels/protocol/controls.js";
import "./control.js";

/** The controls of a cell. Each stays the same element from run to run, so that the focus and the pointer stay on it. */
export const controlList = (controls: readonly Control[], number: number, off: boolean) =>
  controls.length === 0
    ? nothing
    : html`<div class="controls" role="group" aria-label="Controls of cell ${number}">
        ${repeat(
          controls,
          ({ key }) => key,
          (control) => html`<touch-control .control=${control} .off=${off}></touch-control>`,
        )}
      </div>`;
