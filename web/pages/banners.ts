/** The banner under the toolbar: one at a time by rank; cause, effect, action (ui 3.3). */
import { html, nothing, type TemplateResult } from "lit";
import { icon } from "../elements/icon.js";
import { plural, time } from "../controllers/format.js";
import { culledBanner, deadBanner, memoryBanner } from "./notebook/kernel-banners.js";
import type { Reopened } from "../../kernels/protocol/document.js";
import { pairsOf } from "./notebook/pairs.js";
import type { Command } from "../../kernels/protocol/document.js";
import type { Aside } from "../controllers/document.js";
import type { NotebookSession } from "../controllers/session.js";

type Then = Extract<Command, { do: "restart" }>["then"];

export interface BannerActions {
  retry(): void;
  takeOver(): void;
  restart(then: Then): void;
  /** another memory limit; `then`: with a restart */
  raise(bytes: number, then?: Then): void;
  /** what the kernel's process said */
  log(): void;
  runAll(): void;
  go(cell: string): void;
  /** text that could not be sent */
  putBack(aside: Aside): void;
  copyAside(aside: Aside): void;
  forget(aside: Aside): void;
  dismiss(name: string): void;
  /** opens the list of variables */
  variables(): void;
  /** a stop has no effect: restart at once, or let the native call return */
  restartNow(): void;
  keepWaiting(): void;
  /** of all cells that were changed here and in the file */
  decide(decision: "mine" | "theirs" | "both"): void;
  /** opens the list of saved points */
  history(): void;
  /** takes back what another program changed in the file */
  refuseOutside(): void;
}

export interface BannerInput {
  session: NotebookSession;
  now: number;
  /** banners that a person closed */
  closed: ReadonlySet<string>;
  number(cell: string): number;
  largest: string[];
  /** null: there was nothing to merge, or a person has read of it */
  reopened: Reopened | null;
  /** ms until the page restarts a kernel that a stop does not reach; null: it waits */
  restartIn: number | null;
}

export interface Banner {
  name: string;
  level: "info" | "warning" | "error";
  text: TemplateResult | string;
  actions: [string, () => void][];
  closable?: boolean;
}

