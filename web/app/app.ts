/** `touch-app`: rail, top bar, the page of the route, palette, toasts, the live region, and every key. */
import { html, nothing, type TemplateResult } from "lit";
import type { NotebookState } from "../../kernels/protocol/document.js";
import { setTheme, type Theme } from "../controllers/theme.js";
import { define, TouchElement } from "../elements/base.js";
import { icon } from "../elements/icon.js";
import type { Said, TouchAnnouncer } from "../elements/announcer.js";
import "../elements/announcer.js";
import type { TouchPalette, PaletteEntry } from "../elements/palette.js";
import "../elements/palette.js";
import type { Toast, TouchToasts } from "../elements/toasts.js";
import "../elements/toasts.js";
import type { Link } from "../controllers/session.js";
import type { TouchHome } from "../pages/home.js";
import type { TouchNotebook } from "../pages/notebook.js";
import { actionFor, actions, type AppControl, type Context, type Focus } from "./actions.js";
import { backendChip } from "./backend.js";
import { crumbs } from "./crumbs.js";
import { isMac, keyOf, keyText, sequencer } from "./keys.js";
import { keysDialog } from "./keys-dialog.js";
import { parseRoute, type Route } from "./routes.js";

interface Confirm {
  title: string;
  text: string;
  action: string;
  run(): void;
}

/** Pages are loaded when they are first opened. */
const pages: Record<Exclude<Route["page"], "missing">, () => Promise<unknown>> = {
  home: () => import("../pages/home.js"),
  notebook: () => import("../pages/notebook.js"),
  models: () => import("../pages/models.js"),
  model: () => import("../pages/model.js"),
  version: () => import("../pages/version.js"),
  live: () => import("../pages/live.js"),
  review: () => import("../pages/review.js"),
  queue: () => import("../pages/queue.js"),
  settings: () => import("../pages/settings.js"),
};

export class TouchApp extends TouchElement implements AppControl {
  static override properties = {
    route: { state: true },
    notebookState: { state: true },
    link: { state: true },
    confirming: { state: true },
    failure: { state: true },
  };
  declare route: Route;
  declare notebookState: NotebookState | null;
  declare link: Link | null;
  declare confirming: Confirm | null;
  declare failure: string | null;
  #notebook: TouchNotebook | null = null;
  #sequence = sequencer(() => performance.now());

