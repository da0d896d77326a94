/**
 * The control worker: hears the server on a socket of its own while the main thread spins. Stops runs (soft first, then by force, see
 * striker.ts), samples memory, answers pings.
 */
import { Session } from "node:inspector";
import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import type { FromControl, ToControl } from "../protocol/kernel.js";
import type { FromWorker, ToWorker } from "../data/messages.js";
import { connectFrames } from "./connection.js";
import { flushName, word, type ControlData, type ControlToMain, type MainToControl } from "./shared.js";
import { createStriker } from "./striker.js";

/** ms without an answer after which the main thread is taken to spin */
const patience = Number(process.env["TOUCHSTONE_PATIENCE"] ?? 80);
const stuckAfter = 5000;
const sampleEvery = 100;
/** times the memory limit, and ms after a stop, after which one that goes on is ended */
const beyond = 1.5;
const unreached = 1000;

const data = workerData as ControlData;
const shared = new Int32Array(data.shared);
const main = parentPort!;
const session = new Session();
session.connectToMainThread();

interface Stop {
  run: string;
  since: number;
  /** when the main thread last said that it hears */
  acked: number | null;
  asked: number;
  /** number of the last question */
  question: number;
  hard: boolean;
  stuck: boolean;
}

let current: { run: string; number: number; rss: number } | null = null;
let limit = Infinity;
let nearLimit: string | null = null;
const stops = new Map<string, Stop>();
let questions = 0;
/** pings of main that are not answered yet */
let pinged: { id: number; at: number } | null = null;
let heap = { used: 0, external: 0 };
let lag = 0;
let tables: MessagePort | null = null;
/** questions from before there was a table */
const early: Extract<ToControl, { type: "query" }>[] = [];

const tell = (message: FromControl) => socket.send(message);
const ask = (message: ControlToMain) => main.postMessage(message);
/** the server is gone: so is this process, whatever its main thread does */
const die = () => process.kill(process.pid, "SIGKILL");

const socket = connectFrames(data.socket, { message: (head) => hear(head as ToControl), close: die });
tell({ type: "hello", pid: process.pid });

function hear(message: ToControl): void {
  if (message.type === "exit") die();
  else if (message.type === "query") question(message);
  else if (message.type === "limit") limit = message.bytes;
  else if (message.type === "cancel") tables?.postMessage({ cancel: message.id } satisfies ToWorker);
  else if (message.type === "ping") {
    tell({ type: "pong", id: message.id, lag: Math.round(pinged ? Math.max(lag, performance.now() - pinged.at) : lag) });
  } else if (message.soft) ask({ type: "soft", run: message.run, keep: true, struck: false, number: 0 });
  else stop(message.run);
}

/** Table queries go to DuckDB past the main thread, which may be computing. */
function question(message: Extract<ToControl, { type: "query" }>): void {
  if (tables) return tables.postMessage({ id: message.id, request: { do: "query", query: message.query } } satisfies ToWorker);
  // the way to DuckDB comes by another channel than the table that was shown; where none comes, the table was an older kernel's
  early.push(message);
  setTimeout(() => {
    const at = early.indexOf(message);
    if (at < 0) return;
    early.splice(at, 1);
    tell({ type: "reply", id: message.id, ok: false, message: "this table is of an earlier kernel: run its cell again", gone: true });
  }, 2000);
}

function answered(message: FromWorker): void {
  if ("working" in message) return tell({ type: "working", id: message.working, percent: message.percent });
  if (!("id" in message)) return;
  if (message.ok) tell({ type: "reply", id: message.id, ok: true, value: message.value });
  else {
    const { type, message: text } = message.fault;
    tell({ type: "reply", id: message.id, ok: false, message: type === "Interrupt" ? "The query was stopped." : text });
  }
}

function stop(run: string): void {
  if (stops.has(run)) return;
  const now = performance.now();
  const item: Stop = { run, since: now, acked: null, asked: now, question: 0, hard: false, stuck: false };
  stops.set(run, item);
  if (current?.run === run) Atomics.store(shared, word.stopped, current.number);
  askToStop(item);
}

function askToStop(item: Stop): void {
  item.asked = performance.now();
  item.question = ++questions;
  ask({ type: "soft", run: item.run, keep: false, struck: item.hard, number: item.question });
}

