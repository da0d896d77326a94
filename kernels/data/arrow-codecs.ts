/** What Arrow IPC files compress their buffers with: `pyarrow.feather` and pandas write LZ4 unless asked not to. */
import * as zlib from "node:zlib";
import { decodeLz4 } from "./lz4.js";

/** Tells the reader of `apache-arrow` how both are undone. */
export function setCodecs({ compressionRegistry, CompressionType }: typeof import("apache-arrow"), fzstd: typeof import("fzstd")): void {
  // Node has its own from 22.15 on
  const native = (zlib as { zstdDecompressSync?: (bytes: Uint8Array) => Uint8Array }).zstdDecompressSync;
  compressionRegistry.set(CompressionType.LZ4_FRAME, { decode: decodeLz4 });
  // in memory of its own: values of 8 bytes are read in place
  compressionRegistry.set(CompressionType.ZSTD, { decode: (bytes) => Uint8Array.from(native ? native(bytes) : fzstd.decompress(bytes)) });
}
