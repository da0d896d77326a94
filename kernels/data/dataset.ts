/** Batches of a relation larger than memory for `model.fitDataset`: rows stream through a shuffle buffer, in another order each epoch, the same for a seed. */
import type { Tensor2D } from "@tensorflow/tfjs";
import type { Dataset, DatasetOptions } from "../protocol/values.js";
import { rng } from "../stats/rng.js";
import { fold, isFinite32 } from "./numeric.js";
import type { PackedTable } from "./messages.js";
import { Once } from "./once.js";

export interface DatasetSource {
  /** one pass over the rows, the columns of x before those of y; the next block is read while one is used */
  blocks(): AsyncGenerator<PackedTable>;
  /** throws where the rows cannot be trained on; called once, before the first */
  check(): Promise<void>;
  tensor(values: Float32Array, rows: number, width: number): Promise<Tensor2D> | Tensor2D;
}

const expected = (name: string, what: string, got: unknown) => new TypeError(`Expected \`${name}\` of dataset to be ${what}, got \`${String(got)}\``);

export function checkDataset({ x, y, batch = 128, shuffle = 0, seed = 0, classes, nulls = "error" }: DatasetOptions): void {
  const list = (columns: unknown) => Array.isArray(columns) && columns.length > 0 && columns.every((column) => typeof column === "string");
  if (x !== undefined && !list(x)) throw expected("x", "a list of column names", x);
  if (typeof y !== "string" && !list(y)) throw expected("y", "a column name, or a list of them", y);
  if (!(Number.isSafeInteger(batch) && batch > 0)) throw expected("batch", "a whole number from 1", batch);
  if (!(Number.isSafeInteger(shuffle) && shuffle >= 0)) throw expected("shuffle", "a number of rows from 0", shuffle);
  if (!Number.isSafeInteger(seed)) throw expected("seed", "a whole number", seed);
  if (nulls !== "error" && !isFinite32(nulls)) throw expected("nulls", '"error" or a number', nulls);
  if (classes !== undefined && !(Number.isSafeInteger(classes) && classes > 1)) throw expected("classes", "a whole number from 2", classes);
  if (classes !== undefined && typeof y !== "string") throw expected("y", "one column of class numbers, as `classes` is given", JSON.stringify(y));
}

/** A fit that ends before the rows do (`batchesPerEpoch`, an error, a stop) says nothing: its stream is closed when it cannot be read any more. */
const abandoned = new FinalizationRegistry<AsyncGenerator>((rows) => void rows.return(undefined).catch(() => undefined));

export function datasetOf(source: DatasetSource, options: DatasetOptions): Dataset {
  const { y, batch = 128, shuffle = 0, seed = 0, classes, nulls = "error" } = options;
  const targets = typeof y === "string" ? 1 : y.length;
  let epochs = 0;

  async function* pass(epoch: number): AsyncGenerator<{ xs: Tensor2D; ys: Tensor2D }> {
    // a seed has up to 53 bits
    const high = Math.imul(Math.trunc(seed / 2 ** 32), 0x85ebca6b);
    const random = rng((seed ^ high ^ Math.imul(epoch + 1, 0x9e3779b1)) >>> 0);
    let [width, held, filled, seen] = [0, new Float32Array(0), 0, 0];
    let out = new Float32Array(0);
    const emit = (rows: number) => {
      const inputs = width - targets;
      const outputs = classes ?? targets;
      const [xs, ys] = [new Float32Array(rows * inputs), new Float32Array(rows * outputs)];
      for (let i = 0; i < rows; i++) {
        xs.set(out.subarray(i * width, i * width + inputs), i * inputs);
        if (classes === undefined) ys.set(out.subarray(i * width + inputs, (i + 1) * width), i * outputs);
        else {
          const label = out[i * width + inputs]!;
          if (!(Number.isInteger(label) && label >= 0 && label < classes))
            throw new RangeError(
              `\`${String(y)}\` is ${label} among the first ${seen.toLocaleString("en")} rows read: a class is a whole number from 0 to ${classes - 1}`,
            );
          ys[i * outputs + label] = 1;
        }
      }
      return Promise.all([source.tensor(xs, rows, inputs), source.tensor(ys, rows, outputs)]).then(([a, b]) => ({ xs: a, ys: b }));
    };
    let waiting = 0;
    for await (const block of source.blocks()) {
      const part = fold(block, nulls);
      if (width === 0) {
        width = part.width;
        held = new Float32Array(shuffle * width);
        out = new Float32Array(batch * width);
      } else if (part.width !== width) throw new RangeError(`the rows from ${seen + 1} on have ${part.width} numbers, those before ${width}`);
      for (let i = 0; i < part.rows; i++) {
        seen++;
        const row = part.values.subarray(i * width, (i + 1) * width);
        if (filled < shuffle) {
          held.set(row, filled++ * width);
          continue;
        }
        if (shuffle > 0) {
          // a row of the buffer goes out, this one takes its place
          const place = random.int(shuffle) * width;
          out.set(held.subarray(place, place + width), waiting * width);
          held.set(row, place);
        } else out.set(row, waiting * width);
        if (++waiting === batch) {
          yield await emit(batch);
          waiting = 0;
        }
      }
    }
    for (; filled > 0; filled--) {
      const place = random.int(filled) * width;
      out.set(held.subarray(place, place + width), waiting * width);
      held.copyWithin(place, (filled - 1) * width, filled * width);
      if (++waiting === batch) {
        yield await emit(batch);
        waiting = 0;
      }
    }
    if (waiting > 0) yield await emit(waiting);
    if (seen === 0) throw new RangeError("the relation has no rows: there is nothing to train on");
  }

  const checked = new Once<void>();
  return {
    size: null,
    iterator: async () => {
      await checked.get(() => source.check());
      const rows = pass(epochs++);
      const iterator = { next: async () => (await rows.next()) as { value: { xs: Tensor2D; ys: Tensor2D }; done: boolean } };
      abandoned.register(iterator, rows);
      return iterator;
    },
  };
}
