/** What the processes of a notebook's kernels have said and what happened to them: the newest lines, also of kernels that are gone. */
const most = 256 * 1024;

export class KernelLog {
  readonly #now: () => number;
  #text = "";
  /** the process is in the middle of a line */
  #open = false;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** What the process printed to its own stdout and stderr, as it came. */
  said(text: string): void {
    if (text === "") return;
    this.#add(text);
    this.#open = !text.endsWith("\n");
  }

  /** One line of the server's. */
  note(text: string): void {
    this.#add(`${this.#open ? "\n" : ""}${new Date(this.#now()).toISOString()} ${text}\n`);
    this.#open = false;
  }

  #add(text: string): void {
    this.#text += text;
    if (this.#text.length <= 2 * most) return;
    const cut = this.#text.slice(-most);
    this.#text = cut.slice(cut.indexOf("\n") + 1);
  }

  get text(): string {
    return this.#text;
  }
}
