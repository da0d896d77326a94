/** One model host: a child process that serves one version over a unix socket which the server listens on. */
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { encodeFrame, frameDecoder } from "../../kernels/protocol/frames.js";
import type { FromHost, ParityReport, ToHost } from "../../kernels/protocol/host.js";
import { entry } from "../../kernels/paths/paths.js";

/** The host went away with requests under way. */
export class HostDied extends Error {
  override name = "HostDied";
  /** this very request got no answer in time: asking again would wait as long */
  readonly hung: boolean;
  constructor(message: string, hung = false) {
    super(message);
    this.hung = hung;
  }
}
/** The host never became ready: the version is damaged, or does not give its stored answers here. */
export class HostRefused extends Error {
  override name = "HostRefused";
}

export type HostRequest = Omit<Extract<ToHost, { type: "request" }>, "id" | "type">;
export interface HostAnswer {
  status: number;
  contentType: string;
  headerLength: number | null;
  body: Uint8Array;
  rows: number;
  warnings: number;
  ms: number;
  field: string | null;
  /** one JSON fragment a row, for the log */
  log: Uint8Array;
}

export interface Host {
  pid: number;
  backend: string;
  /** sha256 of the manifest that the host verified */
  hash: string;
  parity: ParityReport;
  memory: number;
  /** requests under way */
  busy(): number;
  alive(): boolean;
  request(request: HostRequest, body: Uint8Array): Promise<HostAnswer>;
  /** ms of an empty round trip */
  ping(): Promise<number>;
  /** waits for what is under way, then ends the process */
  drain(): Promise<void>;
  kill(): void;
  /** resolves with the reason once the process is gone without being asked */
  death: Promise<string>;
}

export interface HostOptions {
  dir: string;
  /** short private folder for the socket */
  sockets: string;
  /** ms until ready; default 60,000 */
  startLimit?: number;
  /** ms until an answer; default 30,000 */
  answerLimit?: number;
  /** stops a host that is still starting */
  signal?: AbortSignal;
}

let count = 0;

/** Starts a host and waits until it has verified the version and proved parity. Throws a HostRefused with the reason otherwise. */
export function startHost(options: HostOptions): Promise<Host> {
  const { dir, sockets, startLimit = 60_000, answerLimit = 30_000, signal } = options;
  const path = join(sockets, `h${(++count).toString(36)}`);
  return new Promise((resolve, reject) => {
    const waiting = new Map<
      number,
      { done(answer: HostAnswer): void; pong(memory: number): void; failed(error: Error): void; timer: NodeJS.Timeout }
    >();
    let socket: Socket | null = null;
    let ready = false;
    let over = false;
    let ending = false;
    let reason = "";
    let nextId = 0;
    let lastWords = "";
    let died!: (why: string) => void;
    const death = new Promise<string>((done) => (died = done));
    const listener = createServer();
    const child = spawn(process.execPath, ["--max-old-space-size=1024", entry("model-host"), dir, path], {
      stdio: ["ignore", "ignore", "pipe"],
      // user code runs there: no secrets of the server's environment
      env: { PATH: process.env["PATH"], HOME: process.env["HOME"], TZ: "UTC", LANG: "C.UTF-8", TF_CPP_MIN_LOG_LEVEL: "2" },
    });
    const limit = setTimeout(() => finish(`it was not ready within ${startLimit / 1000} s`), startLimit);
    child.stderr.setEncoding("utf8").on("data", (text: string) => (lastWords = (lastWords + text).slice(-2000)));
    child.on("error", (error) => finish(error.message));
    child.on("close", (code, signal) => {
      const words = lastWords.trim().split("\n").at(-1);
      finish(reason || (signal ? `it was ended by ${signal}` : `it ended with code ${code}${words ? `: ${words}` : ""}`));
    });

    const stop = (): void => (ready ? undefined : finish("it was stopped"));
    const finish = (why: string): void => {
      if (over) return;
      over = true;
      signal?.removeEventListener("abort", stop);
      reason = why;
      clearTimeout(limit);
      listener.close();
      socket?.destroy();
      child.kill("SIGKILL");
      rmSync(path, { force: true });
      for (const one of waiting.values()) {
        clearTimeout(one.timer);
        one.failed(new HostDied(`the model host is gone: ${why}`));
      }
      waiting.clear();
      if (!ready) reject(new HostRefused(why));
      else if (!ending) died(why);
    };

    if (signal?.aborted) finish("it was stopped");
    signal?.addEventListener("abort", stop, { once: true });

    const host: Host = {
      pid: child.pid ?? 0,
      ...{ backend: "", hash: "", parity: null as unknown as ParityReport, memory: 0, death },
      busy: () => waiting.size,
      alive: () => ready && !over && !ending,
      request: (request, body) => exchange((id) => ({ type: "request", id, ...request }), body),
      ping: () => {
        const started = performance.now();
        return exchange((id) => ({ type: "ping", id })).then(() => performance.now() - started);
      },
      async drain() {
        ending = true;
        const until = Date.now() + answerLimit;
        while (waiting.size > 0 && Date.now() < until && !over) await new Promise((done) => setTimeout(done, 5));
        finish("it was drained");
      },
      kill: () => {
        ending = true;
        finish("it was stopped");
      },
    };

    const exchange = (head: (id: number) => ToHost, body?: Uint8Array): Promise<HostAnswer> =>
      new Promise((done, failed) => {
        if (over || !socket) return failed(new HostDied(`the model host is gone: ${reason}`));
        const id = ++nextId;
        const timer = setTimeout(() => {
          const why = `it gave no answer within ${answerLimit / 1000} s`;
          waiting.delete(id);
          failed(new HostDied(`the model host is gone: ${why}`, true));
          finish(why);
        }, answerLimit);
        const pong = (memory: number): void => {
          host.memory = memory;
          done(undefined as unknown as HostAnswer);
        };
        waiting.set(id, { done, pong, failed, timer });
        socket.write(encodeFrame(head(id), body));
      });

    const receive = (message: FromHost, body: Uint8Array): void => {
      if (message.type === "failed") return finish(message.message);
      if (message.type === "ready") {
        if (!message.parity.ok) return finish(message.parity.why ?? "parity does not hold");
        clearTimeout(limit);
        ready = true;
        const { backend, hash, parity, memory } = message;
        Object.assign(host, { backend, hash, parity, memory });
        return resolve(host);
      }
      const one = waiting.get(message.id);
      if (!one) return;
      waiting.delete(message.id);
      clearTimeout(one.timer);
      if (message.type === "pong") return one.pong(message.memory);
      const { status, contentType, headerLength = null, split, rows, warnings, ms, field = null } = message;
      one.done({ status, contentType, headerLength, body: body.subarray(0, split), rows, warnings, ms, field, log: body.subarray(split) });
    };

    listener.listen(path, () => undefined);
    listener.on("error", (error) => finish(error.message));
    listener.on("connection", (connection) => {
      if (socket) return void connection.destroy();
      socket = connection;
      listener.close();
      const feed = frameDecoder(({ head, body }) => receive(head as FromHost, body));
      connection.on("data", (piece) => {
        try {
          feed(piece);
        } catch (error) {
          finish((error as Error).message);
        }
      });
      connection.on("error", () => undefined);
      // the exit code comes with the process's own end, which follows
      connection.on("close", () => setTimeout(() => finish("it closed its connection"), 500).unref());
    });
  });
}
