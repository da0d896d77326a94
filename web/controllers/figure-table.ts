/** A figure's numbers, in any of the forms in which Plotly takes them. Pure. */

/** The figure's numbers as one table: a column for each trace's x and y. */
export function figureTable(data: Record<string, unknown>[]): { columns: string[]; rows: (string | number | null)[][] } {
  const columns: string[] = [];
  const lists: unknown[][] = [];
  data.forEach((trace, i) => {
    const name = String(trace["name"] ?? `series ${i + 1}`);
    for (const key of ["x", "y", "z", "labels", "values", "text"]) {
      const list = values(trace[key]);
      if (list === null || (key === "text" && lists.length > 0)) continue;
      if (key === "x" && lists.some((other, k) => columns[k]!.endsWith("x") && JSON.stringify(other) === JSON.stringify(list))) continue;
      columns.push(data.length === 1 ? key : key === "x" ? `${name} x` : name);
      lists.push(list);
    }
  });
  const length = Math.max(0, ...lists.map((list) => list.length));
  return {
    columns,
    rows: Array.from({ length }, (_, row) =>
      lists.map((list) => {
        const value = list[row];
        return value === undefined || value === null ? null : typeof value === "number" || typeof value === "string" ? value : JSON.stringify(value);
      }),
    ),
  };
}

const types: Record<string, new (buffer: ArrayBuffer) => ArrayLike<number>> = {
  f8: Float64Array,
  f4: Float32Array,
  i4: Int32Array,
  u4: Uint32Array,
  i2: Int16Array,
  u2: Uint16Array,
  i1: Int8Array,
  u1: Uint8Array,
};
/** Plain lists, typed arrays and Plotly's base64 form. */
function values(value: unknown): unknown[] | null {
  if (Array.isArray(value)) return value;
  if (ArrayBuffer.isView(value)) return [...(value as unknown as Iterable<unknown>)];
  const packed = value as { bdata?: string; dtype?: string } | undefined;
  if (typeof packed?.bdata === "string" && packed.dtype !== undefined && types[packed.dtype] !== undefined)
    return Array.from(new types[packed.dtype]!(Uint8Array.from(atob(packed.bdata), (c) => c.charCodeAt(0)).buffer));
  return null;
}
