/** Where the reader is: the path of the page in words, its last part current. */
import { html, type TemplateResult } from "lit";
import type { Route } from "./routes.js";

const titles = { home: "Home", models: "Models", review: "Review", settings: "Settings", missing: "Not found" };

/** Text and address of each part; the last has none. */
export function crumbsOf(route: Route): [text: string, href: string | null][] {
  switch (route.page) {
    case "notebook":
      return [
        [route.workspace, "/"],
        [route.path.replace(/\.nb\.ts$/, ""), null],
      ];
    case "model":
      return [
        ["Models", "/models"],
        [route.name, null],
      ];
    case "version":
    case "live":
      return [
        ["Models", "/models"],
        [route.name, `/models/${encodeURIComponent(route.name)}`],
        [route.page === "live" ? "Live" : `v${route.version}`, null],
      ];
    case "queue":
      return [
        ["Review", "/review"],
        [route.queue, null],
      ];
    default:
      return [[titles[route.page], null]];
  }
}

export const crumbs = (route: Route): TemplateResult =>
  html`<ol class="crumbs" aria-label="Where you are">
    ${crumbsOf(route).map(([text, href]) => html`<li>${href === null ? html`<span aria-current="page">${text}</span>` : html`<a href=${href}>${text}</a>`}</li>`)}
  </ol>`;