  constructor() {
    super();
    this.route = parseRoute(location.pathname, location.hash);
    this.notebookState = null;
    this.link = null;
    this.confirming = null;
    this.failure = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener("popstate", this.#onRoute);
    addEventListener("hashchange", this.#onRoute);
    addEventListener("touch-command", this.#onCommand as EventListener);
    document.addEventListener("click", this.#onClick);
    document.addEventListener("keydown", this.#onKey);
    this.addEventListener("go", (event) => this.go((event as CustomEvent<string>).detail));
    this.addEventListener("toast", (event) => this.toast((event as CustomEvent<Toast>).detail));
    this.addEventListener("say", (event) => this.#say((event as CustomEvent<Said>).detail));
    this.addEventListener("confirm", (event) => {
      this.confirming = (event as CustomEvent<Confirm>).detail;
      void this.updateComplete.then(() => this.querySelector<HTMLDialogElement>("dialog.confirm")?.showModal());
    });
    this.addEventListener("notebook-state", (event) => {
      const { state, link, notebook } = (event as CustomEvent<{ state: NotebookState; link: Link; notebook: TouchNotebook }>).detail;
      this.notebookState = state;
      this.link = link;
      this.#notebook = notebook;
    });
    void this.#load();
  }

  #onRoute = (): void => {
    this.#enter(parseRoute(location.pathname, location.hash));
  };

  #enter(route: Route): void {
    if (route.page !== "notebook" || this.route.page !== "notebook" || route.path !== this.route.path || route.workspace !== this.route.workspace) {
      this.notebookState = null;
      this.link = null;
      this.#notebook = null;
    }
    this.route = route;
    void this.#load();
  }

  async #load(): Promise<void> {
    if (this.route.page === "missing") return;
    try {
      await pages[this.route.page]();
      this.failure = null;
    } catch {
      this.failure = "This page could not be loaded: the server does not answer, or it was updated. Reload.";
    }
  }

  go(href: string): void {
    const url = new URL(href, location.origin);
    if (url.origin !== location.origin) {
      open(href, "_blank", "noopener");
      return;
    }
    if (url.pathname + url.hash === location.pathname + location.hash) return;
    history.pushState(null, "", url.pathname + url.search + url.hash);
    this.#enter(parseRoute(url.pathname, url.hash));
    scrollTo(0, 0);
    void this.updateComplete.then(() => this.querySelector<HTMLElement>("main")?.focus({ preventScroll: true }));
  }

  /** Links of the page stay in the page. */
  #onClick = (event: MouseEvent): void => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element).closest("a");
    if (link === null || link.target !== "" || link.origin !== location.origin || link.hasAttribute("download")) return;
    const route = parseRoute(link.pathname, link.hash);
    if (link.pathname === location.pathname && link.hash !== "" && !link.hash.startsWith("#cell=")) return;
    if (route.page === "missing") return;
    event.preventDefault();
    this.go(link.pathname + link.search + link.hash);
  };

  get #context(): Context {
    return { app: this, notebook: this.#notebook };
  }

  #focus(): { focus: Focus; inCells: boolean } {
    const active = document.activeElement;
    const inCells = active?.closest(".cells") != null;
    if (active?.closest(".monaco-editor") != null) return { focus: "editor", inCells };
    if (active !== null && /^(INPUT|TEXTAREA|SELECT)$/.test(active.tagName)) return { focus: "text", inCells };
    if ((active as HTMLElement | null)?.isContentEditable === true) return { focus: "text", inCells };
    return { focus: inCells ? "cell" : "other", inCells };
  }

  #known = new Set(actions.flatMap((action) => action.keys));
  #onKey = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing) return;
    const key = keyOf(event, isMac());
    if (key === null) return;
    if (document.querySelector("dialog[open]") !== null) return;
    const { focus, inCells } = this.#focus();
    // a button takes Enter and Space itself
    if ((key === "Enter" || key === "Space") && document.activeElement?.closest("button, a, summary, [role=tab]") != null) return;
    const word = focus === "text" || focus === "editor" ? (this.#known.has(key) ? key : null) : this.#sequence(key, this.#known);
    if (word === null) return;
    const action = actionFor(word, focus, inCells, this.#notebook !== null);
    if (action === null) return;
    event.preventDefault();
    event.stopPropagation();
    action.run(this.#context);
  };

  /** Commands that an editor sends. */
  #onCommand = (event: CustomEvent<string>): void => {
    if (event.detail === "up" || event.detail === "down") {
      this.#notebook?.step(event.detail === "up" ? -1 : 1);
      return;
    }
    actions.find((action) => action.name === event.detail)?.run(this.#context);
  };

  #say(said: Said): void {
    this.querySelector<TouchAnnouncer>("touch-announcer")?.say(said);
  }
  openPalette(query = ""): void {
    this.querySelector<TouchPalette>("touch-palette")?.open(query);
  }
  openKeys(): void {
    this.querySelector<HTMLDialogElement>("dialog.keys")?.showModal();
  }
  setTheme(theme: Theme): void {
    setTheme(theme);
    this.#say({ text: `Theme: ${theme}` });
  }
  async newNotebook(): Promise<void> {
    this.go("/");
    await pages.home();
    await this.updateComplete;
    const home = this.querySelector<TouchHome>("touch-home");
    await home?.updateComplete;
    home?.startNew();
  }

  toast(toast: Toast): void {
    this.querySelector<TouchToasts>("touch-toasts")?.show(toast);
  }

  #entries(): PaletteEntry[] {
    const notebook = this.#notebook;
    const commands = actions
      .filter((action) => action.silent !== true && (action.notebook !== true || notebook !== null))
      .map((action): PaletteEntry => ({
        label: action.label,
        group: "command",
        icon: action.icon ?? "play",
        ...(action.keys[0] !== undefined && { keys: action.keys[0] }),
        run: () => action.run(this.#context),
      }));
    if (notebook === null) return commands;
    const cells = notebook.cells.map((cell, i): PaletteEntry => ({
      label: `Cell ${i + 1}: ${this.notebookState?.cells[cell.id]?.defines.join(", ") || cell.source.trim().split("\n")[0]?.slice(0, 60) || cell.kind}`,
      group: "cell",
      icon: "code",
      run: () => notebook.go(cell.id),
    }));
    const variables = (this.notebookState?.variables ?? []).map((variable): PaletteEntry => ({
      label: `${variable.name}: ${variable.type}`,
      group: "variable",
      icon: "box",
      run: () => notebook.go(variable.cell),
    }));
    return [...commands, ...cells, ...variables];
  }

  #page(): TemplateResult | typeof nothing {
    const { route } = this;
    switch (route.page) {
      case "home":
        return html`<touch-home></touch-home>`;
      case "notebook":
        return html`<touch-notebook .workspace=${route.workspace} .path=${route.path} .target=${route.cell}></touch-notebook>`;
      case "models":
        return html`<touch-models></touch-models>`;
      case "model":
        return html`<touch-model .name=${route.name}></touch-model>`;
      case "version":
        return html`<touch-version .name=${route.name} .version=${route.version}></touch-version>`;
      case "live":
        return html`<touch-live .name=${route.name}></touch-live>`;
      case "review":
        return html`<touch-review></touch-review>`;
      case "queue":
        return html`<touch-queue .workspace=${route.workspace} .queue=${route.queue}></touch-queue>`;
      case "settings":
        return html`<touch-settings></touch-settings>`;
      case "missing":
        return html`<section class="empty">
          <h1>There is no page here</h1>
          <p><code>${route.path}</code></p>
          <a class="button" href="/">Home</a>
        </section>`;
    }
  }

  protected override render() {
    const { route } = this;
    const rail = (href: string, name: string, label: string, active: boolean) =>
      html`<a href=${href} aria-current=${active ? "page" : nothing}>${icon(name)} <span>${label}</span></a>`;
    const model = ["models", "model", "version", "live"].includes(route.page);
    const words: Record<Link, string> = { connecting: "connecting", open: "connected", lost: "connection lost", closed: "closed" };
    return html`
      <a class="skip" href="#main">To the page</a>
      ${route.page === "notebook" ? html`<a class="skip" href="#cells">To cells</a>` : nothing}
      <header class="top" role="banner">
        <a class="brand" href="/" aria-label="Touchstone, home"><img src="/icon.svg" alt="" width="22" height="22" /></a>
        ${crumbs(route)}
        <button class="palette-field" @click=${() => this.openPalette()}>
          ${icon("search")} <span class="words">Search or run a command</span> <kbd>${keyText("Mod+k", isMac())}</kbd>
        </button>
        ${this.notebookState === null ? nothing : backendChip(this.notebookState.kernel)}
        ${this.link === null ? nothing : html`<span class="link-state link-${this.link}">${icon(this.link === "open" ? "wifi" : "wifi-off")} <span class="words">${words[this.link]}</span></span>`}
      </header>
      <nav class="rail" aria-label="Main">
        ${rail("/", "house", "Home", route.page === "home" || route.page === "notebook")} ${rail("/models", "box", "Models", model)}
        ${rail("/review", "inbox", "Review", route.page === "review" || route.page === "queue")}
        ${rail("/settings", "settings", "Settings", route.page === "settings")}
      </nav>
      <main id="main" tabindex="-1">
        ${this.failure !== null ? html`<p class="inline-error load-failure" role="alert">${this.failure} <button class="small" @click=${() => location.reload()}>Reload</button></p>` : nothing}${this.#page()}
      </main>
      <touch-toasts></touch-toasts>
      <touch-palette .entries=${this.#entries()}></touch-palette>
      ${keysDialog()}
      ${
        this.confirming === null
          ? nothing
          : html`<dialog class="confirm" aria-labelledby="confirm-title" @close=${() => (this.confirming = null)}>
              <h2 id="confirm-title">${this.confirming.title}</h2>
              <p>${this.confirming.text}</p>
              <form method="dialog" class="row">
                <button class="primary" autofocus @click=${() => this.confirming?.run()}>${this.confirming.action}</button>
                <button>Cancel</button>
              </form>
            </dialog>`
      }
      <touch-announcer></touch-announcer>
    `;
  }
}
define("touch-app", TouchApp);
