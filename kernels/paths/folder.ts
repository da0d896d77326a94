/** A version's folder as bytes on disk: written durably, verified by hash. Shared by the server (which loads no engine) and the processes that do. */
import { createHash } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import type { VersionCard } from "../protocol/serving.js";
import type { Manifest, Signature } from "../protocol/values.js";

/** Of the version's runtime. Raised when a folder written before can no longer be read. */
export const runtimeMajor = "1";
/** sha256 in hex of bytes. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** A version folder once read and found whole. */
export interface Version {
  dir: string;
  manifest: Manifest;
  /** sha256 of manifest.json: one hash that names every byte of the version */
  hash: string;
  signature: Signature;
  card: VersionCard;
}

/** Files that the server adds beside the version's own; not covered by the manifest. */
const besides = new Set(["manifest.json", "proposal.json"]);

/** Reads a version and checks every file's hash. Throws with the name of the first file that is missing, changed or too many. */
export function readVersion(dir: string): Version {
  let text: Buffer;
  try {
    text = readFileSync(join(dir, "manifest.json"));
  } catch {
    throw new Error(`${dir} holds no version: manifest.json is missing`);
  }
  const manifest = JSON.parse(text.toString()) as Manifest;
  if (manifest.format !== 1) throw new Error(`manifest.json has format ${String(manifest.format)}; this version reads format 1`);
  if (manifest.runtime.touchstone !== runtimeMajor)
    throw new Error(`the version needs runtime ${manifest.runtime.touchstone}, this is runtime ${runtimeMajor}`);
  const present = list(dir);
  for (const [name, hash] of Object.entries(manifest.files)) {
    if (!present.includes(name)) throw new Error(`${name} of the version is missing`);
    const found = sha256(readFileSync(join(dir, name)));
    if (found !== hash)
      throw new Error(`${name} of the version was changed: its sha256 is ${found.slice(0, 12)}, the manifest says ${hash.slice(0, 12)}`);
  }
  const more = present.filter((name) => !besides.has(name) && !(name in manifest.files));
  if (more.length > 0) throw new Error(`${more[0]} is not in the version's manifest`);
  const read = (name: string): unknown => JSON.parse(readFileSync(join(dir, name), "utf8"));
  return { dir, manifest, hash: sha256(text), signature: read("signature.json") as Signature, card: read("card.json") as VersionCard };
}

/** Names of all files below a folder, with forward slashes, sorted. Links are refused: a version is plain files. */
export function list(dir: string, prefix = ""): string[] {
  return readdirSync(join(dir, prefix), { withFileTypes: true })
    .flatMap((entry) => {
      const name = prefix === "" ? entry.name : `${prefix}/${entry.name}`;
      if (entry.isDirectory()) return list(dir, name);
      if (!entry.isFile()) throw new Error(`${name} is neither a file nor a folder`);
      return [name];
    })
    .sort();
}

/** Writes a new file and waits until it is on disk. */
export function writeDurably(path: string, bytes: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, "wx", 0o600);
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Waits until a folder's entries are on disk. */
export function syncFolder(dir: string): void {
  const file = openSync(dir, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
