/** The document's file: written once the document is quiet, by rename, known by hash; changes from outside are merged by cell. */
import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { watch, type FSWatcher } from "chokidar";
import type { NotebookSource } from "../../kernels/protocol/document.js";
import { mergeExternal } from "../../kernels/notebook/merge.js";
import { parseBytes } from "../../kernels/notebook/decode.js";
import { printNotebook } from "../../kernels/notebook/print.js";
import { sourceHash } from "./outputs.js";

export interface FileEffects {
  quiet: number;
  watch: boolean;
  now(): number;
  /** the document now */
  source(): NotebookSource;
  /** revision of the document now */
  rev(): number;
  /** `rev`: what was written */
  saved(at: number, rev: number): void;
  /** fault-injection seam: called at each named step of disk work */
  step?: ((name: string) => void) | undefined;
  /** resolves when the journal has the document on the disk */
  before(): Promise<void>;
  /** the document as it becomes */
  outside(source: NotebookSource, text: string): void;
  notice(text: string): void;
}

export interface NotebookFile {
  /** Reads the file beside what the journal knows: `journal` the document, `base` what was last written, `since` what may have been written after it. */
  open(
    journal: NotebookSource | null,
    base: NotebookSource | null,
    since?: readonly NotebookSource[],
  ): { source: NotebookSource; saved: NotebookSource; broken: string | null; write: boolean };
  /** the document changed */
  changed(): void;
  /** what was last written or read */
  readonly saved: NotebookSource;
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** ms between two looks at a file that another program writes */
const restStep = 50;

export function notebookFile(path: string, effects: FileEffects): NotebookFile {
  let base: NotebookSource = { front: {}, cells: [] };
  /** hash of the file's text as last written or read */
  let hash = "";
  /** its length then */
  let length = 0;
  /** it was gone when last looked for, and that was said */
  let missing = false;
  let readOnly = false;
  /** the file does not parse: it is not written until it does */
  let held = false;
  let dirty = false;
  let timer: NodeJS.Timeout | null = null;
  let work: Promise<void> = Promise.resolve();
  let watcher: FSWatcher | null = null;
  let again: NodeJS.Timeout | null = null;
  let closed = false;
  const name = path.split(/[\\/]/).at(-1)!;

  /** Takes in what another program wrote. */
  const takeIn = (bytes: Buffer) => {
    const { text, ...parsed } = parseBytes(bytes);
    const now = sourceHash(text);
    if (now === hash) return;
    hash = now;
    length = text.length;
    if (parsed.broken !== null) {
      held = true;
      effects.notice(
        `${name} was changed outside and cannot be read now (${parsed.broken}); the notebook here is kept, and the file is not written until it can be read.`,
      );
      return;
    }
    // what was changed here meanwhile has waited
    if (held) soon();
    held = false;
    const ours = effects.source();
    const { source, conflicts } = mergeExternal(base, ours, parsed.source);
    base = parsed.source;
    const differ = countChanges(ours, source);
    if (differ > 0) {
      const both = conflicts.length === 0 ? "" : `; ${conflicts.length} changed here too and ${conflicts.length === 1 ? "is" : "are"} kept twice`;
      effects.outside(source, `${name} changed outside: ${differ} ${differ === 1 ? "cell differs" : "cells differ"}${both}.`);
    }
  };

  const soon = () => {
    dirty = true;
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(() => {
      timer = null;
      work = work.then(write);
    }, effects.quiet);
  };

  /** Null: there is no file, or it cannot be read. */
  const readFileBytes = async (): Promise<Buffer | null> => {
    try {
      const bytes = await readFile(path);
      missing = false;
      return bytes;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") effects.notice(`${name} cannot be read: ${(error as Error).message}`);
      else if (!missing) {
        // some editors move the old file away before they write the new one
        await new Promise((resolve) => setTimeout(resolve, 5 * restStep));
        if (existsSync(path) || missing || closed) return null;
        missing = true;
        effects.notice(`${name} was deleted or moved outside; the notebook here is kept, and the next change writes it again.`);
      }
      return null;
    }
  };

  /** Editors empty a file and then write it: what is taken in has rested for a moment, an empty or shortened text for longer. */
  const read = async () => {
    let bytes = await readFileBytes();
    for (let rested = 0, tries = 0; bytes !== null && sourceHash(bytes.toString()) !== hash && tries < 60; tries++) {
      await new Promise((resolve) => setTimeout(resolve, restStep));
      const next = await readFileBytes();
      rested = next !== null && next.equals(bytes) ? rested + restStep : 0;
      bytes = next;
      const text = bytes?.toString();
      if (text !== undefined && rested >= (text.trim() === "" || text.length < length / 2 ? 10 : 1) * restStep) break;
    }
    if (bytes !== null) takeIn(bytes);
  };

  const write = async () => {
    if (!dirty || held || readOnly) return;
    // somebody may have written a moment ago, before the watcher said so
    await read();
    if (held) return;
    dirty = false;
    const source = effects.source();
    const rev = effects.rev();
    // the journal is always ahead of the file: a kill in between loses nothing and doubles nothing
    await effects.before();
    const text = printNotebook(source);
    // a file that says the same in other words stays as its author wrote it
    if (!same(source, base) || !existsSync(path)) {
      // a link stays a link
      const target = existsSync(path) ? realpathSync(path) : path;
      const temporary = `${target}.${process.pid}.new`;
      try {
        const mode = existsSync(target) ? statSync(target).mode & 0o777 : 0o644;
        const out = await open(temporary, "w", mode);
        try {
          effects.step?.("write file");
          await out.writeFile(text);
          effects.step?.("wrote file");
          await out.sync();
        } finally {
          await out.close();
        }
        hash = sourceHash(text);
        length = text.length;
        effects.step?.("rename file");
        await rename(temporary, target);
        effects.step?.("renamed file");
      } catch (error) {
        await rm(temporary, { force: true }).catch(() => {});
        dirty = true;
        effects.notice(`${name} could not be saved: ${(error as Error).message}. The change is kept in the journal.`);
        return;
      }
    }
    base = source;
    effects.saved(effects.now(), rev);
  };

  return {
    get saved() {
      return base;
    },
    open(journal, saved, since = []) {
      const { text, ...parsed } = parseBytes(existsSync(path) ? readFileSync(path) : Buffer.alloc(0));
      hash = sourceHash(text);
      length = text.length;
      base = parsed.source;
      if (effects.watch && existsSync(dirname(path))) {
        // the folder, not the file: a rename over it, as editors and we write, takes the watched file away
        const folder = dirname(path);
        watcher = watch(folder, { depth: 0, ignored: (other) => other !== folder && other !== path });
        const look = () => {
          if (closed) return;
          work = work.then(read);
          // of two changes within 50 ms chokidar tells one: ours may hide another's
          if (again !== null) clearTimeout(again);
          again = setTimeout(() => (work = work.then(read)), 150);
        };
        // once ready as well: what happened before it watched is not told
        watcher.on("all", look).on("ready", look);
        watcher.on("error", () => {});
      }
      if (parsed.broken !== null) {
        readOnly = true;
        return { source: parsed.source, saved: parsed.source, broken: parsed.broken, write: false };
      }
      if (journal === null || saved === null) return { source: parsed.source, saved: parsed.source, broken: null, write: false };
      // written by us: the journal's document goes on from it, and nothing is to merge
      const ours = same(parsed.source, saved) || since.some((one) => same(parsed.source, one));
      const source = ours ? journal : mergeExternal(saved, journal, parsed.source).source;
      dirty = !same(source, parsed.source);
      return { source, saved: parsed.source, broken: null, write: dirty };
    },
    changed: soon,
    async flush() {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      await (work = work.then(write));
    },
    async close() {
      closed = true;
      if (again !== null) clearTimeout(again);
      if (timer !== null) clearTimeout(timer);
      await work;
      await watcher?.close();
    },
  };
}

const same = (a: NotebookSource, b: NotebookSource) => printNotebook(a) === printNotebook(b);

function countChanges(a: NotebookSource, b: NotebookSource): number {
  const before = new Map(a.cells.map((cell) => [cell.id, cell]));
  const after = new Map(b.cells.map((cell) => [cell.id, cell]));
  let count = 0;
  for (const [id, cell] of after) {
    const old = before.get(id);
    if (old === undefined || old.source !== cell.source || old.kind !== cell.kind) count++;
  }
  for (const id of before.keys()) if (!after.has(id)) count++;
  // order, options or front matter alone
  return count === 0 && !same(a, b) ? 1 : count;
}
