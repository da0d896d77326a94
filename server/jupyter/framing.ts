/**
 * Both framings of Jupyter's WebSocket. `v1.kernel.websocket.jupyter.org`: always binary, little-endian u64 offsets of channel, header, parent header,
 * metadata, content and buffers. The default one: JSON text, or with buffers big-endian u32 offsets, the JSON first.
 */
import { FramingError, toMessage, type Message } from "./message.js";

export const v1 = "v1.kernel.websocket.jupyter.org";
export type Framing = typeof v1 | "default";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });
/** more parts than any client sends; a wrong count must not make us allocate */
const mostParts = 4096;

export function encode(framing: Framing, message: Message): string | Uint8Array {
  const { channel, header, parent_header, metadata, content, buffers } = message;
  if (framing === v1) {
    const json = [header, parent_header, metadata, content].map((part) => encoder.encode(JSON.stringify(part)));
    return join([encoder.encode(channel), ...json, ...buffers], "v1");
  }
  const text = JSON.stringify({ channel, header, parent_header, metadata, content, buffers: [] });
  if (buffers.length === 0) return text;
  return join([encoder.encode(text), ...buffers], "default");
}

/** Throws a FramingError for anything that is not a client's message. */
export function decode(framing: Framing, data: string | Uint8Array): Message {
  if (framing === v1) {
    if (typeof data === "string") throw new FramingError("expected a binary message");
    const parts = split(data, "v1");
    if (parts.length < 5) throw new FramingError(`expected at least 5 parts, got ${parts.length}`);
    const [channel, header, parent, metadata, content, ...buffers] = parts as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    return toMessage(
      { channel: text(channel), header: json(header), parent_header: json(parent), metadata: json(metadata), content: json(content) },
      buffers,
    );
  }
  const [head, ...buffers] = typeof data === "string" ? [data] : split(data, "default");
  if (head === undefined) throw new FramingError("expected at least one part");
  const given = parse(typeof head === "string" ? head : text(head)) as Record<string, unknown> | null;
  if (typeof given !== "object" || given === null) throw new FramingError("expected a JSON object");
  const { channel, header, parent_header, metadata, content } = given;
  return toMessage({ channel, header, parent_header, metadata, content }, buffers as Uint8Array[]);
}

/** v1 tells the end of the last part by one more offset; the default framing by the length of the message. */
function join(parts: Uint8Array[], kind: "v1" | "default"): Uint8Array {
  const wide = kind === "v1";
  const count = parts.length + (wide ? 1 : 0);
  const size = wide ? 8 : 4;
  const start = size * (1 + count);
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, start));
  const view = new DataView(out.buffer);
  const word = (index: number, value: number) => (wide ? view.setBigUint64(index * 8, BigInt(value), true) : view.setUint32(index * 4, value));
  word(0, count);
  let at = start;
  parts.forEach((part, index) => {
    word(1 + index, at);
    out.set(part, at);
    at += part.length;
  });
  if (wide) word(count, at);
  return out;
}

function split(data: Uint8Array, kind: "v1" | "default"): Uint8Array[] {
  const wide = kind === "v1";
  const size = wide ? 8 : 4;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const word = (index: number) => {
    if ((index + 1) * size > data.length) throw new FramingError("the message ends within its offsets");
    return wide ? Number(view.getBigUint64(index * 8, true)) : view.getUint32(index * 4);
  };
  const count = word(0);
  if (count > mostParts) throw new FramingError(`${count} parts are too many`);
  const offsets = Array.from({ length: count }, (_, index) => word(1 + index));
  if (!wide) offsets.push(data.length);
  let last = size * (1 + count);
  for (const offset of offsets) {
    if (!(offset >= last && offset <= data.length)) throw new FramingError(`offset ${offset} is not between ${last} and ${data.length}`);
    last = offset;
  }
  return offsets.slice(1).map((end, index) => data.subarray(offsets[index], end));
}

function text(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new FramingError("expected UTF-8");
  }
}

function parse(value: string): unknown {
  try {
    return JSON.parse(value) as unknown;
  } catch {
    throw new FramingError("expected JSON");
  }
}

const json = (bytes: Uint8Array) => parse(text(bytes));
