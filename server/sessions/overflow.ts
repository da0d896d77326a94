/** Outputs that only the disk has, one a line; a display of a known id takes the old one's place. Pages are read by line. */
import { appendFileSync, closeSync, existsSync, openSync, readSync, statSync, writeFileSync } from "node:fs";
import type { Output } from "../../kernels/protocol/output.js";

export interface Overflow {
  readonly run: string;
  readonly count: number;
  /** returns how many there are */
  add(output: Output): number;
  page(offset: number, limit: number): Output[];
  /** everything added is in the file */
  flush(): void;
}

/** lines gathered before they are written */
const most = 1 << 18;

/** `run` null: what the file holds from before. */
export function openOverflow(file: string, run: string | null): Overflow {
  /** where each output's line begins, and its length */
  const starts: number[] = [];
  const lengths: number[] = [];
  const places = new Map<string, number>();
  let size = 0;
  let pending: string[] = [];
  let waiting = 0;
  if (run !== null) writeFileSync(file, "", { mode: 0o600 });
  else if (existsSync(file)) index();

  function index(): void {
    const end = statSync(file).size;
    const handle = openSync(file, "r");
    const piece = Buffer.alloc(1 << 20);
    let start = 0;
    try {
      for (let at = 0; at < end;) {
        const read = readSync(handle, piece, 0, piece.length, at);
        if (read === 0) break;
        for (let i = piece.indexOf(10); i >= 0 && i < read; i = piece.indexOf(10, i + 1)) {
          starts.push(start);
          lengths.push(at + i - start);
          start = at + i + 1;
        }
        at += read;
      }
    } finally {
      closeSync(handle);
    }
    size = start;
  }

  const flush = () => {
    if (pending.length === 0) return;
    const text = pending.join("");
    pending = [];
    waiting = 0;
    appendFileSync(file, text);
  };

  return {
    run: run ?? "",
    get count() {
      return starts.length;
    },
    add(output) {
      const line = `${JSON.stringify(output)}\n`;
      const length = Buffer.byteLength(line);
      const at = output.kind === "display" ? (places.get(output.id) ?? -1) : -1;
      if (at >= 0) {
        starts[at] = size;
        lengths[at] = length - 1;
      } else {
        if (output.kind === "display") places.set(output.id, starts.length);
        starts.push(size);
        lengths.push(length - 1);
      }
      size += length;
      pending.push(line);
      waiting += length;
      if (waiting > most) flush();
      return starts.length;
    },
    page(offset, limit) {
      flush();
      if (!existsSync(file)) return [];
      const handle = openSync(file, "r");
      try {
        return starts.slice(offset, offset + limit).map((start, i) => {
          const line = Buffer.alloc(lengths[offset + i]!);
          readSync(handle, line, 0, line.length, start);
          return JSON.parse(line.toString("utf8")) as Output;
        });
      } finally {
        closeSync(handle);
      }
    },
    flush,
  };
}
