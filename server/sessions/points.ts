/** The points that a notebook's history gets by itself: of the document as `recorder` says, at a run of all and after it, and of text that another program replaced. */
import type { Command, NotebookEvent, NotebookSource, NotebookState } from "../../kernels/protocol/document.js";
import type { Batch } from "./batches.js";
import type { Opened } from "./file.js";
import type { History } from "./history.js";
import { recorder } from "./recorder.js";
import { same } from "./same.js";

export interface Points {
  /** the notebook was opened, or its file parses again */
  opened(file: Pick<Opened, "source" | "broken">, state: NotebookState): void;
  /** after each event was applied */
  event(event: NotebookEvent, state: NotebookState): void;
  /** before a command is performed */
  command(command: Command, source: NotebookSource): void;
  /** the queue is empty again */
  over(batch: Batch, source: NotebookSource): void;
}

/** `typed`: the document as the journal had it. */
export function createPoints(history: History, typed: NotebookSource | null, now: () => number): Points {
  let record: ReturnType<typeof recorder> | null = null;
  /** what is run whole, from the command on until all of it is over */
  let whole: NotebookSource | null = null;
  return {
    opened({ source, broken }, state) {
      // so that either side can be had back
      if (broken === null && typed !== null && !same(typed, source)) {
        history.add("edit", typed);
        history.add("outside", source);
      }
      record = recorder(history, state, now());
    },
    event: (event, state) => record?.(event, state),
    command(command, source) {
      if (runsAll(command)) history.add("run", (whole = source));
    },
    over({ cells, bad, elapsedMs }, source) {
      const begun = whole;
      whole = null;
      // changed meanwhile: nothing was run whole
      if (begun === null || !same(begun, source)) return;
      const name = `${cells} ${cells === 1 ? "cell" : "cells"} ran in ${spent(elapsedMs)}${bad === 0 ? "" : `, ${bad} failed`}`;
      const last = history.points().at(-1);
      const told = (text = "") => text.replace(/ in .*?(?=,|$)/, "");
      if (last?.why === "run" && same(last.source, source) && told(last.name) === told(name)) return;
      history.add("run", source, { name });
    },
  };
}

/** The command by which every cell runs. */
const runsAll = (command: Command): boolean => command.do === "run-all" || (command.do === "restart" && command.then === "all");

/** "0.4 s", "12 s", "3 min" */
const spent = (ms: number): string =>
  ms < 9950 ? `${(ms / 1000).toFixed(1)} s` : ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`;
