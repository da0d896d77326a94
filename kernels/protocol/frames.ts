/**
 * Frames of every local socket: u32 LE length of what follows, u32 LE length of the JSON head, head, then raw bytes.
 * A frame may carry binary (a request body, a table page) without base64.
 */
const limit = 1 << 30;

export interface Frame {
  head: unknown;
  body: Uint8Array;
}

const empty = new Uint8Array(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** One frame as bytes. */
export function encodeFrame(head: unknown, body: Uint8Array = empty): Uint8Array {
  return encodeText(JSON.stringify(head), body);
}

/** One frame of a head that is JSON already. */
export function encodeText(head: string, body: Uint8Array = empty): Uint8Array {
  const json = encoder.encode(head);
  const out = new Uint8Array(8 + json.length + body.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, 4 + json.length + body.length, true);
  view.setUint32(4, json.length, true);
  out.set(json, 8);
  out.set(body, 8 + json.length);
  return out;
}

/** Feeds pieces of a byte stream, calls `onFrame` for each whole frame. Throws on a frame that cannot be one. */
export function frameDecoder(onFrame: (frame: Frame) => void): (piece: Uint8Array) => void {
  let parts: Uint8Array[] = [];
  let have = 0;
  let need = 4;
  return (piece) => {
    parts.push(piece);
    have += piece.length;
    while (have >= need) {
      const all = parts.length === 1 ? parts[0]! : join(parts, have);
      const view = new DataView(all.buffer, all.byteOffset, all.byteLength);
      const length = view.getUint32(0, true);
      if (length < 4 || length > limit) throw new RangeError(`frame length ${length} is not between 4 and ${limit}`);
      need = 4 + length;
      if (have < need) {
        parts = [all];
        return;
      }
      const head = view.getUint32(4, true);
      if (head > length - 4) throw new RangeError(`frame head ${head} is longer than its frame ${length}`);
      const frame = { head: JSON.parse(decoder.decode(all.subarray(8, 8 + head))) as unknown, body: all.slice(8 + head, need) };
      const rest = all.subarray(need);
      parts = rest.length > 0 ? [rest] : [];
      have = rest.length;
      need = 4;
      onFrame(frame);
    }
  };
}

function join(parts: Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
