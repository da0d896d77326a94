/** Columns side by side as one float32 matrix. */
import type { Packed, PackedTable } from "./messages.js";

/** "error", a number in the place of NULL, or "mask": 0 in its place, and after each column one that is 1 where it was NULL. */
export type FoldRule = "error" | "mask" | number;

/** `rows` rows of `width` values, row after row. */
export interface Matrix {
  values: Float32Array;
  rows: number;
  width: number;
}

/** NULL by the rule; refuses text and what is no finite float32, naming column and count. */
export function fold(table: PackedTable, nulls: FoldRule = "error"): Matrix {
  const parts = partsOf(table, nulls);
  const width = widthOf(parts);
  const values = new Float32Array(table.length * width);
  write(parts, values, table.length, width);
  return { values, rows: table.length, width };
}

/** Folds a relation block by block while it is read, so that its columns are never there as a whole. */
export class Folding {
  readonly #nulls: FoldRule;
  #pieces: Float32Array[] = [];
  #piece = new Float32Array(0);
  /** values in the last piece */
  #filled = 0;
  #rows = 0;
  #width = -1;
  /** values that the next piece has room for; untouched room costs no memory */
  #room: number;
  /** `values`: as many as are expected, so that they lie in one piece */
  constructor(nulls: FoldRule, values = 0) {
    this.#nulls = nulls;
    this.#room = Math.min(values, mostRoom);
  }

  get rows(): number {
    return this.#rows;
  }

