/** Vectors of many rows: in memory, or past a limit in a file that is gone with the process that reads it. */
import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync, readSync, rmSync, statfsSync, writeSync, read as readCallback } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

/** float32, row-major */
export type Vectors = Float32Array | StoredVectors;

/** bytes of one matrix that stay in memory; the same on every machine, as the order of a training's rows depends on it */
export const inMemory = 2 ** 30;

const read = promisify(readCallback);

export interface StoredVectors {
  readonly rows: number;
  readonly width: number;
  readonly bytes: number;
  /** the rows from `from` to before `to`; written over by the next call */
  read(from: number, to: number): Float32Array;
  /** the same into an array of the caller's, without standing still */
  load(from: number, to: number, into: Float32Array): Promise<void>;
  /** some of its rows; they end with the whole */
  part(from: number, to: number): StoredVectors;
  close(): void;
}

export function isStored(vectors: Vectors): vectors is StoredVectors {
  return !(vectors instanceof Float32Array);
}

export function rowsFrom(vectors: Vectors, width: number, from: number, to: number): Float32Array {
  return isStored(vectors) ? vectors.read(from, to) : vectors.subarray(from * width, to * width);
}

/** Pieces of the rows, one after the other: about a megabyte of a file, all of what is in memory. */
export function* blocksOf(vectors: Vectors, rows: number, width: number): Generator<{ x: Float32Array; from: number; to: number }> {
  const step = isStored(vectors) ? blockRows(width) : Math.max(rows, 1);
  for (let from = 0; from < rows; from += step) {
    const to = Math.min(rows, from + step);
    yield { x: rowsFrom(vectors, width, from, to), from, to };
  }
}

/** rows that are read at once */
export function blockRows(width: number): number {
  return Math.max(1, Math.floor(2 ** 20 / (4 * width)));
}

export function closeVectors(vectors: Vectors): void {
  if (isStored(vectors)) vectors.close();
}

export type Hold = (vectors: Vectors) => void;

/** Does the work, and closes at its end what it held. */
export async function holding<T>(work: (hold: Hold) => Promise<T>): Promise<T> {
  const held: Vectors[] = [];
  try {
    return await work((vectors) => void held.push(vectors));
  } finally {
    held.forEach(closeVectors);
  }
}

