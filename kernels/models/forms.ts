/**
 * The request forms of a served version: TF Serving v1 (`instances`, `inputs`), Open Inference Protocol v2 with its binary extension, MLflow `/invocations`.
 * Each turns bytes into rows to be checked and predictions into the bytes of its own answer. Reading is lenient, writing strict (statistics.md, Traps).
 */
import type { Prediction, Signature } from "../protocol/values.js";
import { show, WireError } from "./wire.js";

export type FormName = "v1" | "v2" | "mlflow";

export interface FormRequest {
  form: FormName;
  body: Uint8Array;
  /** content type as sent, "" when absent */
  type: string;
  /** of the binary extension: bytes of JSON before the tensors */
  headerLength: number | null;
  name: string;
  version: string;
}

export interface Rows {
  rows: unknown[];
  /** how row i is called in an error */
  where(row: number): string;
  answer(predictions: Prediction[]): { type: string; body: Uint8Array; headerLength?: number };
}

const text = new TextDecoder("utf-8", { fatal: true });
const decode = (bytes: Uint8Array): string => {
  try {
    return text.decode(bytes);
  } catch {
    throw new WireError("the bytes are not UTF-8");
  }
};
const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const json = "application/json";

/** Reads a request. Throws a WireError with the status that its protocol wants. */
export function readForm(request: FormRequest, signature: Signature): Rows {
  if (request.form === "v2") return readV2(request, signature);
  if (request.form === "mlflow") return readMlflow(request, signature);
  return readV1(parse(request.body), signature);
}

/** The body of an error in the protocol's own shape. */
export function errorBody(form: FormName, status: number, message: string): Record<string, unknown> {
  if (form !== "mlflow") return { error: message };
  return { error_code: status < 500 ? (status === 400 ? "BAD_REQUEST" : "INVALID_PARAMETER_VALUE") : "INTERNAL_ERROR", message };
}

const plain = (prediction: Prediction): number | number[] => (typeof prediction === "number" ? prediction : Array.from(prediction));

function parse(body: Uint8Array): Record<string, unknown> {
  if (body.length === 0) throw new WireError("the body is empty; send JSON");
  let value: unknown;
  try {
    value = JSON.parse(decode(body));
  } catch (error) {
    if (error instanceof WireError) throw error;
    const message = (error as Error).message;
    throw new WireError(
      /NaN|Infinity/.test(message) ? "the body holds NaN or Infinity, which JSON has not: send null" : `the body is not JSON: ${message}`,
    );
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new WireError(`the body: Expected an object, got ${show(value)}`);
  return value as Record<string, unknown>;
}

function readV1(body: Record<string, unknown>, signature: Signature): Rows {
  const byRow = Object.hasOwn(body, "instances");
  const byColumn = Object.hasOwn(body, "inputs");
  if (byRow === byColumn)
    throw new WireError(byRow ? "the body holds both `instances` and `inputs`; send one" : "the body holds neither `instances` nor `inputs`");
  const key = byRow ? "predictions" : "outputs";
  const rows = byRow ? list(body["instances"], "instances") : columns(body["inputs"], "inputs", signature);
  return {
    rows,
    where: (row) => (byRow ? `instances[${row}]` : `inputs row ${row}`),
    answer: (predictions) => ({ type: json, body: encode({ [key]: predictions.map(plain) }) }),
  };
}

function list(value: unknown, name: string): unknown[] {
  if (!Array.isArray(value)) throw new WireError(`\`${name}\`: Expected a list, got ${show(value)}`);
  if (value.length === 0) throw new WireError(`\`${name}\` is empty`);
  return value;
}

/** Of two columns of one name only one could be read. */
function once(names: string[], where: string): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new WireError(`${where}: \`${twice}\` is there twice`, twice);
}

