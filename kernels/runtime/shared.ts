/** Memory that main thread and control worker share, and what they say to each other. */

import type { MessagePort } from "node:worker_threads";

/** Words of the shared Int32Array. */
export const word = {
  /** number of the run whose code may be on the stack of the main thread; 0 = none: do not strike */
  user: 0,
  /** number of the run that was told to stop: its awaits never continue */
  stopped: 1,
} as const;
export const words = 2;

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
  | { type: "limit"; bytes: number }
  | { type: "pong"; id: number; heapUsed: number; external: number }
  | { type: "exit" }
  /** a way to the DuckDB worker */
  | { type: "port"; port: MessagePort };
export type ControlToMain =
  /** stop; `keep`: only set the signal; `struck`: the stack was unwound by force */
  { type: "soft"; run: string; keep: boolean; struck: boolean } | { type: "ping"; id: number };
