/** What a run shows, for a result that is kept on disk: as the page has it in the end. */
import type { Output } from "../protocol/output.js";

/** characters of JSON */
const most = 8 * 2 ** 20;

export class Shown {
  #items: string[] = [];
  /** of displays, by their id */
  readonly #places = new Map<string, number>();
  #size = 0;

  /** A display of an id seen before replaces it in its place. */
  add(output: Output, json: string): void {
    if (this.#size > most) return;
    const at = output.kind === "display" ? this.#places.get(output.id) : undefined;
    this.#size += json.length - (at === undefined ? 0 : this.#items[at]!.length);
    if (at === undefined) this.#items.push(json);
    else this.#items[at] = json;
    if (at === undefined && output.kind === "display") this.#places.set(output.id, this.#items.length - 1);
    if (this.#size > most) this.#items = [];
  }

  clear(): void {
    this.#items = [];
    this.#places.clear();
    this.#size = 0;
  }

  /** null: more than is kept */
  get outputs(): Output[] | null {
    return this.#size > most ? null : this.#items.map((json) => JSON.parse(json) as Output);
  }
}
