/** A relation with the pictures of one column decoded, in flat memory. */
import type { ImageOptions } from "../protocol/values.js";
import type { Engine } from "./engine.js";
import { SqlError } from "./fault.js";
import { decodeImage, loadDecoder } from "./image.js";
import { find } from "./near.js";
import { qualify, quote } from "./names.js";
import { pack } from "./pack.js";
import { expected } from "./expected.js";
import { sha, type Made } from "./recipe.js";
import { TableRelation } from "./relation.js";
import { buffersOf } from "./unpack.js";

/** bytes of pixels that are handed to DuckDB at once */
const piece = 2 ** 25;
let counter = 0;

export function imagesIn<R extends object>(relation: TableRelation<R>, column: string, options: ImageOptions = {}): TableRelation<R> {
  check(options);
  const source = relation as unknown as TableRelation<object>;
  const { engine } = relation;
  return new TableRelation<R>(engine, {
    upstream: [source],
    async build() {
      const { name, type } = find(await relation.info(), column);
      if (type !== "BLOB")
        throw new Error(`column \`${name}\` is ${type}, and pictures are bytes (BLOB): read_blob('data/*.png') reads files as such`);
      await source.fixed();
      return decoded(engine, { relation: source, column: name, options });
    },
    hash: async () => sha("images", JSON.stringify([column, options.size ?? null, options.channels ?? 3]), await relation.hash()),
    steady: true,
  });
}

function check({ size, channels }: ImageOptions): void {
  const side = (n: unknown) => Number.isSafeInteger(n) && (n as number) > 0 && (n as number) <= 10_000;
  if (size !== undefined && !(Array.isArray(size) && size.length === 2 && size.every(side)))
    throw expected("size", "[height, width] in pixels, such as [28, 28]", JSON.stringify(size));
  if (channels !== undefined && channels !== 1 && channels !== 3) throw expected("channels", "1 (grey) or 3 (colour)", channels);
}

/** Reads the column in its order; the pixels stand beside the other columns by their place. Throws an Error that names column and row. */
async function decoded(
  engine: Engine,
  { relation, column, options }: { relation: TableRelation<object>; column: string; options: ImageOptions },
): Promise<Made> {
  const decode = await loadDecoder();
  const stops = engine.interrupts;
  const table = qualify(`~images${++counter}`);
  let first: { width: number; height: number } | null = null;
  let waiting: (Uint8Array | null)[] = [];
  let held = 0;
  let row = 0;
  const add = async (): Promise<void> => {
    const { columns, length } = pack({ pixels: waiting });
    // a piece of NULLs alone is of this type too
    const typed =
      columns[0]!.type === "BLOB" ? columns : pack({ pixels: [new Uint8Array(0)] }).columns.map((one) => ({ ...one, column: nothing(length) }));
    [waiting, held] = [[], 0];
    await engine.request({ do: "append", name: table, columns: typed, length }, buffersOf(typed.map((one) => one.column)));
  };
  try {
    for await (const batch of relation.batches({ columns: [column], size: 256 })) {
      for (const bytes of batch[column] as (Uint8Array | null)[]) {
        row++;
        if (bytes === null) {
          waiting.push(null);
          continue;
        }
        let image: ReturnType<typeof decodeImage>;
        try {
          image = decodeImage(decode, bytes, options);
        } catch (error) {
          throw new Error(`column \`${column}\`, row ${row}: the image ${(error as Error).message}`, { cause: error });
        }
        first ??= image;
        if (image.width !== first.width || image.height !== first.height)
          throw new Error(
            `column \`${column}\`: the image in row ${row} has ${image.width} x ${image.height} pixels, those before it ${first.width} x ${first.height}: say { size: [${first.height}, ${first.width}] }, height and width that all are scaled to`,
          );
        waiting.push(image.data);
        held += image.data.length;
        if (held >= piece) await add();
      }
      // decoding is long work of this thread: let others have their turn
      await new Promise((resolve) => setImmediate(resolve));
      if (engine.interrupts !== stops) throw new SqlError("The query was interrupted.", "Interrupt");
    }
    if (waiting.length > 0 || row === 0) await add();
  } catch (error) {
    engine.drop(table);
    throw error;
  }
  const sql = `select a.* replace (b.pixels as ${quote(column)}) from ${relation.name} a positional join ${table} b`;
  return { sql, table: true, done: () => engine.drop(table) };
}

const nothing = (length: number) => ({
  kind: "blob" as const,
  data: new Float64Array(length),
  bytes: new Uint8Array(0),
  nulls: new Uint8Array(length).fill(1),
});
