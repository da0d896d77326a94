/** Bytes that a cell has fetched or made, as a relation: CSV, Parquet, JSON, Arrow IPC, by their own signs or as the cell says. */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BytesOptions } from "../protocol/library.js";
import type { Row } from "../protocol/values.js";
import type { Engine } from "./engine.js";
import { sentence } from "./csv.js";
import type { CsvReport } from "./messages.js";
import { text } from "./names.js";
import { Once } from "./once.js";
import { expected, sha, TableRelation } from "./relation.js";

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
  const bytes = new Once<Uint8Array>();
  const read = (): Promise<Uint8Array> => bytes.get(() => bytesOf(source));
  return new TableRelation<R>(engine, {
    upstream: [],
    build: () => ({
      make: async (name) => {
        const all = await read();
        if (all.length === 0) throw new Error("there are no bytes to read");
        const kind = format ?? formatOf(all);
        mkdirSync(engine.options.spill, { recursive: true, mode: 0o700 });
        const path = join(engine.options.spill, `bytes-${process.pid}-${++count}.${kind}`);
        writeFileSync(path, all, { mode: 0o600 });
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
    hash: async () =>
      sha(
        "bytes",
        format ?? "",
        createHash("sha256")
          .update(await read())
          .digest("hex"),
      ),
    steady: true,
  });
}

async function bytesOf(source: Source): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source.slice();
  if (source instanceof ArrayBuffer) return new Uint8Array(source.slice(0));
  if (source instanceof Response && !source.ok) throw new Error(`the server answered ${source.status} ${source.statusText} for ${source.url}`);
  if (Symbol.asyncIterator in source) return gathered(source);
  return new Uint8Array(await source.arrayBuffer());
}

/** A stream's pieces as one. */
async function gathered(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source) {
    if (!(piece instanceof Uint8Array)) throw new Error("the stream gives no bytes: leave `format` out for a stream of records");
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
