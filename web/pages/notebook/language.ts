/** What the editors ask of the notebook: the language service, and the ways to other cells. */
import type { Operation } from "../../../kernels/protocol/document.js";
import type { LanguageHost } from "../../elements/language.js";
import type { ShownPlace, TouchPlaces } from "../../elements/places.js";
import "../../elements/places.js";
import type { NotebookBase } from "./base.js";
import { inverse } from "./changes.js";
import { namesOf } from "./names.js";

export class LanguageLink {
  readonly #page: NotebookBase;
  #asked: string | null = null;
  /** the server whose language service has answered: its first answer waits for the types of the libraries */
  #answered: string | null = null;

  constructor(page: NotebookBase) {
    this.#page = page;
  }

  /** With the first caret in an editor the language service starts; once for each server that is met. */
  start(): void {
    const epoch = this.#page.session?.state?.epoch ?? null;
    if (epoch === null || this.#asked === epoch) return;
    this.#asked = epoch;
    this.#page.session!.command({ do: "language", question: { ask: "problems" } }).then(
      () => (this.#answered = epoch),
      // it is dead or the link is lost: the next caret tries again
      () => (this.#asked = null),
    );
  }

  readonly host: LanguageHost = {
    ask: async (question, signal) => {
      const answer = await this.#page.session!.command({ do: "language", question }, signal === undefined ? {} : { signal });
      return (answer as { value: unknown }).value;
    },
    names: () => namesOf(this.#page.session?.state ?? null),
    ready: () => {
      const { session } = this.#page;
      return session?.link === "open" && session.state?.language.state === "ready" && this.#answered === session.state.epoch;
    },
    go: (cell, at) => {
      const source = this.#page.cells.find((other) => other.id === cell)?.source;
      if (source === undefined) return;
      const before = source.slice(0, at).split("\n");
      this.#page.goToLine(cell, before.length, before.at(-1)!.length + 1);
    },
    apply: (edits) => {
      const ops = edits.map((edit): Operation => ({ op: "edit", id: edit.cell, at: edit.at, remove: edit.remove, insert: edit.insert }));
      this.#page.change({ ops, undo: inverse(this.#page.cells, ops) });
    },
    show: (heading, places) =>
      this.#page.querySelector<TouchPlaces>("touch-places")?.open(
        heading,
        places.map((place): ShownPlace => {
          // the package, or the folder, and the file
          if (!("cell" in place))
            return { ...place, file: place.file.replaceAll("\\", "/").replace(/^.*\/node_modules\/|^.*\/(?=[^/]+\/[^/]+$)/, "") };
          const source = this.#page.cells.find((cell) => cell.id === place.cell)?.source ?? "";
          const line = source.slice(0, place.from).split("\n").length;
          return {
            label: `Cell ${this.#page.number(place.cell)}, line ${line}`,
            code: source.split("\n")[line - 1]!.trim(),
            go: () => this.host.go(place.cell, place.from),
          };
        }),
      ),
    say: (level, text) => this.#page.emit("toast", { level, text }),
  };
}
