/** PNG and JPEG bytes as pixels: rows from the top, `channels` bytes a pixel. */
import type { ImageOptions } from "../protocol/values.js";
import { Once } from "./once.js";

export interface Pixels {
  width: number;
  height: number;
  data: Uint8Array;
}

/** more pixels than that are refused before anything is unpacked */
const most = 100_000_000;

/** The kind of picture that bytes are by their first ones; null for anything else. */
export function pictureKind(bytes: Uint8Array): "image/png" | "image/jpeg" | "image/gif" | "image/webp" | null {
  const at = (offset: number, ...values: number[]) => values.every((value, i) => bytes[offset + i] === value);
  if (at(0, 0x89, 0x50, 0x4e, 0x47)) return "image/png";
  if (at(0, 0xff, 0xd8, 0xff)) return "image/jpeg";
  if (at(0, 0x47, 0x49, 0x46, 0x38)) return "image/gif";
  return at(0, 0x52, 0x49, 0x46, 0x46) && at(8, 0x57, 0x45, 0x42, 0x50) ? "image/webp" : null;
}

type Decode = (bytes: Uint8Array) => { width: number; height: number; data: Uint8Array };

/** The decoders are loaded when the first picture is there. */
const decoder = new Once<Decode>();
export const loadDecoder = (): Promise<Decode> => decoder.get(load);

async function load(): Promise<Decode> {
  const [{ PNG }, { default: jpeg }] = await Promise.all([import("pngjs"), import("jpeg-js")]);
  return (bytes) => {
    const kind = pictureKind(bytes);
    if (kind === "image/png") {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      if (bytes.length < 24) throw new Error("ends before its size is said");
      const pixels = view.getUint32(16) * view.getUint32(20);
      if (pixels > most) throw new Error(`has ${pixels.toLocaleString("en")} pixels, and at most ${most.toLocaleString("en")} are read`);
      return PNG.sync.read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    }
    if (kind === "image/jpeg")
      return jpeg.decode(bytes, {
        useTArray: true,
        formatAsRGBA: true,
        tolerantDecoding: false,
        maxResolutionInMP: most / 1e6,
        maxMemoryUsageInMB: 2048,
      });
    throw new Error(
      kind === null
        ? `is no PNG or JPEG: it begins with the bytes ${Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join(" ") || "of nothing"}`
        : `is of the kind ${kind}; PNG and JPEG can be read`,
    );
  };
}

/** Throws an Error whose message goes on after "the image". */
export function decodeImage(decode: Decode, bytes: Uint8Array, { size, channels = 3 }: ImageOptions): Pixels {
  let image: { width: number; height: number; data: Uint8Array };
  try {
    image = decode(bytes);
  } catch (error) {
    const { message } = error as Error;
    throw new Error(/^(is|has|ends) /.test(message) ? message : `cannot be decoded (${message})`, { cause: error });
  }
  const { width, height } = image;
  const data = channels === 1 ? grey(image.data) : rgb(image.data);
  if (!size || (size[0] === height && size[1] === width)) return { width, height, data };
  return { width: size[1], height: size[0], data: resize({ width, height, data }, channels, size) };
}

function rgb(rgba: Uint8Array): Uint8Array {
  const out = new Uint8Array((rgba.length / 4) * 3);
  for (let i = 0, k = 0; i < rgba.length; i += 4) {
    out[k++] = rgba[i]!;
    out[k++] = rgba[i + 1]!;
    out[k++] = rgba[i + 2]!;
  }
  return out;
}

/** ITU-R 601-2 luma in 16 bits of fraction. */
function grey(rgba: Uint8Array): Uint8Array {
  const out = new Uint8Array(rgba.length / 4);
  for (let i = 0, k = 0; i < rgba.length; i += 4) out[k++] = (19595 * rgba[i]! + 38470 * rgba[i + 1]! + 7471 * rgba[i + 2]! + 0x8000) >> 16;
  return out;
}

/** Weights of the source pixels for each target pixel: a triangle, widened where the image shrinks, so that no pixel is left out (antialiased bilinear). */
function triangle(from: number, to: number): { first: number; weights: Float64Array }[] {
  const scale = from / to;
  const support = Math.max(1, scale);
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - support + 0.5));
    const last = Math.min(from, Math.floor(centre + support + 0.5));
    const weights = Float64Array.from({ length: last - first }, (__, k) => Math.max(0, 1 - Math.abs((first + k - centre + 0.5) / support)));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

function resize({ width, height, data }: Pixels, channels: number, [tall, wide]: [number, number]): Uint8Array {
  const columns = triangle(width, wide);
  const rows = triangle(height, tall);
  const across = new Float64Array(height * wide * channels);
  for (let y = 0; y < height; y++)
    for (const [x, { first, weights }] of columns.entries())
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let k = 0; k < weights.length; k++) sum += weights[k]! * data[(y * width + first + k) * channels + c]!;
        across[(y * wide + x) * channels + c] = sum;
      }
  const line = wide * channels;
  const out = new Uint8Array(tall * line);
  for (const [y, { first, weights }] of rows.entries())
    for (let i = 0; i < line; i++) {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += weights[k]! * across[(first + k) * line + i]!;
      out[y * line + i] = Math.round(sum);
    }
  return out;
}
