/** Memory that main thread and control worker share, and what they say to each other. */

import type { MessagePort } from "node:worker_threads";

/** Words of the shared Int32Array. */
export const word = {
  /** depth of the kernel's own code on the main thread's stack: it is never cut */
  own: 0,
  /** number of the run that was told to stop: its awaits never continue */
  stopped: 1,
  /** where a strike stands, see `strike` */
  strike: 2,
  /** number of the last question to stop that the main thread has heard */
  heard: 3,
  /** 1: the control worker asks in vain, because the kernel's own code takes most of the time; it waits at its end */
  asking: 4,
  /** 1: text that was printed waits to be sent */
  printed: 5,
} as const;
export const words = 6;

/** A termination of what the main thread does, from the question whether it may be to its landing (gate.ts and striker.ts). */
export const strike = {
  none: 0,
  /** the main thread stands still in user code and waits for the control worker */
  held: 1,
  /** the control worker has taken the word: nobody gives up any more */
  taken: 2,
  /** the termination is on its way and lands where the main thread stands */
  sent: 3,
} as const;

export interface ControlData {
  shared: SharedArrayBuffer;
  socket: string;
  heapLimit: number;
}

export type MainToControl =
  | { type: "run"; run: string; number: number }
  | { type: "ack"; run: string }
  /** the run is over, whichever way */
  | { type: "over"; run: string }
  /** stands still in user code, ready to be struck */
  | { type: "held" }
  | { type: "limit"; bytes: number }
  | { type: "pong"; id: number; heapUsed: number; external: number }
  | { type: "exit" }
  /** a way to the DuckDB worker */
  | { type: "port"; port: MessagePort };
export type ControlToMain =
  /** stop; `keep`: only set the signal; `struck`: the stack was unwound by force; `number` rises with every question */
  | { type: "soft"; run: string; keep: boolean; struck: boolean; number: number }
  /** a strike has landed: its stack is gone, and with it what stood in the queue of microtasks */
  | { type: "landed" }
  | { type: "ping"; id: number };

/** Names of the functions that the control worker evaluates on the main thread. */
export const strikeName = "touchstone.strike";
export const flushName = "touchstone.flush";
