/** `touch-settings`: theme, the name that others see, and the doctor. */
import { html, nothing } from "lit";
import type { DoctorCheck } from "../../kernels/protocol/http.js";
import { api } from "../controllers/api.js";
import { copy } from "../controllers/download.js";
import { Load } from "../controllers/load.js";
import { chosenTheme, setTheme, type Theme } from "../controllers/theme.js";
import { define, TouchElement } from "../elements/base.js";
import { icon } from "../elements/icon.js";

const states: Record<DoctorCheck["state"], { icon: string; style: string }> = {
  ok: { icon: "circle-check", style: "status-ok" },
  warning: { icon: "triangle-alert", style: "status-warn" },
  missing: { icon: "circle-slash", style: "hint" },
  error: { icon: "circle-x", style: "status-error" },
};

export class TouchSettings extends TouchElement {
  static override properties = { copied: { state: true } };
  declare copied: string | null;
  #doctor = new Load<DoctorCheck[] | { checks: DoctorCheck[] }>(this, () => api.get("/api/ts/doctor"));

  constructor() {
    super();
    this.copied = null;
  }
  override connectedCallback(): void {
    super.connectedCallback();
    document.title = "Settings · Touchstone";
  }

  protected override render() {
    const theme = chosenTheme();
    const { value, error } = this.#doctor;
    const checks = value === null ? [] : Array.isArray(value) ? value : value.checks;
    return html`<div class="page settings">
      <h1>Settings</h1>
      <section>
        <h2 id="h-theme">Theme</h2>
        <div class="choice" role="radiogroup" aria-labelledby="h-theme">
          ${(["system", "light", "dark"] as Theme[]).map(
            (name) =>
              html`<label
                ><input
                  type="radio"
                  name="theme"
                  value=${name}
                  .checked=${name === theme}
                  @change=${() => {
                    setTheme(name);
                    this.requestUpdate();
                  }}
                />
                ${{ system: "As the system", light: "Light", dark: "Dark" }[name]}</label
              >`,
          )}
        </div>
      </section>
      <section>
        <h2>Your name</h2>
        <label
          >Shown to others while you write
          <input
            .value=${localStorage.getItem("touchstone.name") ?? ""}
            maxlength="40"
            @change=${(event: Event) => {
              const name = (event.target as HTMLInputElement).value.trim();
              if (name === "") localStorage.removeItem("touchstone.name");
              else localStorage.setItem("touchstone.name", name);
            }}
        /></label>
      </section>
      <section>
        <h2>Doctor</h2>
        ${error !== null ? html`<p class="inline-error" role="alert">${icon("triangle-alert")} ${error}</p>` : nothing}
        ${value === null && error === null ? html`<p class="hint" aria-busy="true">Checking</p>` : nothing}
        ${
          checks.length === 0
            ? nothing
            : html`<div class="table-scroll">
                <table class="rows doctor">
                  <thead>
                    <tr>
                      <th scope="col">Check</th>
                      <th scope="col">State</th>
                      <th scope="col">Found</th>
                      <th scope="col">Why</th>
                      <th scope="col">Fix</th>
                    </tr>
                  </thead>
                  <tbody>
                    ${checks.map(
                      (check) =>
                        html`<tr>
                          <th scope="row">${check.name}</th>
                          <td class="nowrap ${states[check.state].style}">${icon(states[check.state].icon)} ${check.state}</td>
                          <td>${check.found}</td>
                          <td>${check.why ?? ""}</td>
                          <td>
                            ${check.fix === undefined ? nothing : html`<code>${check.fix}</code> <button class="small" @click=${async () => (this.copied = (await copy(check.fix!)) ? check.name : null)}>${icon("copy")} ${this.copied === check.name ? "Copied" : "Copy"}</button>`}
                          </td>
                        </tr>`,
                    )}
                  </tbody>
                </table>
              </div>`
        }
      </section>
    </div>`;
  }
}
define("touch-settings", TouchSettings);