/** {a: [..], b: [..]} to rows; a bare list when the version has one field. */
function columns(value: unknown, name: string, signature: Signature): unknown[] {
  if (Array.isArray(value) && signature.inputs.length === 1) return list(value, name);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new WireError(`\`${name}\`: Expected an object of columns, got ${show(value)}`);
  const given = Object.entries(value as Record<string, unknown>);
  let length: number | null = null;
  for (const [column, values] of given) {
    if (!Array.isArray(values)) throw new WireError(`\`${name}.${column}\`: Expected a list, got ${show(values)}`, column);
    length ??= values.length;
    if (values.length !== length) throw new WireError(`\`${name}.${column}\` has ${values.length} values, the columns before it ${length}`, column);
  }
  if (!length) throw new WireError(`\`${name}\` is empty`);
  return Array.from({ length }, (_, row) => Object.fromEntries(given.map(([column, values]) => [column, (values as unknown[])[row]])));
}

function readMlflow({ body, type }: FormRequest, signature: Signature): Rows {
  const [media, ...parameters] = type.split(";").map((part) => part.trim().toLowerCase());
  for (const parameter of parameters)
    if (parameter !== "" && !/^charset="?utf-?8"?$/.test(parameter))
      throw new WireError(`the content type's parameter ${parameter} is not understood; send charset=utf-8`, null, 415);
  const answer: Rows["answer"] = (predictions) => ({ type: json, body: encode({ predictions: predictions.map(plain) }) });
  if (media === "text/csv") {
    const rows = csv(body, signature);
    return { rows, where: (row) => `row ${row + 1}`, answer };
  }
  if (media !== json && media !== "")
    throw new WireError(`the content type ${media} is not understood; send application/json or text/csv`, null, 415);
  const given = parse(body);
  const keys = ["dataframe_split", "dataframe_records", "instances", "inputs"].filter((key) => Object.hasOwn(given, key));
  if (keys.length !== 1)
    throw new WireError(
      `the body: Expected exactly one of dataframe_split, dataframe_records, instances, inputs, got ${keys.length === 0 ? "none" : keys.join(" and ")}`,
    );
  const key = keys[0]!;
  const value = given[key];
  if (key !== "dataframe_split")
    return {
      rows: key === "inputs" ? columns(value, key, signature) : list(value, key),
      where: (row) => (key === "inputs" ? `inputs row ${row}` : `${key}[${row}]`),
      answer,
    };
  const frame = value as { columns?: unknown; data?: unknown };
  const names = list(frame?.columns, "dataframe_split.columns");
  const data = list(frame?.data, "dataframe_split.data");
  once(names.map(String), "dataframe_split.columns");
  const rows = data.map((line, row) => {
    if (!Array.isArray(line) || line.length !== names.length)
      throw new WireError(`dataframe_split.data[${row}]: Expected ${names.length} values, got ${Array.isArray(line) ? line.length : show(line)}`);
    return Object.fromEntries(names.map((name, i) => [String(name), line[i] as unknown]));
  });
  return { rows, where: (row) => `dataframe_split.data[${row}]`, answer };
}

/** RFC 4180 with a header line. Numbers and booleans are told apart by the declared type. */
function csv(body: Uint8Array, signature: Signature): unknown[] {
  const lines: string[][] = [[]];
  const source = decode(body).replace(/\r\n?/g, "\n").replace(/\n$/, "");
  const pattern = /(?:"((?:[^"]|"")*)"|([^,\n]*))(,|\n|$)/gy;
  for (let match = pattern.exec(source); match; match = pattern.exec(source)) {
    if (match[2]?.startsWith('"')) throw new WireError(`line ${lines.length}: a quote is not closed, or more follows it: ${show(match[2])}`);
    lines.at(-1)!.push(match[1] === undefined ? match[2]! : match[1].replaceAll('""', '"'));
    if (match[3] === "") break;
    if (match[3] === "\n") lines.push([]);
  }
  const head = lines.shift() ?? [];
  const types = new Map(signature.inputs.map((field) => [field.name, field.type]));
  if (lines.length === 0) throw new WireError("the CSV body has no row below its header line");
  once(head, "the header line");
  return lines.map((line, row) => {
    if (line.length !== head.length) throw new WireError(`row ${row + 1}: Expected ${head.length} values, got ${line.length}`);
    return Object.fromEntries(
      head.map((name, i) => {
        const cell = line[i]!;
        const type = types.get(name);
        if (cell === "") return [name, null];
        if ((type === "double" || type === "integer") && cell.trim() !== "" && Number.isFinite(Number(cell))) return [name, Number(cell)];
        if (type === "boolean" && /^(true|false)$/i.test(cell)) return [name, cell.toLowerCase() === "true"];
        return [name, cell];
      }),
    );
  });
}

