/** `features: "identity"`: the record's own numbers are the vector. An image (bytes 0 to 255, a list of them, or base64) is scaled to 0 .. 1. */
import { createHash } from "node:crypto";
import type { Field, Relation } from "../protocol/values.js";
import type { FittedFeatures } from "./predictor.js";

/** Width of a vector by its column. */
interface State {
  field: string;
  width: number;
  /** numbers are divided by it */
  divisor: number;
}

/** Served as it is: no imports, no globals but those of the language. */
const code = `export default (record, state) => {
  let value = record[state.field];
  if (typeof value === "string") {
    const text = atob(value);
    value = Uint8Array.from(text, (c) => c.charCodeAt(0));
  }
  if (value === null || value === undefined || typeof value.length !== "number") throw new RangeError("Expected \`" + state.field + "\` to be " + state.width + " numbers, got " + (value === null || value === undefined ? "nothing" : typeof value));
  const flat = Array.isArray(value) && Array.isArray(value[0]) ? value.flat(Infinity) : value;
  if (flat.length !== state.width) throw new RangeError("Expected \`" + state.field + "\` to be " + state.width + " numbers, got " + flat.length);
  const out = new Float32Array(state.width);
  for (let i = 0; i < state.width; i++) out[i] = flat[i] / state.divisor;
  return out;
};
`;

const row = (new Function(`${code.replace("export default", "return")}`) as () => (record: object, state: State) => Float32Array)();

/**
 * Takes the column \`image\`, else the only column of lists or bytes apart from \`not\` (the target and the key). Throws where there is none, naming the columns.
 */
export async function identityFeatures(relation: Relation, not: string[]): Promise<FittedFeatures> {
  const schema = (await relation.schema()).filter((column) => !not.includes(column.name));
  const wide = schema.filter((column) => /\[\d*\]$|^BLOB$/.test(column.type));
  const found = schema.find((column) => column.name === "image") ?? (wide.length === 1 ? wide[0] : undefined);
  if (!found) {
    throw new RangeError(
      `features "identity" needs a column \`image\` or one column of lists, got ${schema.map((c) => `${c.name} ${c.type}`).join(", ")}: describe the features by features({ input, row })`,
    );
  }
  const first = (await relation.rows(1))[0] as Record<string, unknown> | undefined;
  if (!first) throw new RangeError("the training rows are none: there is nothing to learn from");
  const width = (first[found.name] as { length?: number } | null)?.length ?? 0;
  const image = found.name === "image" || found.type === "BLOB" || found.type.startsWith("UTINYINT");
  const state: State = { field: found.name, width, divisor: image ? 255 : 1 };
  const fields: Field[] = [{ name: found.name, type: image ? "image" : "double[]", nullable: false }];
  return {
    code,
    hash: createHash("sha256").update(code).update(JSON.stringify(state)).digest("hex").slice(0, 32),
    state,
    width,
    fields,
    vectors: (records) => {
      const out = new Float32Array(records.length * width);
      for (const [i, record] of records.entries()) out.set(row(record, state), i * width);
      return out;
    },
    matrix: async (rows) => {
      const column = (await rows.columns([state.field]))[state.field] as ArrayLike<unknown>;
      const x = new Float32Array(column.length * width);
      for (let i = 0; i < column.length; i++) {
        const value = column[i];
        // the common case, without a copy a row
        if (value instanceof Uint8Array && value.length === width)
          for (let j = 0, at = i * width; j < width; j++) x[at + j] = (value[j] as number) / state.divisor;
        else x.set(row({ [state.field]: value }, state), i * width);
      }
      return { x, rows: column.length, width };
    },
  };
}