  /** Throws as `fold`, of this block alone, and where it has another width than those before. */
  add(table: PackedTable): void {
    const parts = partsOf(table, this.#nulls);
    const width = widthOf(parts);
    if (this.#width < 0) this.#width = width;
    else if (width !== this.#width) throw new Error(`${width} values a row after rows of ${this.#width}`);
    const size = table.length * width;
    this.#reserve(size);
    write(parts, this.#piece.subarray(this.#filled, this.#filled + size), table.length, width);
    this.#filled += size;
    this.#rows += table.length;
  }

  /** The same of columns without NULL as they lie in DuckDB's memory. False: one of them holds what is no finite float32, and nothing was added. */
  addPlain(columns: PlainColumn[], rows: number): boolean {
    const step = this.#nulls === "mask" ? 2 : 1;
    const width = columns.length * step;
    this.#width = width;
    this.#reserve(rows * width);
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i]!;
      const at = this.#filled + i * step;
      if (column instanceof Float32Array) {
        if (!placed32(column, this.#piece, at, width, rows)) return false;
      } else if (column instanceof Float64Array) {
        if (!placed64(column, this.#piece, at, width, rows)) return false;
      } else placed(column, this.#piece, at, width, rows);
    }
    this.#filled += rows * width;
    this.#rows += rows;
    return true;
  }

  #reserve(size: number): void {
    if (this.#filled + size <= this.#piece.length) return;
    if (this.#filled > 0) this.#pieces.push(this.#piece.subarray(0, this.#filled));
    this.#piece = new Float32Array(Math.max(size, this.#room, pieceSize));
    this.#room = 0;
    this.#filled = 0;
  }

  take(): Matrix {
    const width = Math.max(0, this.#width);
    const [filled, size] = [this.#filled, this.#piece.length];
    // as it is, unless there were far fewer rows than expected
    if (this.#pieces.length === 0 && filled > size / 2) return { values: this.#piece.subarray(0, filled), rows: this.#rows, width };
    const values = new Float32Array(this.#rows * width);
    let at = 0;
    for (const piece of [...this.#pieces, this.#piece.subarray(0, this.#filled)]) {
      values.set(piece, at);
      at += piece.length;
    }
    this.#pieces = [];
    return { values, rows: this.#rows, width };
  }
}

/** Numbers that fit a float32 without a rule for each; any bit pattern of an integer is one. */
export type PlainColumn = Float32Array | Float64Array | Int8Array | Int16Array | Int32Array | Uint8Array | Uint16Array | Uint32Array;

/** values; 8 MB */
const pieceSize = 2 ** 21;
/** values; 1 GB */
const mostRoom = 2 ** 28;
/** values of the matrix that are written column by column before the next rows: they stay in a core's cache */
const tile = 2 ** 14;

interface Part {
  wide: number;
  /** writes the rows from `from` to before `to` */
  write(into: Float32Array, at: number, width: number, from: number, to: number): void;
}

function partsOf(table: PackedTable, nulls: FoldRule): Part[] {
  return table.columns.flatMap((column, i) => {
    const own = part(column, table.names[i]!, table.types[i]!, table.length, nulls);
    return nulls === "mask" ? [own, maskPart(column)] : [own];
  });
}

function widthOf(parts: Part[]): number {
  return parts.reduce((sum, { wide }) => sum + wide, 0);
}

function write(parts: Part[], into: Float32Array, rows: number, width: number): void {
  const step = Math.max(8, Math.floor(tile / Math.max(width, 1)));
  for (let from = 0; from < rows; from += step) {
    const to = Math.min(rows, from + step);
    let at = 0;
    for (const part of parts) {
      part.write(into, at, width, from, to);
      at += part.wide;
    }
  }
}

function maskPart(column: Packed): Part {
  return {
    wide: 1,
    write(into, at, width, from, to) {
      if (column.kind === "any") for (let i = from; i < to; i++) into[i * width + at] = column.data[i] === null ? 1 : 0;
      else if (column.nulls) for (let i = from; i < to; i++) into[i * width + at] = column.nulls[i]!;
    },
  };
}

function part(column: Packed, name: string, type: string, rows: number, rule: FoldRule): Part {
  const nulls = column.nulls ? count(column.nulls, (v) => v === 1) : column.kind === "any" ? count(column.data, (v) => v === null) : 0;
  const fill = rule === "mask" ? 0 : rule;
  if (nulls > 0 && fill === "error")
    throw new Error(
      `column \`${name}\` has ${nulls} NULLs, and a tensor has no place for them: say { nulls: 0 } or another number, or { nulls: "mask" }, or filter them out`,
    );
  switch (column.kind) {
    case "f64":
    case "f32":
    case "i32":
    case "bool": {
      const { data, nulls: mask } = column;
      const lost = column.kind === "f32" ? lost32(column.data, mask) : column.kind === "f64" ? lost64(column.data, mask) : 0;
      if (lost > 0) throw lossOf(column.data, mask, name);
      return {
        wide: 1,
        write(into, at, width, from, to) {
          (column.kind === "f32" ? place32 : column.kind === "f64" ? place64 : place)(data as never, into, at, width, from, to);
          if (mask) for (let i = from; i < to; i++) if (mask[i]) into[i * width + at] = fill as number;
        },
      };
    }
    case "blob": {
      if (nulls > 0) break;
      const { data: ends, bytes } = column;
      const wide = rows > 0 ? ends[0]! : 0;
      for (let i = 1; i < rows; i++)
        if (ends[i]! - ends[i - 1]! !== wide)
          throw new Error(`column \`${name}\` has ${wide} bytes in row 0 and ${ends[i]! - ends[i - 1]!} in row ${i}`);
      return {
        wide,
        write(into, at, width, from, to) {
          if (width === wide) into.set(bytes.subarray(from * wide, to * wide), from * wide);
          else for (let i = from; i < to; i++) for (let k = 0; k < wide; k++) into[i * width + at + k] = bytes[i * wide + k]!;
        },
      };
    }
    case "any": {
      if (nulls > 0) break;
      const lists = column.data as unknown[];
      const wide = Array.isArray(lists[0]) ? lists[0].length : -1;
      if (wide < 0 && rows > 0) break;
      if (wide === 0) throw new Error(`column \`${name}\` has an empty list in row 0, which gives a tensor no column`);
      lists.forEach((list, i) => {
        if ((list as unknown[]).length !== wide)
          throw new Error(`column \`${name}\` has ${wide} values in row 0 and ${(list as unknown[]).length} in row ${i}`);
        if ((list as unknown[]).some((v) => typeof v !== "number"))
          throw new Error(`column \`${name}\` holds something else than numbers in row ${i}`);
        if ((list as number[]).some((v) => !isFinite32(v))) throw lossOf((lists as number[][]).flat(), null, name, rows);
      });
      return {
        wide: Math.max(wide, 0),
        write(into, at, width, from, to) {
          for (let i = from; i < to; i++) into.set(lists[i] as number[], i * width + at);
        },
      };
    }
  }
  if (nulls > 0 && (column.kind === "blob" || Array.isArray((column as { data: unknown[] }).data.find?.((v) => v !== null))))
    throw new Error(`column \`${name}\` has ${nulls} NULLs among lists of numbers, which no one number can stand for: filter them out`);
  if (/^U?(BIG|HUGE)INT$/.test(type))
    throw new Error(
      `column \`${name}\` is ${type} with values beyond 2^53, which a tensor would round: say \`${name}::double\` in the SQL if that is wanted, or leave it out`,
    );
  throw new Error(`column \`${name}\` is ${type}, and a tensor holds numbers: leave it out or encode it with features`);
}

// One function for each kind of array: a loop that has seen several of them takes three times as long for each.

// One that is no finite number leaves no 0 when it is taken from itself.

/** False where one of them is no finite number. */
function placed32(data: Float32Array, into: Float32Array, at: number, width: number, rows: number): boolean {
  let lost = 0;
  for (let i = 0, k = at; i < rows; i++, k += width) {
    const value = data[i]!;
    into[k] = value;
    if (value - value !== 0) lost++;
  }
  return lost === 0;
}

/** The same, of the float32 that they become. */
function placed64(data: Float64Array, into: Float32Array, at: number, width: number, rows: number): boolean {
  let lost = 0;
  for (let i = 0, k = at; i < rows; i++, k += width) {
    const value = Math.fround(data[i]!);
    into[k] = value;
    if (value - value !== 0) lost++;
  }
  return lost === 0;
}

function placed(data: Exclude<PlainColumn, Float32Array | Float64Array>, into: Float32Array, at: number, width: number, rows: number): void {
  for (let i = 0, k = at; i < rows; i++, k += width) into[k] = data[i]!;
}

function lost32(data: Float32Array, nulls: Uint8Array | null): number {
  let lost = 0;
  for (let i = 0; i < data.length; i++) if (data[i]! - data[i]! !== 0 && !nulls?.[i]) lost++;
  return lost;
}

function lost64(data: Float64Array, nulls: Uint8Array | null): number {
  let lost = 0;
  for (let i = 0; i < data.length; i++) if (!isFinite32(data[i]!) && !nulls?.[i]) lost++;
  return lost;
}

export function isFinite32(value: number): boolean {
  const rounded = Math.fround(value);
  return rounded - rounded === 0;
}

/** What a column holds that is no finite float32: NaN before infinities before what is too large. */
function lossOf(data: ArrayLike<number>, nulls: Uint8Array | null, name: string, rows = data.length): Error {
  let [nans, infinite, wide, example] = [0, 0, 0, 0];
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (nulls?.[i] || isFinite32(value)) continue;
    if (Number.isNaN(value)) nans++;
    else if (!Number.isFinite(value)) infinite++;
    else if (wide++ === 0) example = value;
  }
  const of = (n: number, one: string, many: string) => `column \`${name}\` has ${n.toLocaleString("en")} ${n === 1 ? one : many}`;
  const among = ` in ${rows.toLocaleString("en")} rows`;
  if (nans > 0) return new Error(`${of(nans, "NaN", "NaNs")}${among}, and a tensor of them trains nothing: filter them out`);
  if (infinite > 0)
    return new Error(`${of(infinite, "infinite value", "infinite values")}${among}, and a tensor of them trains nothing: filter them out`);
  return new Error(
    `${of(wide, "value", "values")} beyond 3.4e38${among}, such as ${example}, which would be infinite in a tensor, as that holds float32: scale the column in the SQL, or filter them out`,
  );
}

function place32(data: Float32Array, into: Float32Array, at: number, width: number, from: number, to: number): void {
  for (let i = from, k = from * width + at; i < to; i++, k += width) into[k] = data[i]!;
}

function place64(data: Float64Array, into: Float32Array, at: number, width: number, from: number, to: number): void {
  for (let i = from, k = from * width + at; i < to; i++, k += width) into[k] = data[i]!;
}

function place(data: Int32Array | Uint8Array, into: Float32Array, at: number, width: number, from: number, to: number): void {
  for (let i = from, k = from * width + at; i < to; i++, k += width) into[k] = data[i]!;
}

function count<T>(values: ArrayLike<T>, test: (value: T) => boolean): number {
  let n = 0;
  for (let i = 0; i < values.length; i++) if (test(values[i]!)) n++;
  return n;
}
