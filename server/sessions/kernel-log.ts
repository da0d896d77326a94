/** What the processes of a notebook's kernels have said and what happened to them: the newest lines, also of kernels and servers that are gone. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const most = 256 * 1024;
/** ms until new lines are written */
const rest = 500;

export interface KernelLogOptions {
  now(): number;
  /** secrets are masked in all that is shown and kept */
  redact(text: string): string;
  /** null: nothing is kept */
  file: string | null;
}

export class KernelLog {
  readonly #options: KernelLogOptions;
  #text: string | null = null;
  /** the process is in the middle of a line */
  #open = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: KernelLogOptions) {
    this.#options = options;
  }

  /** What the process printed to its own stdout and stderr, as it came. */
  said(text: string): void {
    if (text === "") return;
    this.#add(text);
    this.#open = !text.endsWith("\n");
  }

  /** One line of the server's. */
  note(text: string): void {
    this.#add(`${this.#open ? "\n" : ""}${new Date(this.#options.now()).toISOString()} ${text}\n`);
    this.#open = false;
  }

  #add(text: string): void {
    const all = this.#read() + text;
    const cut = all.length <= 2 * most ? all : all.slice(-most);
    this.#text = cut === all ? all : cut.slice(cut.indexOf("\n") + 1);
    if (this.#options.file === null) return;
    this.#timer ??= setTimeout(() => this.flush(), rest);
    this.#timer.unref();
  }

  /** What earlier servers have kept, once. */
  #read(): string {
    if (this.#text !== null) return this.#text;
    const { file } = this.#options;
    try {
      this.#text = file === null ? "" : readFileSync(file, "utf8");
    } catch {
      this.#text = "";
    }
    return this.#text;
  }

  /** Writes what is not written yet. A disk that takes nothing costs the log only. */
  flush(): void {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
    const file = this.#options.file!;
    try {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      writeFileSync(`${file}.new`, this.text, { mode: 0o600 });
      renameSync(`${file}.new`, file);
    } catch {}
  }

  get text(): string {
    return this.#options.redact(this.#read());
  }
}
