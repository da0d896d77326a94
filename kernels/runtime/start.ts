/** The kernel process: its three connections, the control worker, and what each message does. */
import { writeSync } from "node:fs";
import { getHeapStatistics } from "node:v8";
import { Worker, type MessagePort } from "node:worker_threads";
import type { FromKernel, KernelConfig, ToKernel } from "../protocol/kernel.js";
import { entry } from "../paths/paths.js";
import { connectFrames } from "./connection.js";
import { createGate } from "./gate.js";
import { createSession, type Session } from "./session.js";
import { flushName, word, words, type ControlToMain, type MainToControl } from "./shared.js";
import { createOutputs } from "./streams.js";

/** Connects and says `ready`; a spare kernel waits here for its `configure`. */
export function startKernel(sockets: KernelConfig["sockets"]): void {
  const exit = process.exit.bind(process);
  const memory = new SharedArrayBuffer(words * 4);
  const shared = new Int32Array(memory);
  const worker = new Worker(entry("kernel-control"), {
    workerData: { shared: memory, socket: sockets.control, heapLimit: getHeapStatistics().heap_size_limit },
  });
  const control = (message: MainToControl, transfer: MessagePort[] = []) => worker.postMessage(message, transfer);
  let session: Session | null = null;
  const gate = createGate({ shared, held: () => control({ type: "held" }), meant: (run) => session?.meant(run) ?? false });

  const leave = async () => {
    await session?.close();
    await Promise.all([main.flush(), bulk.flush()]);
    // its debugging session would hold the process
    control({ type: "exit" });
    worker.once("exit", () => exit(0));
  };
  const main = connectFrames(sockets.main, { message: (head) => hear(head as ToKernel), close: () => exit(0) }, gate.own);
  const bulk = connectFrames(sockets.bulk, { close: () => exit(0) }, gate.own);
  const tell = (message: FromKernel) => main.send(message);
  const outputs = createOutputs(
    (json) => bulk.sendText(json),
    gate.own,
    (text) => (shared[word.printed] = text ? 1 : 0),
  );
  gate.between(flushName, outputs.flush);

  const hear = (message: ToKernel): void => {
    if (message.type === "configure") {
      session = createSession({ config: message.config, shared, gate, outputs, tell, control });
      control({ type: "limit", bytes: message.config.memoryLimit });
    } else if (message.type === "shutdown") void leave();
    else session?.hear(message);
  };
  worker.on("message", (message: ControlToMain) => {
    if (message.type === "ping") {
      const { heapUsed, external } = process.memoryUsage();
      control({ type: "pong", id: message.id, heapUsed, external });
    } else if (message.type === "landed") gate.own(() => session?.landed());
    else {
      Atomics.store(shared, word.heard, Math.max(shared[word.heard]!, message.number));
      if (session) gate.own(() => session!.soft(message));
      else control({ type: "over", run: message.run });
    }
  });
  worker.on("error", () => exit(70));

  catchStray((error) => {
    if (session?.recent()) return session.report(error);
    // before any cell it is the kernel that is broken
    writeSync(2, `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    exit(70);
  });
  // a cell that ends the process would take every variable along
  process.exit = ((code?: number) => {
    throw new Error(`process.exit(${code ?? ""}) would end the kernel; the cell has to return or throw`);
  }) as typeof process.exit;
  for (const name of ["stdout", "stderr"] as const) {
    const write = process[name].write.bind(process[name]);
    process[name].write = ((chunk: string | Uint8Array, encoding?: unknown, callback?: unknown) => {
      const run = session?.recent();
      if (!run) return write(chunk as string);
      outputs.write(run.sink, name, typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8"));
      const done = typeof encoding === "function" ? encoding : callback;
      if (typeof done === "function") process.nextTick(done as () => void);
      return true;
    }) as typeof process.stdout.write;
  }
  tell({ type: "ready", pid: process.pid, node: process.version });
}

/**
 * Errors that nobody catches are the cell's, never the end of the process. Packages that would end it are not let in, and nobody takes the kernel's own
 * listeners away: TFJS's wasm module does both, the second where its back end is disposed of.
 */
function catchStray(report: (error: unknown) => void): void {
  const events = ["uncaughtException", "unhandledRejection"];
  for (const event of events) process.on(event, report);
  const methods = process as unknown as Record<string, (event?: string | symbol, ...rest: never[]) => NodeJS.Process>;
  const guarded = ["on", "addListener", "once", "prependListener", "prependOnceListener", "off", "removeListener"];
  for (const method of guarded) {
    const original = methods[method]!;
    methods[method] = (event, ...rest) => (events.includes(String(event)) ? process : original.call(process, event, ...rest));
  }
  const removeAll = methods["removeAllListeners"]!;
  methods["removeAllListeners"] = (event) => {
    const all = event === undefined ? process.eventNames() : [event];
    for (const event of all) if (!events.includes(String(event))) removeAll.call(process, event);
    return process;
  };
}