export function bannerOf({ session, now, closed, number, largest, restartIn, reopened }: BannerInput, act: BannerActions): Banner | null {
  const { state } = session;
  if (session.link === "lost" && session.lostAt !== null && now - session.lostAt > 1500) {
    const wait = Math.max(0, Math.ceil(((session.retryAt ?? now) - now) / 1000));
    return {
      name: "lost",
      level: "warning",
      text: `Connection lost. Cells keep running on the server; your edits are kept here. ${wait > 0 ? `Trying again in ${wait} s.` : "Trying again."}`,
      actions: [["Try now", act.retry]],
    };
  }
  if (state === null) return null;
  const dead = deadBanner(state.kernel, number, act);
  if (dead !== null) return dead;
  if (state.broken !== null)
    return { name: "broken", level: "error", text: `${state.broken}. The file is shown as one cell and will not be overwritten.`, actions: [] };
  if (state.held !== null)
    return {
      name: "held",
      level: "warning",
      text: `${state.held}.`,
      actions: [],
    };
  if (session.back !== null && session.back.epochChanged && !closed.has("epoch"))
    return {
      name: "epoch",
      level: "warning",
      text: "The server restarted; outputs are from before, variables are gone.",
      actions: [["Run all", act.runAll]],
      closable: true,
    };
  if ((state.kernel.stuck ?? null) !== null)
    return {
      name: "stuck",
      level: "warning",
      text: `The stop has no effect yet: a native call does not yield, and only a restart ends it. ${
        restartIn === null ? "Waiting until it returns." : `Restart in ${Math.ceil(restartIn / 1000)} s: variables are dropped, outputs are kept.`
      }`,
      actions: session.writing
        ? [["Restart now", act.restartNow], ...(restartIn === null ? [] : [["Keep waiting", act.keepWaiting] as [string, () => void]])]
        : [],
    };
  const memory = memoryBanner(state.kernel, number, largest, act);
  if (memory !== null) return memory;
  const aside = session.doc?.aside[0];
  if (aside !== undefined) {
    const more = session.doc!.aside.length - 1;
    const where = number(aside.cell) > 0 ? `cell ${number(aside.cell)}` : "a cell that is gone";
    return {
      name: "aside",
      level: "warning",
      text: `What you typed in ${where} could not be sent${
        state.writer !== null && state.writer.client !== session.client ? `: ${state.writer.name} is writing` : ""
      }. It is kept here${more > 0 ? `, with ${more} more` : ""}.`,
      actions: [
        [session.writing ? "Put it back" : "Take over and put it back", () => act.putBack(aside)],
        ["Copy", () => act.copyAside(aside)],
        ["Drop it", () => act.forget(aside)],
      ],
    };
  }
  if (state.writer !== null && state.writer.client !== session.client)
    return { name: "writer", level: "info", text: `${state.writer.name} is writing; you see every change.`, actions: [["Take over", act.takeOver]] };
  const twice = [...pairsOf(session.doc?.source.cells ?? [])].filter(([, pair]) => pair.role === "theirs").map(([id, pair]) => pair.other ?? id);
  if (twice.length > 0) {
    const which = twice.map(number).sort((a, b) => a - b);
    return {
      name: "pairs",
      level: "warning",
      text: `The file was changed outside where the page was changed too: ${which.length === 1 ? "cell" : "cells"} ${which.slice(0, 8).join(", ")}${
        which.length > 8 ? " and more" : ""
      } ${which.length === 1 ? "is" : "are"} kept twice, side by side. Nothing is lost; decide which version stays.`,
      actions: [
        ["Show", () => act.go(twice[0]!)],
        ...(session.writing
          ? ([
              ["Take theirs", () => act.decide("theirs")],
              ["Keep mine", () => act.decide("mine")],
              ["Keep both", () => act.decide("both")],
            ] as [string, () => void][])
          : []),
      ],
    };
  }
  if (reopened !== null) {
    const named = (ids: string[], words: string): string => {
      const which = ids.map(number).filter((n) => n > 0);
      return ids.length === 0
        ? ""
        : which.length === 0
          ? ` ${plural(ids.length, "cell")} that are gone ${words}`
          : ` ${which.length === 1 ? "cell" : "cells"} ${which.slice(0, 8).join(", ")}${which.length > 8 ? " and more" : ""} ${words}`;
    };
    const parts = [named(reopened.theirs, "from the file"), named(reopened.ours, "as edited here"), named(reopened.twice, "kept twice")].filter(
      (part) => part !== "",
    );
    const first = [...reopened.twice, ...reopened.theirs, ...reopened.ours].find((id) => number(id) > 0);
    return {
      name: "reopened",
      level: "info",
      text: `While the notebook was closed its file was changed outside, and edits of here were not in it yet. Both were merged at ${time(reopened.at)}:${parts.join(",")}.`,
      actions: [...(first === undefined ? [] : [["Show", () => act.go(first)] as [string, () => void]]), ["History", act.history]],
      closable: true,
    };
  }
  if (session.outside !== null) {
    const { at } = session.outside;
    // a cell that went since has no number
    const cells = session.outside.cells.filter((id) => number(id) > 0);
    const [first] = cells;
    return {
      name: "outside",
      level: "info",
      text: `The file was changed outside at ${time(at)} and merged: ${
        session.outside.cells.length === 0
          ? "no cell differs"
          : cells.length === 0
            ? "the cells that changed are gone since"
            : `${cells.length === 1 ? "cell" : "cells"} ${cells.map(number).join(", ")} changed`
      }.`,
      actions: [
        ...(first === undefined ? [] : [["Show", () => act.go(first)] as [string, () => void]]),
        ["Take theirs", () => act.dismiss("outside")],
        ...(session.writing ? [["Keep mine", act.refuseOutside] as [string, () => void]] : []),
      ],
      closable: true,
    };
  }
  const culled = culledBanner(state.kernel, act);
  if (culled !== null && !closed.has(culled.name)) return culled;
  if (session.back !== null && !session.back.epochChanged && !closed.has("back"))
    return {
      name: "back",
      level: "info",
      text:
        session.back.results === 0
          ? "Back. Nothing changed meanwhile."
          : `Back. ${session.back.results} ${session.back.results === 1 ? "result" : "results"} arrived meanwhile.`,
      actions: [],
      closable: true,
    };
  return null;
}

export function bannerView(banner: Banner | null, act: BannerActions) {
  if (banner === null) return nothing;
  return html`<div class="banner ${banner.level}" role=${banner.level === "error" ? "alert" : "status"} data-banner=${banner.name}>
    ${icon(banner.level === "info" ? "info" : "triangle-alert")}
    <span class="words">${banner.text}</span>
    ${banner.actions.map(([label, run]) => html`<button class="small" @click=${run}>${label}</button>`)}
    ${banner.closable === true ? html`<button class="icon-button small" aria-label="Close" @click=${() => act.dismiss(banner.name)}>${icon("x")}</button>` : nothing}
  </div>`;
}
