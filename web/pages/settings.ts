/** `touch-settings`: theme, the name that others see, limits of kernels, and the doctor. */
import { html, nothing } from "lit";
import type { DoctorCheck, SettingsView } from "../../kernels/protocol/http.js";
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
  static override properties = { copied: { state: true }, told: { state: true } };
  declare copied: string | null;
  /** what was kept last, or could not be */
  declare told: { field: string; text: string; failed: boolean } | null;
  #settings = new Load<SettingsView>(this, () => api.get("/api/ts/settings"));
  #doctor = new Load<DoctorCheck[] | { checks: DoctorCheck[] }>(this, () => api.get("/api/ts/doctor"));

  constructor() {
    super();
    this.copied = null;
    this.told = null;
  }
  override connectedCallback(): void {
    super.connectedCallback();
    document.title = "Settings · Touchstone";
  }

  /** An empty field goes back to the default. */
  async #keep(field: "idleHours" | "memory" | "cache", input: HTMLInputElement, unit: number): Promise<void> {
    try {
      if (!input.checkValidity()) throw new Error(input.validationMessage);
      const value = input.value.trim() === "" ? null : Number(input.value);
      this.#settings.value = await api.post<SettingsView>("/api/ts/settings", {
        [field]: value === null || unit === 1 ? value : Math.round(value * unit),
      });
      this.told = { field, text: "Saved", failed: false };
    } catch (error) {
      this.told = { field, text: (error as Error).message, failed: true };
    }
  }

  #kernels({ idle, memory, cache }: SettingsView) {
    const told = (field: string) =>
      this.told?.field !== field
        ? nothing
        : html`<span class=${this.told.failed ? "inline-error" : "hint"} role=${this.told.failed ? "alert" : "status"}>${this.told.text}</span>`;
    const gigabytes = (bytes: number) => Math.floor((bytes / 2 ** 30) * 100) / 100;
    return html`<div class="setting">
        <label for="s-idle">Shut down a kernel after so many hours without use</label>
        <input
          id="s-idle"
          type="number"
          inputmode="decimal"
          min="0"
          max=${idle.most}
          step="any"
          aria-describedby="s-idle-hint"
          ?disabled=${idle.fixed}
          .value=${String(idle.hours)}
          @change=${(event: Event) => this.#keep("idleHours", event.target as HTMLInputElement, 1)}
        />
        <span>hours</span> ${told("idleHours")}
        <p class="hint" id="s-idle-hint">
          ${idle.fixed ? "Set by --idle or TOUCHSTONE_IDLE when this server was started." : `0: never. ${idle.default} where nothing is set. Outputs stay, variables go.`}
        </p>
      </div>
      <div class="setting">
        <label for="s-memory">Memory that a kernel may take</label>
        <input
          id="s-memory"
          type="number"
          inputmode="decimal"
          min=${gigabytes(memory.least)}
          max=${gigabytes(memory.most)}
          step="any"
          aria-describedby="s-memory-hint"
          ?disabled=${memory.fixed}
          .value=${String(gigabytes(memory.bytes))}
          @change=${(event: Event) => this.#keep("memory", event.target as HTMLInputElement, 2 ** 30)}
        />
        <span>GB</span> ${told("memory")}
        <p class="hint" id="s-memory-hint">
          ${memory.fixed ? "Set by TOUCHSTONE_MEMORY when this server was started." : `From ${gigabytes(memory.least)} to ${gigabytes(memory.most)} on this machine; ${gigabytes(memory.default)} where nothing is set.`}
          It holds for kernels that start from now on. A notebook whose limit was raised keeps its own.
        </p>
      </div>
      <div class="setting">
        <label for="s-cache">Disk that results of cached cells may take in a workspace</label>
        <input
          id="s-cache"
          type="number"
          inputmode="decimal"
          min=${gigabytes(cache.least)}
          max=${gigabytes(cache.most)}
          step="any"
          aria-describedby="s-cache-hint"
          .value=${String(gigabytes(cache.bytes))}
          @change=${(event: Event) => this.#keep("cache", event.target as HTMLInputElement, 2 ** 30)}
        />
        <span>GB</span> ${told("cache")}
        <p class="hint" id="s-cache-hint">
          ${gigabytes(cache.default)} where nothing is set. Past it, results go that were of no use for longest. It holds for kernels that start from
          now on.
        </p>
      </div>`;
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
        <h2>Kernels</h2>
        ${this.#settings.error !== null ? html`<p class="inline-error" role="alert">${icon("triangle-alert")} ${this.#settings.error}</p>` : nothing}
        ${this.#settings.value === null ? nothing : this.#kernels(this.#settings.value)}
      </section>
      <section>
        <h2>Doctor</h2>
        ${error !== null ? html`<p class="inline-error" role="alert">${icon("triangle-alert")} ${error}</p>` : nothing}
        ${value === null && error === null ? html`<p class="hint" aria-busy="true">Checking</p>` : nothing}
        ${
          checks.length === 0
            ? nothing
            : html`<ul class="doctor">
                ${checks.map(
                  (check) =>
                    html`<li>
                      <strong>${check.name}</strong>
                      <span class="nowrap ${states[check.state].style}">${icon(states[check.state].icon)} ${check.state}</span>
                      <span class="found"
                        >${check.found}${check.why === undefined ? nothing : html`<span class="hint">${check.why}</span>`}
                        ${
                          check.fix === undefined
                            ? nothing
                            : html`<span class="row"
                                ><code>${check.fix}</code>
                                <button class="small" @click=${async () => (this.copied = (await copy(check.fix!)) ? check.name : null)}>
                                  ${icon("copy")} ${this.copied === check.name ? "Copied" : "Copy"}
                                </button></span
                              >`
                        }</span
                      >
                    </li>`,
                )}
              </ul>`
        }
      </section>
    </div>`;
  }
}
define("touch-settings", TouchSettings);
