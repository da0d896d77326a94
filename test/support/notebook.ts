/** A program as a client of one notebook: the same WebSocket and the same replay as the page. */
import WebSocket from "ws";
import type { ClientMessage, Command, NotebookEvent, NotebookState, ServerMessage } from "../../kernels/protocol/document.js";
import { replay } from "../../kernels/notebook/replay.js";
import type { RunningServer } from "./server.js";

export type Reply = Extract<ServerMessage, { type: "reply" }>;

export class NotebookClient {
  state!: NotebookState;
  events: NotebookEvent[] = [];
  readonly socket: WebSocket;
  #next = 1;
  #replies = new Map<number, (reply: Reply) => void>();
  #waiters = new Set<() => void>();
  #failed: Error | null = null;

  private constructor(socket: WebSocket) {
    this.socket = socket;
  }

  static async open(server: Pick<RunningServer, "url" | "token">, path: string, name = "test"): Promise<NotebookClient> {
    const url = `${server.url.replace(/^http/, "ws").replace(/\/$/, "")}/api/ts/notebook?path=${encodeURIComponent(path)}`;
    const socket = new WebSocket(url, { headers: { authorization: `Bearer ${server.token}` }, perMessageDeflate: false });
    const client = new NotebookClient(socket);
    socket.on("message", (data) => client.#receive(JSON.parse(String(data)) as ServerMessage));
    socket.on("close", (code, reason) => client.#fail(new Error(`socket closed: ${code} ${String(reason)}`)));
    socket.on("error", (error) => client.#fail(error));
    await new Promise<void>((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
    });
    client.send({ type: "hello", client: `${name}-${Math.random().toString(36).slice(2)}`, name, epoch: null, cursor: 0 });
    await client.until(() => client.state !== undefined);
    return client;
  }

  send(message: ClientMessage): void {
    this.socket.send(JSON.stringify(message));
  }

  /** id of the last command sent */
  get lastId(): number {
    return this.#next - 1;
  }

  /** Sends a command with the revision seen and resolves with the reply, good or bad. */
  ask(command: Command, rev = this.state.rev): Promise<Reply> {
    const id = this.#next++;
    return new Promise((resolve) => {
      this.#replies.set(id, resolve);
      this.send({ type: "command", id, rev, command });
    });
  }

  /** As `ask`; a refusal throws. */
  async do(command: Command): Promise<unknown> {
    const reply = await this.ask(command);
    if (!reply.ok) throw new Error(`${reply.error.code}: ${reply.error.message}`);
    return reply.value;
  }

  /** Resolves when the replayed state fits. */
  until(fits: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (this.#failed) {
          this.#waiters.delete(look);
          reject(this.#failed);
        } else if (fits()) {
          this.#waiters.delete(look);
          resolve();
        }
      };
      this.#waiters.add(look);
      look();
    });
  }

  /** Appends a code cell. */
  async add(id: string, source: string, kind: NotebookState["source"]["cells"][number]["kind"] = "code"): Promise<void> {
    const after = this.state.source.cells.at(-1)?.id ?? null;
    await this.do({ do: "ops", ops: [{ op: "insert", after, cell: { id, kind, source, options: {} } }] });
    await this.until(() => this.state.cells[id] !== undefined);
  }

  /** Runs cells and resolves when all of them are idle with a result of this run. */
  async run(...cells: string[]): Promise<void> {
    const before = new Map(cells.map((id) => [id, this.state.cells[id]?.run ?? null]));
    await this.do({ do: "run", cells });
    await this.until(() => cells.every((id) => this.state.cells[id]?.status === "idle" && this.state.cells[id]!.run !== before.get(id)));
  }

  close(): void {
    this.socket.removeAllListeners("close");
    this.socket.close();
  }

  #fail(error: Error): void {
    this.#failed = error;
    for (const waiter of [...this.#waiters]) waiter();
  }

  #receive(message: ServerMessage): void {
    if (message.type === "snapshot") this.state = message.state;
    else if (message.type === "events") {
      this.events.push(...message.events);
      for (const event of message.events) this.state = replay(this.state, event);
    } else if (message.type === "reply") {
      this.#replies.get(message.id)?.(message);
      this.#replies.delete(message.id);
    }
    for (const waiter of [...this.#waiters]) waiter();
  }
}
