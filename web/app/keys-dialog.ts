/** The table of all keys, by where they work. */
import { html, type TemplateResult } from "lit";
import { actions } from "./actions.js";
import { isMac, keyText } from "./keys.js";

const places = {
  anywhere: "Anywhere",
  outside: "Outside of text",
  cells: "In the cells",
  editor: "While code is edited",
  selected: "With a cell selected",
} as const;

export const keysDialog = (): TemplateResult =>
  html`<dialog class="keys" aria-labelledby="keys-title">
    <header class="row">
      <h2 id="keys-title">Keyboard</h2>
      <form method="dialog"><button>Close</button></form>
    </header>
    <div class="keys-list">
      ${Object.entries(places).map(
        ([where, title]) =>
          html`<section>
            <h3>${title}</h3>
            <dl>
              ${actions
                .filter((action) => action.where === where && action.keys.length > 0)
                .map(
                  (action) =>
                    html`<div>
                      <dt>${action.keys.map((key) => html`<kbd>${keyText(key, isMac())}</kbd> `)}</dt>
                      <dd>${action.label}</dd>
                    </div>`,
                )}
            </dl>
          </section>`,
      )}
    </div>
  </dialog>`;
