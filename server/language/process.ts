/** One language service process: started, asked, ended. What it is about is kernels/language; the server loads no TypeScript. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { setPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { entry } from "../../kernels/paths/paths.js";
import { encodeFrame, frameDecoder } from "../../kernels/protocol/frames.js";
import type { FromLanguage, LanguageAnswer, ToLanguage } from "../../kernels/protocol/language.js";
import { kernelEnvironment } from "../sessions/kernel.js";

/** A question that got no answer; `superseded`: a newer one came. */
export class LanguageError extends Error {
  readonly superseded: boolean;
  constructor(message: string, superseded = false) {
    super(message);
    this.superseded = superseded;
  }
}

export interface LanguageProcess {
  readonly pid: number | null;
  send(message: Exclude<ToLanguage, { type: "ask" }>): void;
  /** `signal`: the answer is not wanted any more */
  ask(question: Omit<Extract<ToLanguage, { type: "ask" }>, "type" | "id">, signal?: AbortSignal): Promise<{ rev: number; value: LanguageAnswer }>;
  /** resolves with the reason when the process is gone, null when it was told to go */
  readonly ended: Promise<string | null>;
  stop(): void;
}

/** ms for an answer: the first one waits for the types of the libraries; findings are of the whole notebook */
const patience = { question: 90_000, findings: 10 * 60_000 };

/** MB; a notebook of 200 cells with the types of TensorFlow.js takes some 700 */
const mostMemory = 2048;
/** MB for what is new: each key makes a program of a thousand files, most of it for one answer; with Node's own 16 it is carried on again and again */
const young = 64;

export function startLanguage(
  on: { ready(): void; problems(message: Extract<FromLanguage, { type: "problems" }>): void },
  heap = mostMemory,
): LanguageProcess {
  const folder = mkdtempSync(join(tmpdir(), `ts-language-${process.pid}-`));
  const path = process.platform === "win32" ? `\\\\.\\pipe\\ts-language-${process.pid}-${Math.random().toString(36).slice(2)}` : join(folder, "s");
  const waiting = new Map<
    number,
    { resolve(answer: { rev: number; value: LanguageAnswer }): void; reject(error: Error): void; timer: NodeJS.Timeout }
  >();
  let socket: Socket | null = null;
  let early: Uint8Array[] | null = [];
  let ids = 0;
  let stopping = false;
  let gone: string | null = null;
  let said = "";
  let ended!: (why: string | null) => void;
  const end = new Promise<string | null>((resolve) => (ended = resolve));

  const finish = (why: string): void => {
    if (gone !== null) return;
    gone = why;
    listener.close();
    socket?.destroy();
    child?.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
    for (const { reject, timer } of waiting.values()) {
      clearTimeout(timer);
      reject(new LanguageError(`The language service stopped: ${why}.`));
    }
    waiting.clear();
    ended(stopping ? null : why);
  };
  const receive = (message: FromLanguage): void => {
    if (message.type === "ready") return on.ready();
    if (message.type === "problems") return on.problems(message);
    const one = waiting.get(message.id);
    if (one === undefined) return;
    waiting.delete(message.id);
    clearTimeout(one.timer);
    if (message.ok) one.resolve({ rev: message.rev, value: message.value });
    else one.reject(new LanguageError(message.message, message.why === "superseded"));
  };
  const write = (message: ToLanguage): void => {
    const frame = encodeFrame(message);
    if (early !== null) early.push(frame);
    else socket?.write(frame);
  };

  let child: ReturnType<typeof spawn> | null = null;
  const listener = createServer((connection) => {
    if (socket !== null) return void connection.destroy();
    socket = connection;
    listener.close();
    const feed = frameDecoder(({ head }) => receive(head as FromLanguage));
    connection.on("data", (piece) => {
      try {
        feed(piece);
      } catch (error) {
        finish((error as Error).message);
      }
    });
    connection.on("error", () => undefined);
    for (const frame of early ?? []) connection.write(frame);
    early = null;
  });
  listener.on("error", (error) => finish(error.message));
  listener.listen(path, () => {
    if (gone !== null) return;
    child = spawn(process.execPath, [`--max-old-space-size=${heap}`, `--max-semi-space-size=${young}`, entry("language")], {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...kernelEnvironment(process.env), TOUCHSTONE_LANGUAGE_SOCKET: path },
      windowsHide: true,
    });
    child.stderr!.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-4000)));
    child.on("error", (error) => finish(error.message));
    child.on("close", (code, signal) => {
      if (/heap out of memory|heap limit/i.test(said)) return finish(`it used up its ${heap} MB of memory`);
      const words = said.split("\n").find((line) => /error|fatal/i.test(line));
      finish(signal === null ? `exit code ${code}${words === undefined ? "" : `, ${words.trim().slice(0, 200)}`}` : `ended by ${signal}`);
    });
    // what a person runs goes first
    if (child.pid !== undefined)
      try {
        setPriority(child.pid, 5);
      } catch {}
  });

  return {
    get pid() {
      return child?.pid ?? null;
    },
    ended: end,
    send: write,
    ask: (question, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) return reject(new LanguageError("It is not wanted any more.", true));
        if (gone !== null) return reject(new LanguageError(`The language service stopped: ${gone}.`));
        const id = ++ids;
        const most = question.question.ask === "problems" ? patience.findings : patience.question;
        const timer = setTimeout(() => finish(`no answer within ${most / 1000} s`), most);
        timer.unref();
        waiting.set(id, { resolve, reject, timer });
        write({ type: "ask", id, ...question });
        signal?.addEventListener("abort", () => waiting.has(id) && gone === null && write({ type: "cancel", id }), { once: true });
      }),
    stop() {
      stopping = true;
      finish("it was stopped");
    },
  };
}