/** A file of `rows` rows to be filled in their order. Throws an Error in words where the disk has no room for it. */
export function storeVectors(folder: string, rows: number, width: number): { write(part: Float32Array): void; done(): StoredVectors; close(): void } {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const bytes = rows * width * 4;
  const { bavail, bsize } = statfsSync(folder);
  if (bytes > bavail * bsize)
    throw new Error(
      `the vectors of ${rows.toLocaleString("en")} rows (${width.toLocaleString("en")} numbers each) take ${gigabytes(bytes)} of disk, and ${gigabytes(bavail * bsize)} are free: use fewer rows or fewer features`,
    );
  const path = join(folder, `${process.pid}-${randomBytes(6).toString("hex")}.f32`);
  const file = openSync(path, "wx+", 0o600);
  // no name from here on: nothing is left behind, however the process ends; where an open file keeps its name, closing removes it
  const remove = (): void => rmSync(path, { force: true });
  try {
    remove();
  } catch {
    // Windows
  }
  let open = true;
  const close = (): void => {
    if (!open) return;
    open = false;
    closeSync(file);
    remove();
  };
  let at = 0;
  return {
    write(part) {
      const view = new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
      for (let done = 0; done < view.length;) done += writeSync(file, view, done, view.length - done, at + done);
      at += view.length;
    },
    done: () => new FileVectors({ file, close, isOpen: () => open }, 0, rows, width),
    close,
  };
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

interface OpenFile {
  file: number;
  isOpen(): boolean;
  close(): void;
}

class FileVectors implements StoredVectors {
  readonly rows: number;
  readonly width: number;
  readonly #of: OpenFile;
  readonly #first: number;
  #buffer = new Float32Array(0);
  constructor(of: OpenFile, first: number, rows: number, width: number) {
    this.#of = of;
    this.#first = first;
    this.rows = rows;
    this.width = width;
  }
  get bytes(): number {
    return this.rows * this.width * 4;
  }
  #range(from: number, to: number): { at: number; size: number } {
    if (!this.#of.isOpen()) throw new Error("these vectors were closed");
    if (!(from >= 0 && from <= to && to <= this.rows)) throw new RangeError(`rows ${from} to ${to} of ${this.rows}`);
    return { at: (this.#first + from) * this.width * 4, size: (to - from) * this.width * 4 };
  }
  read(from: number, to: number): Float32Array {
    const { at, size } = this.#range(from, to);
    if (this.#buffer.byteLength < size) this.#buffer = new Float32Array(size / 4);
    const bytes = new Uint8Array(this.#buffer.buffer, 0, size);
    for (let done = 0; done < size;) {
      const got = readSync(this.#of.file, bytes, done, size - done, at + done);
      if (got === 0) throw new Error("the file of vectors is shorter than it was");
      done += got;
    }
    return this.#buffer.subarray(0, size / 4);
  }
  async load(from: number, to: number, into: Float32Array): Promise<void> {
    const { at, size } = this.#range(from, to);
    const bytes = new Uint8Array(into.buffer, into.byteOffset, size);
    for (let done = 0; done < size;) {
      const { bytesRead } = await read(this.#of.file, bytes, done, size - done, at + done);
      if (bytesRead === 0) throw new Error("the file of vectors is shorter than it was");
      done += bytesRead;
    }
  }
  part(from: number, to: number): StoredVectors {
    this.#range(from, to);
    return new FileVectors(this.#of, this.#first + from, to - from, this.width);
  }
  close(): void {
    this.#of.close();
  }
}

/** Rows after rows. One that is stored makes the whole stored. */
export function joinVectors(first: Vectors, second: Vectors, width: number): Vectors {
  if (!isStored(first) && !isStored(second)) {
    const both = new Float32Array(first.length + second.length);
    both.set(first);
    both.set(second, first.length);
    return both;
  }
  return new JoinedVectors([first, second].map((one) => (isStored(one) ? one : heldVectors(one, width))) as [StoredVectors, StoredVectors]);
}

function heldVectors(x: Float32Array, width: number): StoredVectors {
  return {
    ...{ rows: x.length / width, width, bytes: x.byteLength },
    read: (from, to) => x.subarray(from * width, to * width),
    load: async (from, to, into) => into.set(x.subarray(from * width, to * width)),
    part: (from, to) => heldVectors(x.subarray(from * width, to * width), width),
    close() {},
  };
}

class JoinedVectors implements StoredVectors {
  readonly #pair: [StoredVectors, StoredVectors];
  constructor(pair: [StoredVectors, StoredVectors]) {
    this.#pair = pair;
  }
  get rows(): number {
    return this.#pair[0].rows + this.#pair[1].rows;
  }
  get width(): number {
    return this.#pair[0].width;
  }
  get bytes(): number {
    return this.#pair[0].bytes + this.#pair[1].bytes;
  }
  #split(from: number, to: number): [number, number][] {
    const middle = this.#pair[0].rows;
    return [
      [Math.min(from, middle), Math.min(to, middle)],
      [Math.max(0, from - middle), Math.max(0, to - middle)],
    ];
  }
  read(from: number, to: number): Float32Array {
    const into = new Float32Array((to - from) * this.width);
    let at = 0;
    for (const [i, [a, b]] of this.#split(from, to).entries()) {
      if (a < b) into.set(this.#pair[i as 0 | 1].read(a, b), at);
      at += (b - a) * this.width;
    }
    return into;
  }
  async load(from: number, to: number, into: Float32Array): Promise<void> {
    let at = 0;
    for (const [i, [a, b]] of this.#split(from, to).entries()) {
      if (a < b) await this.#pair[i as 0 | 1].load(a, b, into.subarray(at, at + (b - a) * this.width));
      at += (b - a) * this.width;
    }
  }
  part(from: number, to: number): StoredVectors {
    const [first, second] = this.#split(from, to);
    return new JoinedVectors([this.#pair[0].part(...first!), this.#pair[1].part(...second!)]);
  }
  close(): void {
    for (const one of this.#pair) one.close();
  }
}