interface Tensor {
  name: string;
  shape: number[];
  datatype: string;
  data?: unknown[];
  parameters?: { binary_data_size?: number; binary_data?: boolean };
}

function readV2(request: FormRequest, signature: Signature): Rows {
  const jsonLength = request.headerLength ?? request.body.length;
  if (!(jsonLength >= 0 && jsonLength <= request.body.length))
    throw new WireError(`Inference-Header-Content-Length is ${jsonLength}, the body has ${request.body.length} bytes`);
  const body = parse(request.body.subarray(0, jsonLength));
  const inputs = list(body["inputs"], "inputs") as Tensor[];
  let at = jsonLength;
  let length: number | null = null;
  const read = inputs.map((tensor, i): [string, unknown[]] => {
    const name = tensor?.name;
    if (typeof name !== "string") throw new WireError(`inputs[${i}].name: Expected a string, got ${show(name)}`);
    const shape = tensor.shape;
    if (!Array.isArray(shape) || shape.length === 0 || !shape.every((size) => Number.isSafeInteger(size) && size >= 0))
      throw new WireError(`inputs[${i}].shape of \`${name}\`: Expected a list of sizes, got ${show(shape)}`, name);
    if (!Object.hasOwn(sizes, tensor.datatype))
      throw new WireError(
        `inputs[${i}].datatype of \`${name}\`: Expected one of ${Object.keys(sizes).join(", ")}, got ${show(tensor.datatype)}`,
        name,
      );
    const count = shape.reduce((product, size) => product * size, 1);
    let flat: unknown[];
    const bytes = tensor.parameters?.binary_data_size;
    if (bytes !== undefined) {
      if (!Number.isSafeInteger(bytes) || bytes < 0 || at + bytes > request.body.length)
        throw new WireError(`inputs[${i}] \`${name}\`: binary_data_size ${show(bytes)} goes beyond the body`, name);
      flat = fromBinary(request.body.subarray(at, at + bytes), tensor.datatype, count, name);
      at += bytes;
    } else {
      flat = (list(tensor.data, `inputs[${i}].data`) as unknown[]).flat(Infinity as 1);
      const odd = flat.findIndex((value) => !holds(tensor.datatype, value));
      if (odd >= 0) throw new WireError(`inputs[${i}].data of \`${name}\`: Expected values of ${tensor.datatype}, got ${show(flat[odd])}`, name);
    }
    if (flat.length !== count)
      throw new WireError(`inputs[${i}] \`${name}\`: the shape ${show(shape)} wants ${count} values, got ${flat.length}`, name);
    length ??= shape[0]!;
    if (shape[0] !== length) throw new WireError(`inputs[${i}] \`${name}\` has ${shape[0]} rows, the tensors before it ${length}`, name);
    const width = shape.length === 1 ? 1 : count / Math.max(1, length);
    const wide = shape.length > 1 && (width > 1 || ["double[]", "image"].includes(signature.inputs.find((field) => field.name === name)?.type ?? ""));
    return [name, wide ? Array.from({ length }, (_, row) => flat.slice(row * width, (row + 1) * width)) : flat];
  });
  if (!length) throw new WireError("the inputs have no row");
  once(
    inputs.map((tensor) => tensor.name),
    "inputs",
  );
  const rows = Array.from({ length }, (_, row) => Object.fromEntries(read.map(([name, values]) => [name, values[row]])));
  const wanted = Array.isArray(body["outputs"]) ? (body["outputs"] as Tensor[]) : null;
  if (wanted && !wanted.some((output) => output?.name === signature.output.name))
    throw new WireError(`outputs: Expected \`${signature.output.name}\`, got ${show(wanted.map((output) => output?.name))}`);
  const parameters = body["parameters"] as { binary_data_output?: boolean } | undefined;
  const binary = wanted?.find((output) => output.name === signature.output.name)?.parameters?.binary_data ?? parameters?.binary_data_output === true;
  return {
    rows,
    where: (row) => `inputs row ${row}`,
    answer: (predictions) => {
      const flat = predictions.flatMap(plain);
      const width = typeof predictions[0] === "number" ? null : (predictions[0]?.length ?? 0);
      const output = { name: signature.output.name, datatype: "FP64", shape: width === null ? [predictions.length] : [predictions.length, width] };
      const id = typeof body["id"] === "string" ? { id: body["id"] } : {};
      const head = (more: object): Uint8Array =>
        encode({ model_name: request.name, model_version: request.version, ...id, outputs: [{ ...output, ...more }] });
      if (!binary) return { type: json, body: head({ data: flat }) };
      const raw = new Uint8Array(Float64Array.from(flat).buffer);
      const first = head({ parameters: { binary_data_size: raw.length } });
      const whole = new Uint8Array(first.length + raw.length);
      whole.set(first);
      whole.set(raw, first.length);
      return { type: "application/octet-stream", body: whole, headerLength: first.length };
    },
  };
}

