/** Banners of the kernel: its death, its memory, its being shut down while nobody used it. */
import { html, nothing } from "lit";
import type { KernelState } from "../../../kernels/protocol/document.js";
import { memory, plural, time } from "../../controllers/format.js";
import { spark } from "../../elements/spark.js";
import type { Banner, BannerActions, BannerInput } from "../banners.js";

type Act = Pick<BannerActions, "restart" | "raise" | "log" | "variables">;

/** The limit that is offered: twice the present one, or all that the machine has; null when that is hardly more. */
export function moreMemory({ memoryLimit, memoryMost = 0 }: KernelState): number | null {
  const more = Math.min(2 * memoryLimit, memoryMost);
  return memoryLimit > 0 && more >= 1.1 * memoryLimit ? more : null;
}

/** Where a restart leads back to: the cell that ran, or all that had run. */
function backTo(kernel: KernelState, number: (cell: string) => number): { words: string; then: "same" | { to: string } } | null {
  const cell = kernel.death?.cell ?? null;
  if (cell !== null && number(cell) > 0) return { words: `run to cell ${number(cell)}`, then: { to: cell } };
  const { lost = 0 } = kernel;
  return lost === 0 ? null : { words: `run the same ${plural(lost, "cell")}`, then: "same" };
}

export function deadBanner(kernel: KernelState, number: BannerInput["number"], act: Act): Banner | null {
  const { death } = kernel;
  if (kernel.state !== "dead" || death === null) return null;
  const { cell } = death;
  const back = backTo(kernel, number);
  const more = /^out of memory|signal 9/.test(death.cause) ? moreMemory(kernel) : null;
  return {
    name: `dead-${death.at}`,
    level: "error",
    text: html`The kernel stopped${cell === null || number(cell) <= 0 ? "" : html` in cell ${number(cell)} <code>${cell}</code>`} at
    ${time(death.at)}: ${death.cause}. Outputs are kept, variables are gone. ${curve(kernel.memory, kernel.memoryLimit)}`,
    actions: [
      ...(back === null ? [] : [[`Restart and ${back.words}`, () => act.restart(back.then)] as [string, () => void]]),
      ...(more === null
        ? []
        : [
            [`Raise limit to ${memory(more)} and ${back?.words ?? "restart"}`, () => act.raise(more, back?.then ?? "nothing")] as [
              string,
              () => void,
            ],
          ]),
      ["Restart", () => act.restart("nothing")],
      ["Show log", act.log],
    ],
  };
}

export function culledBanner(kernel: KernelState, act: Act): Banner | null {
  const { culled, lost = 0 } = kernel;
  if (kernel.state !== "none" || culled == null) return null;
  return {
    name: `culled-${culled.at}`,
    level: "info",
    text: `The kernel was shut down at ${time(culled.at)} after ${idleWords(culled.idleMs)} idle. Outputs are kept, variables are gone; Run starts it again.`,
    actions: lost === 0 ? [] : [[`Run the same ${plural(lost, "cell")}`, () => act.restart("same")]],
    closable: true,
  };
}

/** 90 min, 24 h */
export function idleWords(ms: number): string {
  const hours = ms / 3_600_000;
  return hours >= 2 || Number.isInteger(hours) ? `${Math.round(hours)} h` : `${Math.max(1, Math.round(hours * 60))} min`;
}

/** The running cell was interrupted first, or will be. */
export function memoryBanner(kernel: KernelState, number: BannerInput["number"], largest: string[], act: Act): Banner | null {
  const more = moreMemory(kernel);
  const near = kernel.nearLimit ?? null;
  // the heap of a process is as large as it was when it began
  const heap = near?.of === "heap";
  const raise: Banner["actions"] =
    more === null ? [] : [[`Raise limit to ${memory(more)}${heap ? " and restart" : ""}`, () => act.raise(more, heap ? "same" : undefined)]];
  if (near !== null)
    return {
      name: "memory",
      level: "warning",
      text: html`${heap ? "The heap of JavaScript values stands at" : "Memory"} ${memory(near.used)} of ${memory(near.limit)}:
      ${near.cell === null ? "the running cell" : html`cell ${number(near.cell)} <code>${near.cell}</code>`} was interrupted first so that variables
      live. ${curve(kernel.memory, near.limit)}`,
      actions: [["Largest variables", act.variables], ...raise],
    };
  const used = kernel.memory.at(-1) ?? 0;
  if (kernel.memoryLimit === 0 || used <= 0.9 * kernel.memoryLimit) return null;
  return {
    name: "memory",
    level: "warning",
    text: `Memory ${memory(used)} of ${memory(kernel.memoryLimit)}: the running cell is interrupted first so that variables live.${largest.length > 0 ? ` Largest: ${largest.join(", ")}.` : ""}`,
    actions: raise,
  };
}

/** Memory of the last minute with its limit, as a line and in words. */
function curve(samples: number[], limit: number) {
  if (samples.length < 2) return nothing;
  const words = `memory of the last ${samples.length} s: ${memory(samples[0]!)} to ${memory(samples.at(-1)!)}, limit ${memory(limit)}`;
  return html`<span class="curve" role="img" aria-label=${words} title=${words}>${spark(samples, limit)}</span>`;
}
