/** The newest events, for clients that come back: bounded in number and in size. */
import type { NotebookEvent } from "../../kernels/protocol/document.js";

const mostEvents = 10_000;
const mostCharacters = 16 * 2 ** 20;

export class Ring {
  #events: NotebookEvent[] = [];
  #sizes: number[] = [];
  #size = 0;
  /** events at the front that are let go */
  #gone = 0;

  get length(): number {
    return this.#events.length - this.#gone;
  }

  push(event: NotebookEvent): void {
    const size = sizeOf(event);
    this.#events.push(event);
    this.#sizes.push(size);
    this.#size += size;
    while (this.length > 1 && (this.#size > mostCharacters || this.length > mostEvents)) this.#size -= this.#sizes[this.#gone++]!;
    // moving the rest is worth it when half of the list is empty
    if (this.#gone < 64 || this.#gone < this.#events.length / 2) return;
    this.#events = this.#events.slice(this.#gone);
    this.#sizes = this.#sizes.slice(this.#gone);
    this.#gone = 0;
  }

  last(count: number): NotebookEvent[] {
    return count === 0 ? [] : this.#events.slice(-count);
  }
}

/** Characters of an event, roughly: only outputs are large. */
function sizeOf(event: NotebookEvent): number {
  if (event.type !== "outputs") return 500;
  let size = 100;
  for (const output of event.outputs) size += output.kind === "stream" ? output.text.length : JSON.stringify(output).length;
  return size;
}
