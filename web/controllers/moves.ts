/** What a person does to one control on this page, on its way to the server: the newest value counts, one is on its way at a time, and what is shown stays ahead. */
import type { ControlValue } from "../../kernels/protocol/controls.js";

export interface MovesOptions {
  /** false: the server did not take it */
  send(value: ControlValue): Promise<boolean>;
  /** what is shown may differ now */
  changed(): void;
}
type Given = { value: ControlValue } | null;

export class Moves {
  /** shown instead of the server's value until the server has it */
  mine: Given = null;
  readonly #options: MovesOptions;
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** does not count yet */
  #held: Given = null;
  /** counts, and waits for the answer to the one before */
  #next: Given = null;
  #sent: Given = null;

  constructor(options: MovesOptions) {
    this.#options = options;
  }

  /** `debounce`: true, it counts with `commit`; ms, also after so long without another. */
  move(value: ControlValue, debounce: boolean | number): void {
    this.#rest();
    this.mine = this.#held = { value };
    if (debounce === false) this.commit();
    else if (debounce !== true) this.#timer = setTimeout(() => this.commit(), debounce);
    this.#options.changed();
  }

  /** What was moved counts now. */
  commit(): void {
    this.#rest();
    if (this.#held === null) return;
    this.#next = this.#held;
    this.#held = null;
    if (this.#sent === null) void this.#send();
  }

  /** What does not count yet never will. */
  drop(): void {
    this.#rest();
    this.#held = null;
    this.mine = this.#next ?? this.#sent;
    this.#options.changed();
  }

  #rest(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  async #send(): Promise<void> {
    while (this.#next !== null) {
      this.#sent = this.#next;
      this.#next = null;
      if (await this.#options.send(this.#sent.value)) continue;
      this.drop();
      this.#next = null;
    }
    this.#sent = null;
    // the server tells the new value before it answers
    if (this.#held === null) this.mine = null;
    this.#options.changed();
  }
}
