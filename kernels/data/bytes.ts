/** Bytes that a cell has fetched or made, as a relation: CSV, Parquet, JSON, Arrow IPC, by their own signs or as the cell says. */
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import type { BytesOptions } from "../protocol/library.js";
import type { Row } from "../protocol/values.js";
import type { Engine } from "./engine.js";
import { sentence } from "./csv.js";
import { SqlError } from "./fault.js";
import type { CsvReport } from "./messages.js";
import { text } from "./names.js";
import { Once } from "./once.js";
import { expected } from "./expected.js";
import { sha } from "./recipe.js";
import { TableRelation } from "./relation.js";

type Source = ArrayBuffer | Uint8Array | Blob | Response | AsyncIterable<Uint8Array>;
type Format = NonNullable<BytesOptions["format"]>;
const formats: readonly Format[] = ["csv", "parquet", "json", "arrow"];
let count = 0;

export function isBytes(value: unknown): value is Source {
  return value instanceof ArrayBuffer || value instanceof Uint8Array || value instanceof Blob || value instanceof Response;
}

/** What the first bytes say. */
export function formatOf(bytes: Uint8Array): Format {
  const head = Buffer.from(bytes.subarray(0, 64)).toString("latin1");
  if (head.startsWith("PAR1")) return "parquet";
  // the file format by its name, the stream format by the mark that each of its messages begins with
  if (head.startsWith("ARROW1") || head.startsWith("\u00ff\u00ff\u00ff\u00ff")) return "arrow";
  return /^(?:\u00ef\u00bb\u00bf)?\s*[[{]/.test(head) ? "json" : "csv";
}

export function relationOfBytes<R extends object = Row>(
  engine: Engine,
  source: Source,
  options: BytesOptions,
  told: (sentence: string) => void,
): TableRelation<R> {
  const { format } = options;
  if (format !== undefined && !formats.includes(format)) throw expected("format", formats.map((one) => `"${one}"`).join(", "), format);
  const kept = new Once<KeptBytes>();
  const stored = storer(engine, source);
  const read = (): Promise<KeptBytes> => kept.get(stored);
  return new TableRelation<R>(engine, {
    upstream: [],
    build: () => ({
      make: async (name) => {
        const { path, head, size } = await read();
        if (size === 0) throw new Error("there are no bytes to read");
        const kind = format ?? formatOf(head);
        if (kind === "csv") {
          const report = await engine.request<CsvReport>({ do: "csv", name, path, list: [], strict: false });
          if (report.rejected > 0) told(sentence("these bytes", report));
        } else if (kind === "arrow") await engine.request({ do: "arrow", name, paths: [path] });
        else
          await engine.request({
            do: "create",
            name,
            sql: `from read_${kind === "json" ? "json_auto" : "parquet"}(${text(path)})`,
            table: kind === "json",
          });
      },
    }),
    hash: async () => sha("bytes", format ?? "", (await read()).hash),
    steady: true,
  });
}

interface KeptBytes {
  path: string;
  /** the first bytes, which say what they are */
  head: Uint8Array;
  size: number;
  hash: string;
}

/** Writes the bytes to a file of the kernel's own as they come, so that they are never in memory as a whole. */
function storer(engine: Engine, source: Source): () => Promise<KeptBytes> {
  // a stream can be read once: what is left of it after a stop is not the whole
  let begun = false;
  return async () => {
    if (source instanceof Response && !source.ok) throw new Error(`the server answered ${source.status} ${source.statusText} for ${source.url}`);
    const again = source instanceof Uint8Array || source instanceof ArrayBuffer || source instanceof Blob;
    if (begun && !again) throw new Error("a stream of bytes can be read once, and its reading was broken off: run the cell that opens it again");
    begun = true;
    const stops = engine.interrupts;
    const hash = createHash("sha256");
    let [head, size] = [new Uint8Array(0), 0];
    mkdirSync(engine.options.spill, { recursive: true, mode: 0o700 });
    const path = join(engine.options.spill, `bytes-${process.pid}-${++count}`);
    const file = await open(path, "wx", 0o600);
    try {
      for await (const piece of piecesOf(source)) {
        if (!(piece instanceof Uint8Array)) throw new Error("the stream gives no bytes: leave `format` out for a stream of records");
        if (engine.interrupts !== stops) throw new SqlError("The query was interrupted.", "Interrupt");
        if (head.length < 64) head = Buffer.concat([head, piece.subarray(0, 64)]);
        hash.update(piece);
        size += piece.length;
        await file.writeFile(piece);
      }
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    } finally {
      await file.close();
    }
    return { path, head, size, hash: hash.digest("hex") };
  };
}

function piecesOf(source: Source): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  if (source instanceof Uint8Array) return [source.slice()];
  if (source instanceof ArrayBuffer) return [new Uint8Array(source.slice(0))];
  if (source instanceof Response) return (source.body ?? []) as AsyncIterable<Uint8Array>;
  if (source instanceof Blob) return source.stream() as unknown as AsyncIterable<Uint8Array>;
  return source;
}
