/** Outputs of runs on their way to the server: streams are coalesced, the order is kept, nothing is dropped. */
import type { BulkMessage } from "../protocol/kernel.js";
import type { Output } from "../protocol/output.js";
import type { Shown } from "./shown.js";

export interface Sink {
  run: string;
  cell: string;
  /** outputs sent so far */
  count: number;
  /** the next output drops what was shown before */
  clear?: boolean;
  /** what is sent, for a result that is kept on disk */
  record?: Shown;
}

export interface Outputs {
  emit(sink: Sink, output: Output, clear?: boolean): void;
  /** drops what was shown; `wait`: only when the next output comes */
  clear(sink: Sink, wait: boolean): void;
  write(sink: Sink, name: "stdout" | "stderr", text: string): void;
  /** sends what is pending */
  flush(): void;
  /** sends everything pending of this run; how many outputs it has had */
  finish(sink: Sink): number;
}

const windowMs = 50;
/** so many writes go out at once in a window: the prints of a loop that never yields are seen */
const atOnce = 20;

/** `send` writes a message, as JSON, to the bulk socket; `waits` is told that text is left to be sent when the thread yields, or no more. What must be done whole runs in `own`: numbers without a gap, no text taken and not sent. */
export function createOutputs(send: (json: string) => void, own: <T>(work: () => T) => T, waits: (text: boolean) => void = () => {}): Outputs {
  let pending: { sink: Sink; name: "stdout" | "stderr"; parts: string[] } | null = null;
  let timer: NodeJS.Timeout | null = null;
  let windowStart = 0;
  let written = 0;
  let last: Sink | null = null;

  /** `json` is the output's: making it may run the code of a cell */
  const post = (sink: Sink, output: Output, json: string, clear?: boolean) => {
    const { run, cell } = sink;
    const head: Omit<BulkMessage, "output"> = { type: "output", run, cell, n: sink.count++ };
    if (clear || sink.clear) head.clear = true;
    if (head.clear === true) sink.record?.clear();
    sink.record?.add(output, json);
    sink.clear = false;
    send(`${JSON.stringify(head).slice(0, -1)},"output":${json}}`);
  };
  const stream = (sink: Sink, name: "stdout" | "stderr", text: string) => {
    const output: Output = { kind: "stream", name, text };
    post(sink, output, JSON.stringify(output));
  };
  const flush = () => {
    if (timer) clearTimeout(timer);
    timer = null;
    if (!pending) return;
    const { sink, name, parts } = pending;
    pending = null;
    waits(false);
    stream(sink, name, parts.join(""));
  };

  return {
    flush: () => own(flush),
    emit(sink, output, clear) {
      const json = JSON.stringify(output);
      own(() => {
        flush();
        post(sink, output, json, clear);
      });
    },
    clear(sink, wait) {
      own(() => {
        flush();
        sink.clear = true;
        if (!wait) stream(sink, "stdout", "");
      });
    },
    write(sink, name, text) {
      if (text === "") return;
      own(() => {
        if (pending && (pending.sink !== sink || pending.name !== name)) flush();
        pending ??= { sink, name, parts: [] };
        pending.parts.push(text);
        const now = performance.now();
        // what a run prints first is seen at once, however much the one before has printed
        if (now - windowStart >= windowMs || sink !== last) {
          last = sink;
          windowStart = now;
          written = 0;
        }
        if (written++ < atOnce) flush();
        else {
          timer ??= setTimeout(() => own(flush), windowMs);
          waits(true);
        }
      });
    },
    finish: (sink) =>
      own(() => {
        flush();
        // a clear that no output came after
        if (sink.clear) stream(sink, "stdout", "");
        return sink.count;
      }),
  };
}
