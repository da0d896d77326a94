/** Outputs of runs on their way to the server: streams are coalesced, the order is kept, nothing is dropped. */
import type { BulkMessage } from "../protocol/kernel.js";
import type { Output } from "../protocol/output.js";

export interface Sink {
  run: string;
  cell: string;
  /** outputs sent so far */
  count: number;
  /** the next output drops what was shown before */
  clear?: boolean;
  /** what is sent, for a result that is kept on disk */
  record?: Output[];
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

/** `send` writes to the bulk socket. */
export function createOutputs(send: (message: BulkMessage) => void): Outputs {
  let pending: { sink: Sink; name: "stdout" | "stderr"; parts: string[] } | null = null;
  let timer: NodeJS.Timeout | null = null;
  let windowStart = 0;
  let written = 0;

  const post = (sink: Sink, output: Output, clear?: boolean) => {
    const message: BulkMessage = { type: "output", run: sink.run, cell: sink.cell, n: sink.count++, output };
    if (clear || sink.clear) message.clear = true;
    if (message.clear === true && sink.record !== undefined) sink.record = [];
    sink.record?.push(output);
    sink.clear = false;
    send(message);
  };
  const flush = () => {
    if (timer) clearTimeout(timer);
    timer = null;
    if (!pending) return;
    const { sink, name, parts } = pending;
    pending = null;
    post(sink, { kind: "stream", name, text: parts.join("") });
  };

  return {
    flush,
    emit(sink, output, clear) {
      flush();
      post(sink, output, clear);
    },
    clear(sink, wait) {
      flush();
      sink.clear = true;
      if (!wait) post(sink, { kind: "stream", name: "stdout", text: "" });
    },
    write(sink, name, text) {
      if (text === "") return;
      if (pending && (pending.sink !== sink || pending.name !== name)) flush();
      pending ??= { sink, name, parts: [] };
      pending.parts.push(text);
      const now = performance.now();
      if (now - windowStart >= windowMs) {
        windowStart = now;
        written = 0;
      }
      if (written++ < atOnce) flush();
      else timer ??= setTimeout(flush, windowMs);
    },
    finish(sink) {
      flush();
      // a clear that no output came after
      if (sink.clear) post(sink, { kind: "stream", name: "stdout", text: "" });
      return sink.count;
    },
  };
}
