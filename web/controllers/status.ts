/** A cell's state in words and a picture (ui 3.2). Pure. */
import { blankCell } from "../../kernels/notebook/blank.js";
import type { Cell, CellState } from "../../kernels/protocol/document.js";
import { clock, duration, ordinal } from "./format.js";
import { progressText } from "../elements/progress.js";

export interface StatusView {
  /** one word for attributes and styles */
  name: "none" | "ok" | "queued" | "running" | "stale" | "edited" | "error" | "interrupted" | "cancelled" | "disabled" | "clash";
  icon: string;
  text: string;
  /** cell that it is about, for a link */
  link: string | null;
}

/** `place`: in the queue, from 1. `asks`: it waits for an answer of a person. `now`: server clock; a run under 300 ms is not called running, so that fast cells do not flicker. */
export function statusOf(
  cell: Cell,
  state: CellState | undefined,
  now: number,
  errorLine: number | null = null,
  place: number | null = null,
  asks = false,
): StatusView {
  const s = state ?? blankCell;
  const clash = s.problems.find((problem) => problem.severity === "error");
  const view = (name: StatusView["name"], icon: string, text: string, link: string | null = null): StatusView => ({ name, icon, text, link });
  if (cell.kind === "markdown") return view("none", "text", "");
  if (s.status === "running") {
    if (asks) return view("running", "circle-help", "waits for your answer");
    const elapsed = s.startedAt === null ? 0 : now - s.startedAt;
    const share =
      s.progress !== null && s.progress.total !== null && s.progress.total > 0 ? `${Math.floor((100 * s.progress.done) / s.progress.total)} %` : null;
    const detail = s.progress === null ? null : progressText(s.progress);
    return view("running", "loader-circle", ["running" + (elapsed >= 1000 ? ` ${clock(elapsed)}` : ""), share, detail].filter(Boolean).join(" · "));
  }
  if (s.status === "queued") return view("queued", "clock", place === null ? "queued" : `queued · ${ordinal(place)}`);
  if (s.status === "disabled" || cell.options.disabled === true)
    return view(
      "disabled",
      "ban",
      s.blockedBy !== null && cell.options.disabled !== true ? `waits: ${s.blockedBy} is disabled` : "disabled",
      s.blockedBy,
    );
  if (clash !== undefined) return view("clash", "circle-x", clash.message, clash.cells?.[0] ?? null);
  if (s.result === "error") return view("error", "circle-x", errorLine === null ? "error" : `error · line ${errorLine}`);
  if (s.result === "cancelled")
    return view("cancelled", "circle-slash", s.blockedBy === null ? "not run" : `not run: ${s.blockedBy} failed`, s.blockedBy);
  if (s.result === "interrupted")
    return view("interrupted", "octagon-pause", s.elapsedMs === null ? "interrupted" : `interrupted at ${clock(s.elapsedMs)}`);
  if (s.result === "none") return view("none", "circle-dashed", cell.source.trim() === "" ? "" : "not run");
  if (s.edited) return view("edited", "pencil", "edited");
  if (s.stale) return view("stale", "refresh-cw", s.causes.length === 0 ? "stale" : `stale: ${s.causes.slice(0, 3).join(", ")} changed`);
  if (s.cached) return view("ok", "database", `from cache · saved ${duration(s.cached.savedMs)}`);
  return view("ok", "circle-check", ["ok", s.elapsedMs === null ? null : duration(s.elapsedMs)].filter(Boolean).join(" · "));
}
