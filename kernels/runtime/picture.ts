/** Values that are pictures: bytes of a picture file, and tensors of pixels. */
import { deflateSync } from "node:zlib";

/** Is it of the shape [height, width, 1, 3 or 4], and of a size to look at? */
export const isPixels = (shape: readonly number[]): boolean =>
  shape.length === 3 && [1, 3, 4].includes(shape[2]!) && shape[0]! >= 8 && shape[1]! >= 8 && shape[0]! <= 4096 && shape[1]! <= 4096;

/** A PNG of pixel values 0..1 (floats) or 0..255 (integers); null when the values are none. */
export function pixelsToPng(values: ArrayLike<number>, [height, width, channels]: readonly number[], float: boolean): Uint8Array | null {
  const scale = float ? 255 : 1;
  const stride = width! * channels! + 1;
  const raw = new Uint8Array(height! * stride);
  for (let i = 0, row = 0; row < height!; row++)
    for (let x = 1; x < stride; x++, i++) {
      const value = values[i]!;
      if (!(value >= 0 && value <= 255 / scale)) return null;
      raw[row * stride + x] = Math.round(value * scale);
    }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width!, 0);
  head.writeUInt32BE(height!, 4);
  head[8] = 8;
  head[9] = { 1: 0, 3: 2, 4: 6 }[channels!]!;
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]),
    chunk("IHDR", head),
    chunk("IDAT", deflateSync(raw)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(name: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const out = Buffer.alloc(8 + body.length);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(checksum(body), 4 + body.length);
  return out;
}

/** CRC-32 as in PNG; `crc32` of node:zlib is not in every Node that we run on. */
function checksum(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let k = 0; k < 8; k++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return (sum ^ 0xffffffff) >>> 0;
}
