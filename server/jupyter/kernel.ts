/** One Jupyter kernel: a console on a notebook's kernel process (or on one without a notebook), with the WebSockets that are connected to it. */
import { randomUUID } from "node:crypto";
import type { KernelState } from "../../kernels/protocol/document.js";
import type { CommMessage } from "../../kernels/protocol/kernel.js";
import type { ServerCalls } from "../../kernels/protocol/serving.js";
import type { Console } from "../sessions/consoles.js";
import type { Session } from "../sessions/session.js";
import { answer, type HistoryLine } from "./answers.js";
import { fromComm, toComm } from "./comms.js";
import { startExecution, step, type Effect, type Execute, type ExecutionInput } from "./execution.js";
import { protocolVersion, type Channel, type Header, type Message } from "./message.js";

/** ms */
const lookPatience = 1000;

/** A connected client: `send` frames the message as it was agreed. */
export interface Peer {
  send(message: Message): void;
  close(code: number, reason: string): void;
}

export class JupyterKernel {
  readonly id = randomUUID();
  readonly name = "touchstone";
  readonly session: Session;
  readonly notebook: boolean;
  /** ends a process of its own; null: it is a notebook's */
  readonly #letGo: (() => Promise<void>) | null;
  readonly #now: () => number;
  lastActivity: Date;
  #uuid = randomUUID() as string;
  readonly #peers = new Map<number, Peer>();
  #nextPeer = 1;
  #execution = startExecution(`j${randomUUID().slice(0, 8)}`);
  #console: Console;
  #state: KernelState["state"];
  readonly #history: HistoryLine[] = [];
  #historySession = 1;
  #restarting = false;
  #wanted: string[] = [];
  /** a question to the person, until the line comes */
  #asked: { msg: string; resolve(line: string): void; reject(error: Error): void } | null = null;
  /** comm messages whose handlers have not come back */
  #handling = 0;
  /** the client's comm message whose handler is called */
  #commParent: Header | null = null;
  readonly #stop: () => void;

