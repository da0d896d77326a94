/** One connected client of a session: an ordered outbox, told once a tick, and a limit on what may pile up. */
import type { NotebookEvent, ServerMessage } from "../../kernels/protocol/document.js";

/** What a viewer needs of a connection. */
export interface Wire {
  send(text: string): void;
  /** bytes not yet taken by the network */
  readonly pending: number;
  close(code: number, reason: string): void;
}

/** Bytes that may wait for a slow client; past them it gets a snapshot instead, once it has caught up. */
const most = 4 * 2 ** 20;

/** ms in which the events of a long queue are gathered: a page draws no faster */
const gathering = 10;

export class Viewer {
  readonly client: string;
  readonly name: string;
  /** its questions to the kernel that are not answered yet, by the command's id */
  readonly calls = new Map<number, AbortController>();
  readonly #wire: Wire;
  readonly #snapshot: () => ServerMessage;
  #out: ({ event: NotebookEvent } | { message: ServerMessage })[] = [];
  #planned = false;
  #soon: NodeJS.Timeout | null = null;
  /** events are left out until the snapshot */
  #behind = false;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(client: string, name: string, wire: Wire, snapshot: () => ServerMessage) {
    this.client = client;
    this.name = name;
    this.#wire = wire;
    this.#snapshot = snapshot;
  }

  /** `rush`: more follow at once, so that they can be told together a moment later. */
  event(event: NotebookEvent, rush = false): void {
    if (this.#behind) return;
    this.#out.push({ event });
    if (rush) this.#soon ??= setTimeout(() => this.#flush(), gathering);
    else this.#plan();
  }

  message(message: ServerMessage): void {
    this.#out.push({ message });
    this.#plan();
  }

  close(code: number, reason: string): void {
    this.#flush();
    this.ended();
    this.#wire.close(code, reason);
  }

  /** the connection is gone */
  ended(): void {
    this.#closed = true;
    for (const stop of this.calls.values()) stop.abort();
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#soon !== null) clearTimeout(this.#soon);
  }

  #plan(): void {
    if (this.#planned) return;
    this.#planned = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#planned = false;
    if (this.#soon !== null) clearTimeout(this.#soon);
    this.#soon = null;
    const out = this.#out;
    this.#out = [];
    if (this.#closed) return;
    let events: NotebookEvent[] = [];
    const tell = () => {
      if (events.length > 0) this.#send({ type: "events", events });
      events = [];
    };
    for (const item of out) {
      if ("event" in item) {
        events.push(item.event);
        continue;
      }
      tell();
      this.#send(item.message);
    }
    tell();
    if (this.#wire.pending > most && !this.#behind) {
      this.#behind = true;
      this.#catchUp();
    }
  }

  #catchUp(): void {
    this.#timer = setTimeout(() => {
      if (this.#closed) return;
      if (this.#wire.pending > most / 8) return this.#catchUp();
      this.#behind = false;
      this.message(this.#snapshot());
    }, 50);
    this.#timer.unref();
  }

  #send(message: ServerMessage): void {
    this.#wire.send(JSON.stringify(message));
  }
}
