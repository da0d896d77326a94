/** Columns side by side as one float32 matrix. */
import type { Packed, PackedTable } from "./messages.js";

/** "error", a number in the place of NULL, or "mask": 0 in its place, and after each column one that is 1 where it was NULL. */
export type FoldRule = "error" | "mask" | number;

/** Row-major, `width` values a row. NULL by the rule; refuses NaN and text, naming column and count. */
export function fold(table: PackedTable, nulls: FoldRule = "error"): { values: Float32Array; rows: number; width: number } {
  const rows = table.length;
  const parts = table.columns.flatMap((column, i) => {
    const own = part(column, table.names[i]!, table.types[i]!, rows, nulls);
    return nulls === "mask" ? [own, maskPart(column, rows)] : [own];
  });
  const width = parts.reduce((sum, { wide }) => sum + wide, 0);
  const values = new Float32Array(rows * width);
  let at = 0;
  for (const { wide, write } of parts) {
    write(values, at, width);
    at += wide;
  }
  return { values, rows, width };
}

interface Part {
  wide: number;
  write(into: Float32Array, at: number, width: number): void;
}

function maskPart(column: Packed, rows: number): Part {
  return {
    wide: 1,
    write(into, at, width) {
      if (column.kind === "any") for (let i = 0; i < rows; i++) into[i * width + at] = column.data[i] === null ? 1 : 0;
      else if (column.nulls) for (let i = 0; i < rows; i++) into[i * width + at] = column.nulls[i]!;
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
      let lost = 0;
      for (let i = 0; i < rows; i++) if (Number.isNaN(data[i]) && !mask?.[i]) lost++;
      if (lost > 0) throw new Error(`column \`${name}\` has ${lost} NaNs, and a tensor of them trains nothing: filter them out`);
      return {
        wide: 1,
        write(into, at, width) {
          for (let i = 0; i < rows; i++) into[i * width + at] = data[i]!;
          if (mask) for (let i = 0; i < rows; i++) if (mask[i]) into[i * width + at] = fill as number;
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
        write(into, at, width) {
          if (width === wide) into.set(bytes);
          else for (let i = 0; i < rows; i++) for (let k = 0; k < wide; k++) into[i * width + at + k] = bytes[i * wide + k]!;
        },
      };
    }
    case "any": {
      if (nulls > 0) break;
      const lists = column.data as unknown[];
      const wide = Array.isArray(lists[0]) ? lists[0].length : -1;
      if (wide < 0 && rows > 0) break;
      lists.forEach((list, i) => {
        if ((list as unknown[]).length !== wide)
          throw new Error(`column \`${name}\` has ${wide} values in row 0 and ${(list as unknown[]).length} in row ${i}`);
        if ((list as unknown[]).some((v) => typeof v !== "number" || Number.isNaN(v)))
          throw new Error(`column \`${name}\` holds something else than numbers in row ${i}`);
      });
      return {
        wide: Math.max(wide, 0),
        write(into, at, width) {
          lists.forEach((list, i) => into.set(list as number[], i * width + at));
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

function count<T>(values: ArrayLike<T>, test: (value: T) => boolean): number {
  let n = 0;
  for (let i = 0; i < values.length; i++) if (test(values[i]!)) n++;
  return n;
}
