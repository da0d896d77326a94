/** Texts in other encodings than UTF-8: what a file seems to be written in, and its copy in UTF-8. */
import { closeSync, createReadStream, openSync, readSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";

/** The encodings' standard names that people write otherwise. */
const other: Record<string, string> = { "latin-1": "windows-1252", latin1: "windows-1252", "iso-8859-1": "windows-1252", "utf-16": "utf-16" };

/** A TextDecoder's name of an encoding, null where there is none; "utf-16" goes by the file's mark. */
export function encodingNamed(name: string): string | null {
  const known = other[name.toLowerCase()];
  if (known) return known;
  try {
    return new TextDecoder(name).encoding;
  } catch {
    return null;
  }
}

/** The mark at the beginning of a file: UTF-16 in one of its two orders; null for anything else. */
export function markOf(path: string): "utf-16le" | "utf-16be" | null {
  const start = Buffer.alloc(4);
  const file = openSync(path, "r");
  try {
    const read = readSync(file, start, 0, 4, 0);
    const mark = start.toString("hex", 0, Math.min(read, 2));
    // UTF-32 begins as UTF-16 does
    if (read === 4 && start.readUInt32LE(0) === 0xfeff) return null;
    return mark === "fffe" ? "utf-16le" : mark === "feff" ? "utf-16be" : null;
  } finally {
    closeSync(file);
  }
}

/** bytes around the first that is no UTF-8, by which an encoding is guessed */
const looked = 65_536;

/** What a file that is no UTF-8 seems to be written in, for a sentence; null where it is UTF-8. */
export async function guessEncoding(path: string): Promise<string | null> {
  const mark = markOf(path);
  if (mark) return "utf-16";
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let begun = false;
  for await (const piece of createReadStream(path, { highWaterMark: looked }) as AsyncIterable<Buffer>) {
    if (!begun && piece.subarray(0, 4).includes(0)) return guessBytes(piece);
    begun = true;
    try {
      decoder.decode(piece, { stream: true });
    } catch {
      return guessBytes(piece);
    }
  }
  return null;
}

/** A guess from bytes that are no UTF-8. */
export function guessBytes(bytes: Uint8Array): string {
  const nuls = [0, 0];
  for (let i = 0; i < bytes.length; i++) if (bytes[i] === 0) nuls[i % 2]!++;
  const half = bytes.length / 2;
  if (nuls[0]! + nuls[1]! > half) return "utf-32";
  if (nuls[1]! > half * 0.3) return "utf-16le";
  if (nuls[0]! > half * 0.3) return "utf-16be";
  let [high, letters] = [0, 0];
  for (const byte of bytes) {
    if (byte >= 0x80) high++;
    else if ((byte | 32) >= 97 && (byte | 32) <= 122) letters++;
  }
  // a western text has an accent here and there; another script has hardly a letter of ASCII
  if (high <= letters) return "windows-1252";
  return ["shift_jis", "euc-jp", "gb18030", "euc-kr", "big5"].find((name) => decodes(bytes, name)) ?? "windows-1251";
}

function decodes(bytes: Uint8Array, name: string): boolean {
  // the piece may end within a character
  return [0, 1].some((cut) => {
    try {
      new TextDecoder(name, { fatal: true }).decode(bytes.subarray(0, bytes.length - cut));
      return true;
    } catch {
      return false;
    }
  });
}

/** Copies a file to `target` in UTF-8, in flat memory. `valid`: the file is most likely UTF-8, as it is that and has letters beyond ASCII, or none of UTF-16's NULs. Throws where its bytes are not of that encoding. */
export async function toUtf8(path: string, encoding: string, target: string): Promise<{ valid: boolean }> {
  const name = encoding === "utf-16" ? (markOf(path) ?? "utf-16le") : encoding;
  const decoder = new TextDecoder(name, { fatal: true });
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  const wide = name.startsWith("utf-16");
  let [valid, told] = [true, false];
  const out = await open(target, "w", 0o600);
  try {
    for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
      told ||= wide ? piece.includes(0) : piece.some((byte) => byte >= 0x80);
      if (valid)
        try {
          utf8.decode(piece, { stream: true });
        } catch {
          valid = false;
        }
      await out.write(decoder.decode(piece, { stream: true }));
    }
    await out.write(decoder.decode());
  } catch (error) {
    rmSync(target, { force: true });
    throw error;
  } finally {
    await out.close();
  }
  return { valid: valid && told !== wide };
}
