/** `touch-live`: what is served now, who gets how much of the traffic, how it does, and a request to try. */
import { html, nothing } from "lit";
import type { ModelView, VersionView } from "../../kernels/protocol/http.js";
import type { Field } from "../../kernels/protocol/values.js";
import { api } from "../controllers/api.js";
import { callOf, curl, fetchCode, fieldText, pythonCode, readField, sameAnswer } from "../controllers/calls.js";
import { copy } from "../controllers/download.js";
import { figure, integer, percent } from "../controllers/format.js";
import { Load } from "../controllers/load.js";
import { define, TouchElement } from "../elements/base.js";
import { icon } from "../elements/icon.js";
import { spark } from "../elements/spark.js";
import { previousChampion } from "../controllers/champion.js";
import { historyText, historyView } from "./model.js";
import { modelHref, range } from "./models.js";

interface Answer {
  value: unknown;
  version: string | null;
  ms: number;
  ok: boolean;
  text: string;
}

export class TouchLive extends TouchElement {
  static override properties = {
    name: { attribute: false },
    version: { state: true },
    record: { state: true },
    row: { state: true },
    answer: { state: true },
    busy: { state: true },
    copied: { state: true },
    failure: { state: true },
    language: { state: true },
    share: { state: true },
  };
  declare name: string;
  declare version: VersionView | null;
  declare record: Record<string, unknown> | null;
  declare row: number;
  declare answer: Answer | null;
  declare busy: boolean;
  declare copied: boolean;
  declare failure: string | null;
  declare language: "curl" | "fetch" | "Python";
  declare share: number | null;
  #load = new Load<ModelView>(
    this,
    () => this.#get(),
    1000,
    () => this.name,
  );

  constructor() {
    super();
    this.version = null;
    this.record = null;
    this.row = 0;
    this.answer = null;
    this.busy = false;
    this.copied = false;
    this.failure = null;
    this.language = "curl";
    this.share = null;
  }

  async #get(): Promise<ModelView> {
    const view = await api.get<ModelView>(`/api/ts/models/${encodeURIComponent(this.name)}`);
    const { champion } = view.model;
    if (this.version !== null && this.version.name !== this.name) this.version = null;
    if (champion !== null && this.version?.version !== champion) {
      this.version = await api.get<VersionView>(`/api/ts/models/${encodeURIComponent(this.name)}/versions/${champion}`);
      this.#choose(0);
    }
    return view;
  }

  #choose(row: number): void {
    this.row = row;
    this.record = { ...this.version?.sample[row]?.record };
    this.answer = null;
  }

  protected override willUpdate(): void {
    document.title = `${this.name} live · Touchstone`;
  }

  async #post(path: string, body?: unknown): Promise<void> {
    this.busy = true;
    this.failure = null;
    try {
      await api.post(`/api/ts/models/${encodeURIComponent(this.name)}/${path}`, body);
    } catch (error) {
      this.failure = (error as Error).message;
    }
    this.busy = false;
    await this.#load.refresh();
  }

  async #send(): Promise<void> {
    const call = callOf(location.origin, this.name, this.record ?? {});
    this.busy = true;
    const from = performance.now();
    try {
      const answer = await fetch(call.url, { method: "POST", headers: { "content-type": "application/json" }, body: call.body });
      const text = await answer.text();
      const ms = performance.now() - from;
      let value: unknown = null;
      try {
        value = (JSON.parse(text) as { predictions?: unknown[] }).predictions?.[0] ?? null;
      } catch {}
      this.answer = { value, version: answer.headers.get("x-touchstone-version"), ms, ok: answer.ok, text };
    } catch (error) {
      this.answer = { value: null, version: null, ms: 0, ok: false, text: (error as Error).message };
    }
    this.busy = false;
    await this.#load.refresh();
  }

  #edited(): boolean {
    return JSON.stringify(this.record) !== JSON.stringify(this.version?.sample[this.row]?.record);
  }

  #field(field: Field) {
    const id = `try-${field.name}`;
    const set = (value: unknown) => {
      this.record = { ...this.record, [field.name]: value };
      this.answer = null;
    };
    const now = this.record?.[field.name];
    const hint = field.range !== undefined ? `trained on ${range(field.range)}` : field.type;
    return html`<div class="field">
      <label for=${id}>${field.name}${field.nullable ? "" : html`<span class="required">*</span>`}</label>
      <div class="control">
        ${
          field.type === "boolean"
            ? html`<input
                id=${id}
                type="checkbox"
                .checked=${now === true}
                @change=${(event: Event) => set((event.target as HTMLInputElement).checked)}
              />`
            : html`<input
                  id=${id}
                  aria-describedby=${`${id}-help`}
                  type=${field.type === "double" || field.type === "integer" ? "number" : "text"}
                  step="any"
                  list=${field.seen === undefined ? nothing : `${id}-seen`}
                  .value=${fieldText(now)}
                  @change=${(event: Event) => set(readField(field, (event.target as HTMLInputElement).value))}
                />${field.seen === undefined ? nothing : html`<datalist id=${`${id}-seen`}>${field.seen.slice(0, 200).map((value) => html`<option value=${value}></option>`)}</datalist>`}`
        }
      </div>
      <p class="help" id=${`${id}-help`}>${hint}</p>
    </div>`;
  }

  #try(version: VersionView) {
    const { sample, signature } = version;
    const call = callOf(location.origin, this.name, this.record ?? {});
    const code = this.language === "curl" ? curl(call) : this.language === "fetch" ? fetchCode(call) : pythonCode(call);
    const own = this.#edited() ? null : (sample[this.row]?.prediction ?? null);
    const { answer } = this;
    // wide inputs (an image's pixels) are one JSON text
    const wide = signature.inputs.some((field) => field.type === "image" || field.type === "double[]") || signature.inputs.length > 40;
    return html`<section class="card stack" aria-labelledby="h-try">
      <div class="section-head">
        <h2 id="h-try">Try it</h2>
        ${
          sample.length > 0
            ? html`<label
                >Sample row
                <select @change=${(event: Event) => this.#choose((event.target as HTMLSelectElement).selectedIndex)}>
                  ${sample.map((_, i) => html`<option ?selected=${i === this.row}>${i + 1}</option>`)}
                </select></label
              >`
            : nothing
        }
      </div>
      <form
        @submit=${(event: Event) => {
          event.preventDefault();
          void this.#send();
        }}
        @keydown=${(event: KeyboardEvent) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
            event.preventDefault();
            void this.#send();
          }
        }}
      >
        ${
          wide
            ? html`<label class="json"
                >Record as JSON
                <textarea
                  rows="5"
                  spellcheck="false"
                  .value=${JSON.stringify(this.record ?? {})}
                  @change=${(event: Event) => {
                    try {
                      this.record = JSON.parse((event.target as HTMLTextAreaElement).value) as Record<string, unknown>;
                      this.failure = null;
                    } catch (error) {
                      this.failure = `The record is not JSON: ${(error as Error).message}`;
                    }
                  }}
                ></textarea>
              </label>`
            : html`<div class="fields">${signature.inputs.map((field) => this.#field(field))}</div>`
        }
        <div class="row">
          <button class="primary" ?disabled=${this.busy}>${icon("play")} Send</button>
          <kbd>Ctrl+Enter</kbd>
        </div>
      </form>
      <div aria-live="polite">
        ${
          answer === null
            ? nothing
            : answer.ok
              ? html`<p class="answer">
                  <strong class="number">${show(answer.value, signature.output.classes)}</strong>
                  <span class="hint">${answer.version === null ? "" : `v${answer.version} · `}${figure(answer.ms)} ms</span>
                  ${
                    own === null
                      ? nothing
                      : sameAnswer(answer.value, own)
                        ? html`<span class="status-ok"
                            >${icon("circle-check")} equals the notebook's own answer, ${show(own, signature.output.classes)}</span
                          >`
                        : html`<span class="status-error"
                            >${icon("circle-x")} differs from the notebook's own answer, ${show(own, signature.output.classes)}</span
                          >`
                  }
                </p>`
              : html`<p class="inline-error">${icon("circle-x")} ${answer.text}</p>`
        }
      </div>
      <div class="code-copy">
        <div class="tabs" role="tablist" aria-label="Request as code">
          ${(["curl", "fetch", "Python"] as const).map((language) => html`<button role="tab" aria-selected=${String(language === this.language)} aria-controls="call-code" @click=${() => (this.language = language)}>${language}</button>`)}
        </div>
        <pre id="call-code" role="tabpanel" tabindex="0" aria-label=${this.language}>${code}</pre>
        <button
          class="small"
          @click=${async () => {
            this.copied = await copy(code);
            setTimeout(() => (this.copied = false), 3000);
          }}
        >
          ${icon("copy")} ${this.copied ? "Copied" : "Copy"}
        </button>
      </div>
    </section>`;
  }

  protected override render() {
    const { value, error } = this.#load;
    if (value === null)
      return html`<div class="page">
        <h1>${this.name} live</h1>
        ${error === null ? html`<p class="hint" aria-busy="true">Loading</p>` : html`<p class="inline-error" role="alert">${icon("triangle-alert")} ${error}</p>`}
      </div>`;
    const { model, history } = value;
    const { traffic } = model;
    const version = (n: number | null) => model.versions.find((v) => v.version === n);
    const champion = version(model.champion);
    const arms = history.find((line) => line.type === "arms");
    const share = model.challenger === null ? 0 : arms?.type === "arms" ? (arms.arms.find((arm) => arm.version === model.challenger)?.share ?? 0) : 0;
    const back = previousChampion(history);
    const rolled = history[0]?.type === "rollback" ? history[0] : null;
    return html`<div class="page live">
      <div class="section-head">
        <h1>${model.name}</h1>
        ${model.champion === null ? html`<span class="hint">no champion</span>` : html`<span class="champion">${icon("trophy")} champion v${model.champion}</span>`}
        <a class="button small" href=${modelHref(model.name)}>Versions</a>
      </div>
      ${rolled === null ? nothing : html`<div class="banner warning" role="status">${icon("undo-2")} <span class="words">${historyText(rolled)} (${new Date(rolled.at).toLocaleTimeString("en-GB")})</span></div>`}
      ${error !== null ? html`<p class="inline-error" role="alert">${icon("triangle-alert")} ${error}</p>` : nothing}
      ${this.failure !== null ? html`<p class="inline-error" role="alert">${icon("triangle-alert")} ${this.failure}</p>` : nothing}
      <section class="card stack" aria-labelledby="h-traffic">
        <h2 id="h-traffic">Traffic</h2>
        <div class="arms">
          <span>champion v${model.champion ?? "?"} <strong class="number">${Math.round((1 - share) * 1000) / 10} %</strong></span>
          <div class="arm-bar" aria-hidden="true"><div style="width:${(1 - share) * 100}%"></div></div>
          ${model.challenger === null ? html`<span class="hint">no challenger</span>` : html`<span>challenger v${model.challenger} <strong class="number">${Math.round(share * 1000) / 10} %</strong></span>`}
        </div>
        <div class="row">
          ${
            model.challenger !== null
              ? html`${[0.01, 0.05, 0.1, 0.25, 0.5]
                  .filter((step) => step > share)
                  .slice(0, 1)
                  .map(
                    (step) =>
                      html`<button ?disabled=${this.busy} @click=${() => void this.#post("share", { share: step })}>
                        Next step ${step * 100} %
                      </button>`,
                  )}
                ${share > 0 ? html`<button ?disabled=${this.busy} @click=${() => void this.#post("share", { share: 0 })}>Pause: champion 100 %</button>` : nothing}`
              : nothing
          }
          ${back === null ? html`<span class="hint">No earlier version to roll back to.</span>` : html`<button class="stop" ?disabled=${this.busy} @click=${() => void this.#post("rollback")}>${icon("undo-2")} Roll back to v${back}</button> <span class="hint">v${back} answers every request at once; v${model.champion} stays and can come back the same way.</span>`}
        </div>
        <dl class="facts">
          <div>
            <dt>Requests</dt>
            <dd>
              <span class="number">${integer(traffic.requests)}</span> ${spark(traffic.perSecond, 0)}
              <span class="hint">${integer(traffic.perSecond.slice(-60).reduce((sum, n) => sum + n, 0))} in the last minute</span>
            </dd>
          </div>
          <div>
            <dt>Errors</dt>
            <dd class="number">
              ${integer(traffic.errors)}${traffic.requests > 0 ? ` (${figure((100 * traffic.errors) / traffic.requests)} %)` : ""}
            </dd>
          </div>
          <div>
            <dt>Latency</dt>
            <dd class="number">
              ${traffic.p50 === null ? html`<span class="hint">no request yet</span>` : `p50 ${figure(traffic.p50)} ms, p99 ${figure(traffic.p99 ?? traffic.p50)} ms`}
            </dd>
          </div>
          ${Object.entries(model.hosts).map(
            ([n, host]) =>
              html`<div>
                <dt>Host of v${n}</dt>
                <dd>
                  ${host.state}${host.backend === null || host.backend === "none" ? "" : ` on ${host.backend}`}${host.reason === undefined ? "" : `: ${host.reason}`}
                </dd>
              </div>`,
          )}
        </dl>
      </section>
      ${
        champion === undefined
          ? nothing
          : html`<section class="card" aria-label="Champion and challenger">
              <div class="table-scroll">
                <table class="rows plain">
                  <thead>
                    <tr>
                      <th scope="col">Version</th>
                      <th scope="col">Metric</th>
                      <th scope="col">Baseline</th>
                      <th scope="col">Against it</th>
                      <th scope="col">p99 when judged</th>
                    </tr>
                  </thead>
                  <tbody>
                    ${[champion, version(model.challenger)].map((v) =>
                      v === undefined
                        ? nothing
                        : html`<tr>
                            <th scope="row"><a href=${modelHref(model.name, `/v/${v.version}`)}>v${v.version}</a> ${v.label}</th>
                            <td class="nowrap">${v.metric} <strong class="number">${figure(v.value)}</strong> ${range(v.ci)}</td>
                            <td class="nowrap"><span class="gold">${icon("ruler")} ${figure(v.baseline.value)}</span> ${v.baseline.label}</td>
                            <td class="nowrap number">${percent(v.value, v.baseline.value)}</td>
                            <td class="nowrap number">${v.p99 === null ? "" : `${figure(v.p99)} ms`}</td>
                          </tr>`,
                    )}
                  </tbody>
                </table>
              </div>
            </section>`
      }
      ${this.version === null ? nothing : this.#try(this.version)}
      <section aria-labelledby="h-history">
        <h2 id="h-history">History</h2>
        ${historyView(history)}
      </section>
    </div>`;
  }
}

/** A prediction in words: a number, or the likeliest class with its share. */
function show(value: unknown, classes: string[] | undefined): string {
  if (typeof value === "number") return figure(value);
  if (Array.isArray(value) && value.every((part) => typeof part === "number")) {
    const list = value as number[];
    const best = list.indexOf(Math.max(...list));
    return list.length === 1 ? figure(list[0]!) : `${classes?.[best] ?? `class ${best}`} (${figure(list[best]!)})`;
  }
  return JSON.stringify(value);
}
define("touch-live", TouchLive);