  constructor(session: Session, letGo: (() => Promise<void>) | null, now: () => number) {
    this.session = session;
    this.notebook = letGo === null;
    this.#letGo = letGo;
    this.#now = now;
    this.lastActivity = new Date(now());
    this.#state = session.state.kernel.state;
    this.#console = this.#connect();
    this.#stop = session.listen((event) => event.type === "kernel" && this.#heard(event.kernel));
    if (this.#state === "none" || this.#state === "dead") void session.command({ do: "restart", then: "nothing" }, "jupyter");
  }

  get connections(): number {
    return this.#peers.size;
  }
  get state(): string {
    if (this.#state === "dead") return "dead";
    if (this.#state === "starting" || this.#state === "none") return "starting";
    return this.#execution.current === null ? "idle" : "busy";
  }
  model(): Record<string, unknown> {
    const { id, name, connections, state } = this;
    return { id, name, last_activity: this.lastActivity.toISOString(), execution_state: state, connections };
  }

  connect(peer: Peer): { receive(message: Message): void; leave(): void } {
    const number = this.#nextPeer++;
    this.#peers.set(number, peer);
    this.lastActivity = new Date(this.#now());
    return { receive: (message) => this.#receive(number, message), leave: () => void this.#peers.delete(number) };
  }

  interrupt(): void {
    const { current } = this.#execution;
    if (current !== null) this.#console.interrupt(current.run);
    // a handler that does not end: no run is meant but the one that keeps the thread
    else if (this.#handling > 0) this.#console.interrupt(`${this.#execution.prefix}-0`);
    // a cell of the notebook that is in the way
    else if (this.notebook && this.session.busy) void this.session.command({ do: "interrupt" }, "jupyter");
  }

  async restart(): Promise<void> {
    this.#restarting = true;
    this.#do({ type: "end", cause: null });
    this.#publish("status", null, { execution_state: "restarting" });
    const refused = await this.session.command({ do: "restart", then: "nothing" }, "jupyter").finally(() => (this.#restarting = false));
    if (refused !== null) throw new Error(refused.message);
  }

  /** Lets go of the kernel; one of its own ends, a notebook's too unless its page is open or a cell runs. */
  async close(): Promise<void> {
    this.#stop();
    this.#do({ type: "end", cause: null });
    this.#console.close();
    this.#publish("status", null, { execution_state: "dead" });
    for (const peer of this.#peers.values()) peer.close(1000, "the kernel was shut down");
    this.#peers.clear();
    if (this.#letGo !== null) await this.#letGo();
    else if (this.session.viewers === 0 && !this.session.busy) await this.session.command({ do: "shutdown" }, "jupyter");
  }

  #connect(): Console {
    return this.session.console(this.#execution.prefix, {
      message: (message) => {
        if (message.type === "done")
          this.#do({
            type: "done",
            run: message.run,
            result: message.result,
            warnings: message.warnings,
            ...(message.error && { error: message.error }),
          });
        else if (message.type === "interrupted" && message.how === "stuck") {
          const parent = this.#execution.current?.item.header ?? null;
          this.#publish("stream", parent, { name: "stderr", text: "stuck: a native call does not yield; restart the kernel, or wait.\n" });
        }
      },
      outputs: (messages) => {
        for (const run of new Set(messages.map((message) => message.run)))
          this.#do({ type: "outputs", run, outputs: messages.filter((message) => message.run === run) });
      },
      comm: (message) => this.#comm(message),
      prompt: (params) => this.#prompt(params),
    });
  }

  #heard({ state, death }: KernelState): void {
    const before = this.#state;
    this.#state = state;
    if (state === before) return;
    if (state === "starting") {
      if (!this.#restarting) {
        this.#do({ type: "end", cause: null });
        this.#publish("status", null, { execution_state: "restarting" });
      }
      this.#restarting = false;
      this.#console.close();
      this.#uuid = randomUUID();
      // one without a line is none
      if (this.#history.at(-1)?.session === this.#historySession) this.#historySession++;
      this.#execution = startExecution(`j${randomUUID().slice(0, 8)}`);
      this.#wanted = [];
      this.#console = this.#connect();
      this.#publish("status", null, { execution_state: "starting" });
    } else if (before === "starting" && state !== "dead") {
      for (const run of this.#wanted.splice(0)) this.#start(run);
      if (this.#execution.current === null) this.#publish("status", null, { execution_state: "idle" });
    } else if (state === "dead" || state === "none") {
      const cause = death?.cause ?? "the kernel was shut down";
      if (this.#execution.current === null) this.#publish("stream", null, { name: "stderr", text: `${cause}\n` });
      this.#do({ type: "end", cause });
      this.#publish("status", null, { execution_state: "dead" });
    }
  }

  #do(input: ExecutionInput): void {
    const { state, effects } = step(this.#execution, input);
    this.#execution = state;
    if (state.current === null || input.type === "end") this.#dropQuestion();
    for (const effect of effects) this.#perform(effect);
  }

  #runs = new Map<string, Extract<Effect, { do: "run" }>>();
  #perform(effect: Effect): void {
    if (effect.do === "publish") this.#publish(effect.type, effect.parent, effect.content);
    else if (effect.do === "reply") this.#send(effect.to, "shell", effect.type, effect.parent, effect.content);
    else if (effect.do === "remember") this.#history.push({ session: this.#historySession, line: effect.count, code: effect.code, output: null });
    else if (effect.do === "result") this.#history.at(-1)!.output = effect.text;
    else {
      this.#runs = new Map([[effect.run, effect]]);
      if (this.state === "starting") this.#wanted.push(effect.run);
      else this.#start(effect.run);
    }
  }

  #start(run: string): void {
    const wanted = this.#runs.get(run);
    if (wanted !== undefined)
      this.#console.run({ cell: { id: wanted.cell, kind: "code", source: wanted.code, options: {} }, run, uses: [], defines: [] });
  }

  #prompt({ question, password }: ServerCalls["prompt"]["params"]): Promise<string> {
    const item = this.#execution.current?.item;
    if (item === undefined || !item.stdin || !this.#peers.has(item.from))
      return Promise.reject(new Error("prompt() has nobody to ask: this client takes no input (allow_stdin is false)"));
    this.#dropQuestion();
    return new Promise((resolve, reject) => {
      const msg = this.#send(item.from, "stdin", "input_request", item.header, { prompt: question, password });
      this.#asked = { msg, resolve, reject };
    });
  }
  #dropQuestion(): void {
    this.#asked?.reject(new Error("the question was not answered"));
    this.#asked = null;
  }

  #receive(from: number, message: Message): void {
    this.lastActivity = new Date(this.#now());
    const { channel, header, content } = message;
    if (channel === "stdin") {
      if (header.msg_type !== "input_reply" || this.#asked === null) return;
      const { resolve } = this.#asked;
      this.#asked = null;
      return resolve(typeof content["value"] === "string" ? content["value"] : "");
    }
    if (header.msg_type === "execute_request" && channel === "shell") {
      if (this.#state === "dead" || this.#state === "none") void this.session.command({ do: "restart", then: "nothing" }, "jupyter");
      return this.#do({ type: "execute", item: executeOf(from, header, content) });
    }
    this.#publish("status", header, { execution_state: "busy" });
    void this.#answered(message).then((reply) => {
      if (reply !== null) this.#send(from, channel, header.msg_type.replace(/_request$/, "_reply"), header, reply);
      this.#publish("status", header, { execution_state: "idle" });
      // clients take the last status for the kernel's
      const { current } = this.#execution;
      if (current !== null) this.#publish("status", current.item.header, { execution_state: "busy" });
      if (header.msg_type === "shutdown_request") void (content["restart"] === true ? this.restart() : this.onShutdown());
    });
  }

  /** A cell's comm message: caused by a client's, or by the request that runs. */
  #comm(message: CommMessage): void {
    const { type, content, buffers } = fromComm(message);
    this.#publish(type, this.#commParent ?? this.#execution.current?.item.header ?? null, content, buffers);
  }

  /** set by who keeps the kernels: removes it from the list, and closes it */
  onShutdown: () => Promise<void> = () => this.close();

  async #answered({ header, content, buffers }: Message): Promise<Record<string, unknown> | null> {
    if (header.msg_type === "interrupt_request") {
      this.interrupt();
      return { status: "ok" };
    }
    if (header.msg_type === "shutdown_request") return { status: "ok", restart: content["restart"] === true };
    const comm = toComm(header.msg_type, content, buffers);
    if (comm !== null) {
      const before = this.#commParent;
      this.#commParent = header;
      // a target or comm that nobody has: the client hears that it is closed
      this.#handling++;
      const known = await this.#console.comm(comm).catch(() => false);
      this.#handling--;
      if (this.#commParent === header) this.#commParent = before;
      if (!known && comm.do !== "close") this.#publish("comm_close", header, { comm_id: comm.id, data: {} });
      return null;
    }
    try {
      return await answer(header.msg_type, content, {
        history: { session: this.#historySession, lines: this.#history },
        comms: this.#console.comms,
        look: (path) => this.#look(path),
      });
    } catch (error) {
      return { status: "error", ename: "Error", evalue: (error as Error).message, traceback: [] };
    }
  }

  /** Nothing is known while a request keeps the kernel's thread: an editor must not wait for it. */
  async #look(path: string[]): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => (timer = setTimeout(resolve, lookPatience, null)));
    const found = this.session.query({ query: "look", path }).catch(() => null);
    return await Promise.race([found, late]).finally(() => clearTimeout(timer));
  }

  #header(type: string): Header {
    return {
      msg_id: randomUUID(),
      msg_type: type,
      session: this.#uuid,
      username: "touchstone",
      date: new Date().toISOString(),
      version: protocolVersion,
    };
  }
  #publish(type: string, parent: Header | null, content: Record<string, unknown>, buffers: Uint8Array[] = []): void {
    const message: Message = { channel: "iopub", header: this.#header(type), parent_header: parent ?? {}, metadata: {}, content, buffers };
    for (const peer of this.#peers.values()) peer.send(message);
  }
  #send(to: number, channel: Channel, type: string, parent: Header, content: Record<string, unknown>): string {
    const header = this.#header(type);
    this.#peers.get(to)?.send({ channel, header, parent_header: parent, metadata: {}, content, buffers: [] });
    return header.msg_id;
  }
}

function executeOf(from: number, header: Header, content: Record<string, unknown>): Execute {
  const expressions = content["user_expressions"];
  const silent = content["silent"] === true;
  return {
    from,
    header,
    code: typeof content["code"] === "string" ? content["code"] : "",
    silent,
    storeHistory: content["store_history"] !== false && !silent,
    expressions: Object.entries(typeof expressions === "object" && expressions !== null ? expressions : {}).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    ),
    stdin: content["allow_stdin"] !== false,
    stopOnError: content["stop_on_error"] !== false,
  };
}
