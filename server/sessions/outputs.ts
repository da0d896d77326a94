/** Outputs on disk, one file a cell, with the hash of the source that made them; and the whole printed text of the last run. */
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CellError, Output } from "../../kernels/protocol/output.js";
import { openOverflow, type Overflow } from "./overflow.js";

export interface KeptOutputs {
  cell: string;
  run: string;
  sourceHash: string;
  at: number;
  outputs: Output[];
  /** displays that are in the cell's overflow file alone */
  more?: number;
}

export interface OutputStore {
  /** all kept outputs by cell; files that cannot be read are left out */
  load(): Record<string, KeptOutputs>;
  /** soon, off the path of a run; a newer one of the same cell takes its place */
  keep(kept: KeptOutputs): void;
  drop(cell: string): void;
  /** printed text of a run, as it comes; a new run starts a new file */
  print(cell: string, run: string, outputs: readonly Output[]): void;
  /** the whole text of an error of which a part is shown; more of one run follow each other */
  fail(cell: string, run: string, text: string): void;
  /** path of the whole printed text, or of the whole text of errors; null when there is none */
  textFile(cell: string, of?: "prints" | "errors"): string | null;
  /** keeps an output past those that are shown; how many the run has of them */
  overflow(cell: string, run: string, output: Output): number;
  /** those outputs, `limit` from `offset` on */
  page(cell: string, offset: number, limit: number): Output[];
  flush(): Promise<void>;
}

const endings = { prints: ".txt", errors: ".err" };
const isShort = ({ length, cause }: CellError): boolean => length !== undefined || (cause !== undefined && isShort(cause));

export const sourceHash = (source: string) => createHash("sha256").update(source).digest("hex").slice(0, 32);

/** A file name that no id can break out of; long ids are told apart by their hash. */
const fileName = (id: string) => {
  const safe = encodeURIComponent(id).replaceAll("%", "_").replaceAll("*", "_");
  return safe === id && id.length <= 80 ? `c-${safe}` : `c-${safe.slice(0, 60)}-${sourceHash(id).slice(0, 8)}`;
};

export function outputStore(folder: string, failed: (error: Error) => void): OutputStore {
  const waiting = new Map<string, KeptOutputs | null>();
  /** cell and ending -> run whose text the file holds */
  const texts = new Map<string, string>();
  const overflows = new Map<string, Overflow>();
  let work: Promise<void> | null = null;
  let made = false;
  const make = () => {
    if (!made) mkdirSync(folder, { recursive: true, mode: 0o700 });
    made = true;
  };
  const path = (cell: string, ending: string) => join(folder, fileName(cell) + ending);
  /** names in the folder: most cells that show nothing have no file, and the disk need not be asked */
  const there = new Set<string>(existsSync(folder) ? readdirSync(folder) : []);
  const written = (cell: string, ending: string) => void there.add(fileName(cell) + ending);
  const gone = (cell: string, ending: string) => {
    if (!there.delete(fileName(cell) + ending)) return;
    try {
      unlinkSync(path(cell, ending));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") failed(error as Error);
    }
  };

  const drain = async () => {
    // let the run that has just ended tell the page first
    await new Promise((resolve) => setTimeout(resolve, 50));
    while (waiting.size > 0) {
      const [cell, kept] = waiting.entries().next().value!;
      waiting.delete(cell);
      try {
        if (kept === null) gone(cell, ".json");
        else {
          make();
          overflows.get(cell)?.flush();
          await writeFile(path(cell, ".new"), JSON.stringify(kept), { mode: 0o600 });
          await rename(path(cell, ".new"), path(cell, ".json"));
        }
      } catch (error) {
        failed(error as Error);
      }
    }
    work = null;
  };
  /** straight to the disk: what a flood of prints leaves in memory is nothing */
  const append = (cell: string, ending: string, run: string, text: string): void => {
    const file = path(cell, ending);
    try {
      make();
      if (texts.get(file) === run) appendFileSync(file, text);
      else writeFileSync(file, text, { mode: 0o600 });
      written(cell, ending);
      texts.set(file, run);
    } catch (error) {
      failed(error as Error);
    }
  };
  const untext = (cell: string, ending: string): void => {
    texts.delete(path(cell, ending));
    gone(cell, ending);
  };
  const unmore = (cell: string) => {
    overflows.delete(cell);
    gone(cell, ".more");
  };
  const later = (cell: string, kept: KeptOutputs | null) => {
    // a file that is only about to be written counts as there
    if (kept !== null) written(cell, ".json");
    else if (!there.has(fileName(cell) + ".json")) return;
    waiting.set(cell, kept);
    work ??= drain();
  };

  return {
    load() {
      const found: Record<string, KeptOutputs> = {};
      for (const name of there) {
        if (!name.endsWith(".json")) continue;
        try {
          const kept = JSON.parse(readFileSync(join(folder, name), "utf8")) as KeptOutputs;
          if (typeof kept.cell === "string" && Array.isArray(kept.outputs)) found[kept.cell] = kept;
        } catch {
          // half a file of a power cut: the cell shows nothing
        }
      }
      return found;
    },
    keep(kept) {
      // of a run that had more than this one
      if (!kept.outputs.some((output) => output.kind === "error" && isShort(output.error))) untext(kept.cell, endings.errors);
      if (kept.more === undefined && overflows.get(kept.cell)?.run !== kept.run) unmore(kept.cell);
      later(kept.cell, kept);
    },
    drop(cell) {
      untext(cell, endings.prints);
      untext(cell, endings.errors);
      unmore(cell);
      later(cell, null);
    },
    print(cell, run, outputs) {
      append(cell, endings.prints, run, outputs.map((output) => (output.kind === "stream" ? output.text : "")).join(""));
    },
    fail(cell, run, text) {
      append(cell, endings.errors, run, text);
    },
    overflow(cell, run, output) {
      let open = overflows.get(cell);
      if (open?.run !== run) {
        make();
        written(cell, ".more");
        overflows.set(cell, (open = openOverflow(path(cell, ".more"), run)));
      }
      return open.add(output);
    },
    page(cell, offset, limit) {
      let open = overflows.get(cell);
      if (open === undefined) overflows.set(cell, (open = openOverflow(path(cell, ".more"), null)));
      return open.page(offset, limit);
    },
    textFile(cell, of = "prints") {
      const file = path(cell, endings[of]);
      return existsSync(file) ? file : null;
    },
    async flush() {
      for (const open of overflows.values()) open.flush();
      while (work !== null) await work;
    },
  };
}