/** Bytes a value; 0 = length-prefixed. */
const sizes: Record<string, number> = {
  BOOL: 1,
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  FP16: 2,
  FP32: 4,
  FP64: 8,
  BYTES: 0,
};

/** Can a whole-number datatype hold the number? Of other types and values the record's own check speaks. */
function holds(datatype: string, value: unknown): boolean {
  const whole = /^(U?)INT(\d+)$/.exec(datatype);
  if (whole === null || typeof value !== "number") return true;
  const [low, high] = whole[1] === "U" ? [0, 2 ** Number(whole[2])] : [-(2 ** (Number(whole[2]) - 1)), 2 ** (Number(whole[2]) - 1)];
  return Number.isInteger(value) && value >= low && value < high;
}

function fromBinary(bytes: Uint8Array, datatype: string, count: number, name: string): unknown[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = sizes[datatype]!;
  if (size === 0) {
    const out: string[] = [];
    for (let at = 0; at < bytes.length;) {
      const length = at + 4 <= bytes.length ? view.getUint32(at, true) : Infinity;
      if (at + 4 + length > bytes.length) throw new WireError(`\`${name}\`: a BYTES value goes beyond the tensor`, name);
      out.push(decode(bytes.subarray(at + 4, at + 4 + length)));
      at += 4 + length;
    }
    return out;
  }
  if (bytes.length !== size * count)
    throw new WireError(`\`${name}\`: ${count} values of ${datatype} are ${size * count} bytes, got ${bytes.length}`, name);
  const read: Record<string, (at: number) => unknown> = {
    BOOL: (at) => view.getUint8(at) !== 0,
    UINT8: (at) => view.getUint8(at),
    UINT16: (at) => view.getUint16(at, true),
    UINT32: (at) => view.getUint32(at, true),
    UINT64: (at) => view.getBigUint64(at, true),
    INT8: (at) => view.getInt8(at),
    INT16: (at) => view.getInt16(at, true),
    INT32: (at) => view.getInt32(at, true),
    INT64: (at) => view.getBigInt64(at, true),
    FP16: (at) => half(view.getUint16(at, true)),
    FP32: (at) => view.getFloat32(at, true),
    FP64: (at) => view.getFloat64(at, true),
  };
  return Array.from({ length: count }, (_, i) => read[datatype]!(i * size));
}

/** IEEE 754 half precision. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return exponent === 31 ? (fraction ? NaN : sign * Infinity) : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