/** Looks after the stops that are not over. */
function tend(): void {
  const now = performance.now();
  for (const item of stops.values()) {
    if (now - item.asked >= patience) {
      if (pendingAnswer(item)) striker.strike(item.run, item.question, () => stops.get(item.run) === item && pendingAnswer(item));
      else askToStop(item);
    }
    if (!item.stuck && now - item.since >= stuckAfter) {
      item.stuck = true;
      tell({ type: "interrupted", run: item.run, how: "stuck" });
    }
  }
}

/** Is the last question older than the last answer? */
function pendingAnswer(item: Stop): boolean {
  return item.acked === null || item.asked > item.acked;
}

const striker = createStriker(session, shared, (run) => {
  const struck = stops.get(run);
  if (struck) struck.hard = true;
  ask({ type: "landed" });
  if (struck) askToStop(struck);
});

main.on("message", (message: MainToControl) => {
  if (message.type === "run") {
    current = { run: message.run, number: message.number, rss: process.memoryUsage.rss() };
    if (stops.has(message.run)) Atomics.store(shared, word.stopped, message.number);
  } else if (message.type === "ack") {
    const item = stops.get(message.run);
    if (item) item.acked = performance.now();
  } else if (message.type === "over") {
    if (current?.run === message.run) current = null;
    if (nearLimit === message.run) nearLimit = null;
    const item = stops.get(message.run);
    if (item) {
      stops.delete(message.run);
      tell({ type: "interrupted", run: message.run, how: item.hard ? "hard" : "soft" });
    }
  } else if (message.type === "held") striker.held();
  else if (message.type === "limit") limit = message.bytes;
  else if (message.type === "pong") {
    if (pinged) lag = performance.now() - pinged.at;
    pinged = null;
    heap = { used: message.heapUsed, external: message.external };
  } else if (message.type === "exit") {
    session.disconnect();
    process.exit(0);
  } else if (message.type === "port") {
    tables = message.port;
    tables.on("message", answered);
    for (const query of early.splice(0)) question(query);
  }
});

setInterval(tend, Math.min(20, patience));

let tick = 0;
/** text waited at the last look already */
let waited = false;
let flushing = false;
let told = 0;
const tellSize = (rss: number) => {
  if (Math.abs(rss - told) <= told / 10) return;
  told = rss;
  tell({ type: "size", rss });
};
tellSize(process.memoryUsage.rss());
setInterval(() => {
  tick++;
  const rss = process.memoryUsage.rss();
  tellSize(rss);
  if (tick % 10 === 0) {
    tell({ type: "memory", rss, heapUsed: heap.used, heapLimit: data.heapLimit, external: heap.external });
    if (!pinged) {
      pinged = { id: tick, at: performance.now() };
      ask({ type: "ping", id: tick });
    }
  }
  guardMachine(rss);
  sendPrinted();
  if (current && nearLimit !== current.run) {
    // a run that starts above the limit may be the one that frees memory: only a run that adds to it is stopped
    if (rss > limit && rss > current.rss + limit / 50) near(rss, limit, "process");
    else if (rss > data.heapLimit * 0.8) {
      session.post("Runtime.getHeapUsage", (error, usage) => {
        const used = error ? 0 : ((usage as { usedSize?: number } | undefined)?.usedSize ?? 0);
        if (used > data.heapLimit * 0.85) near(used, data.heapLimit, "heap");
      });
    }
  }
}, sampleEvery);

function near(used: number, most: number, of: "process" | "heap"): void {
  if (!current || nearLimit === current.run) return;
  nearLimit = current.run;
  tell({ type: "near-limit", rss: used, limit: most, of });
  stop(current.run);
}

/** What a loop printed before it fell silent is sent although the main thread does not yield. */
function sendPrinted(): void {
  const waits = shared[word.printed] === 1;
  if (waits && waited && stops.size === 0 && !flushing) {
    flushing = true;
    const expression = `globalThis[Symbol.for(${JSON.stringify(flushName)})]()`;
    session.post("Runtime.evaluate", { expression, silent: true, returnByValue: true }, () => (flushing = false));
  }
  waited = waits;
}

/**
 * The last resort: a native call takes memory without end and no stop reaches it. Far above the limit the process is ended before the machine's memory
 * is gone, and other programs with it.
 */
function guardMachine(rss: number): void {
  const asked = current === null ? undefined : stops.get(current.run);
  if (rss <= limit * beyond || asked === undefined || performance.now() - asked.since < unreached) return;
  tell({ type: "over-limit", rss, limit: limit * beyond });
  // its last word is on its way first
  setTimeout(die, 20);
}
