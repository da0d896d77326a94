/** What a press on a column's head would show is asked for when the pointer rests on the head, or the keyboard's cell in the column. */

/** ms of rest before it is asked for: what only passes asks for nothing, and after a press the next one on the same head is less likely */
export const pause = { pointer: 50, key: 150, pressed: 400 };

export class Ahead {
  #timer: ReturnType<typeof setTimeout> | null = null;
  #column: string | null = null;
  readonly #ask: (column: string) => void;
  readonly #drop: () => void;

  constructor(ask: (column: string) => void, drop: () => void) {
    this.#ask = ask;
    this.#drop = drop;
  }

  /** null: on no column any more. */
  rest(column: string | null, ms: number): void {
    this.stop();
    this.#column = column;
    if (column === null) this.#drop();
    else this.#timer = setTimeout(() => this.#ask(column), ms);
  }
  /** Another order is on show, and the column is still rested on. */
  pressed(): void {
    if (this.#column !== null) this.rest(this.#column, pause.pressed);
  }
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
