import type { ReactiveController, ReactiveControllerHost } from "lit";

/** A value from the server in four states; `poll` asks again while the page is seen. */
export class Load<T> implements ReactiveController {
  value: T | null = null;
  error: string | null = null;
  busy = false;
  #host: ReactiveControllerHost;
  #get: () => Promise<T>;
  #poll: number;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #number = 0;

  #key: () => string;
  #for: string | null = null;

  /** `key`: what the value belongs to; another key drops it and asks again. */
  constructor(host: ReactiveControllerHost, get: () => Promise<T>, poll = 0, key: () => string = () => "") {
    this.#host = host;
    this.#get = get;
    this.#poll = poll;
    this.#key = key;
    host.addController(this);
  }
  /** Not on connection: a tag that is upgraded later gets its properties only before its first update. */
  hostUpdate(): void {
    const key = this.#key();
    if (key === this.#for) return;
    this.#for = key;
    this.value = null;
    this.error = null;
    void this.refresh();
  }
  hostConnected(): void {
    this.#host.requestUpdate();
  }
  hostDisconnected(): void {
    this.#for = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#number++;
  }
  async refresh(): Promise<void> {
    const number = ++this.#number;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.busy = true;
    try {
      const value = await this.#get();
      if (number !== this.#number) return;
      this.value = value;
      this.error = null;
    } catch (error) {
      if (number !== this.#number) return;
      this.error = (error as Error).message;
    }
    this.busy = false;
    this.#host.requestUpdate();
    this.#later();
  }
  #later(): void {
    if (this.#poll === 0) return;
    this.#timer = setTimeout(() => {
      if (document.visibilityState === "visible") void this.refresh();
      else this.#later();
    }, this.#poll);
  }
}
