/** The document's file: written once the document is quiet, by rename, known by hash; changes from outside are merged by cell. */
import { existsSync, readdirSync, readFileSync, realpathSync, renameSync, statSync } from "node:fs";
import { open, readFile, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { watch, type FSWatcher } from "chokidar";
import type { NotebookSource, Reopened } from "../../kernels/protocol/document.js";
import { differingCells } from "../../kernels/notebook/difference.js";
import { mergeExternal, type Merged } from "../../kernels/notebook/merge.js";
import { parseBytes } from "../../kernels/notebook/decode.js";
import { printNotebook } from "../../kernels/notebook/print.js";
import { sourceHash } from "./outputs.js";
import { sweep } from "./sweep.js";

export interface FileEffects {
  quiet: number;
  /** ms between two looks at a file that another program writes */
  rest: number;
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
  /** the document of `rev` is about to take the file's place; null: it did not. Resolves when the journal has that, and the document, on the disk. */
  before(rev: number | null): Promise<void>;
  /** resolves when the journal holds all that the document has */
  kept(): Promise<void>;
  /** the document as it becomes; `read`: what the file says */
  outside(source: NotebookSource, read: NotebookSource, text: string): void;
  /** the file was changed by another program, and the document has all that it says now */
  read(source: NotebookSource): void;
  /** a file that did not parse when it was opened does now */
  mended(opened: Opened): void;
  /** what is wrong with the file; null: all is well again */
  held(why: string | null): void;
}

export interface Opened {
  source: NotebookSource;
  /** what the file says */
  saved: NotebookSource;
  broken: string | null;
  write: boolean;
  /** the file was merged with what the journal knew and the file did not */
  merged: Omit<Reopened, "at"> | null;
}

/** What the journal knows. */
export interface Known {
  /** the document */
  source: NotebookSource;
  /** what was last written or read */
  saved: NotebookSource;
  /** the documents since then */
  since: readonly NotebookSource[];
  /** the one of them that was about to take the file's place */
  writing: NotebookSource | null;
}

export interface NotebookFile {
  /** Reads the file beside what the journal knows. */
  open(journal: Known | null): Opened;
  /** removes what a kill left half-written beside the file; until the next journal is begun, it tells what the file held */
  sweep(): void;
  /** the document changed */
  changed(): void;
  /** what was last written or read */
  readonly saved: NotebookSource;
  /** a document is being written: `saved` may no longer be what the file says */
  readonly writing: boolean;
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** What is wrong with the file. One that is gone is written again by the next change; one that cannot be read or does not parse is left alone. */
interface Trouble {
  kind: "gone" | "unread" | "unparsed" | "unsaved";
  why: string;
}

/** ms between two looks at a file that cannot be read: not every file system tells when it can be again */
const retryStep = 1000;

export function notebookFile(path: string, effects: FileEffects): NotebookFile {
  const { rest: restStep } = effects;
  let base: NotebookSource = { front: {}, cells: [] };
  /** hash of the file's text as last written or read */
  let hash = "";
  /** its length then */
  let length = 0;
  let trouble: Trouble | null = null;
  /** it did not parse when it was opened: what the journal knew waits until it does */
  let waiting: { reopen(parsed: NotebookSource): Opened } | null = null;
  let dirty = false;
  let writing = false;
  let timer: NodeJS.Timeout | null = null;
  let retry: NodeJS.Timeout | null = null;
  let work: Promise<void> = Promise.resolve();
  let watcher: FSWatcher | null = null;
  let again: NodeJS.Timeout | null = null;
  let closed = false;
  const name = path.split(/[\\/]/).at(-1)!;

  const tell = (next: Trouble | null) => {
    if (trouble?.why !== next?.why) effects.held(next?.why ?? null);
    // what was changed here meanwhile has waited
    if (next === null && trouble !== null && waiting === null) soon();
    if (next?.kind === "gone" && trouble?.kind === "unread" && dirty && waiting === null) soon();
    trouble = next;
    if (trouble === null || retry !== null || closed) return;
    retry = setTimeout(() => {
      retry = null;
      if (trouble?.kind === "unsaved") soon();
      else if (trouble !== null) look();
    }, retryStep);
    retry.unref();
  };

  /** Takes in what another program wrote. */
  const takeIn = (bytes: Buffer) => {
    const { text, ...parsed } = parseBytes(bytes);
    const now = sourceHash(text);
    // it is back, or can be read again, as it was
    if (now === hash) return trouble?.kind === "gone" || trouble?.kind === "unread" ? tell(null) : undefined;
    hash = now;
    length = text.length;
    if (parsed.broken !== null) {
      if (waiting === null)
        tell({
          kind: "unparsed",
          why: `${name} was changed outside and cannot be read now (${parsed.broken}); the notebook here is kept, and the file is not written until it can be read`,
        });
      return;
    }
    if (waiting !== null) {
      const opened = waiting.reopen(parsed.source);
      waiting = null;
      effects.mended(opened);
      if (opened.write) soon();
      return;
    }
    tell(null);
    const ours = effects.source();
    const { source, conflicts } = mergeExternal(base, ours, parsed.source);
    base = parsed.source;
    if (same(ours, source)) return effects.read(base);
    const differ = differingCells(ours, source).length;
    const what = differ === 0 ? "the order, the head or the line ends differ" : `${differ} ${differ === 1 ? "cell differs" : "cells differ"}`;
    const both = conflicts.length === 0 ? "" : `; ${conflicts.length} changed here too and ${conflicts.length === 1 ? "is" : "are"} kept twice`;
    effects.outside(source, base, `${name} changed outside: ${what}${both}.`);
    // what was merged is in neither file nor journal yet
    if (!same(source, parsed.source)) soon();
  };

  const soon = () => {
    dirty = true;
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(() => {
      timer = null;
      work = work.then(write);
    }, effects.quiet);
  };
  const look = () => {
    if (!closed) work = work.then(read);
  };

  /** Null: there is no file, or it cannot be read. */
  const readFileBytes = async (): Promise<Buffer | null> => {
    try {
      return await readFile(path);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "ENOTDIR") {
        // some editors move the old file away before they write the new one
        if (trouble === null && !closed) await new Promise((resolve) => setTimeout(resolve, 5 * restStep));
        if (existsSync(path) || closed) return null;
        tell({ kind: "gone", why: `${name} was deleted or moved outside; the notebook here is kept, and the next change writes it again` });
      } else {
        const why = code === "EISDIR" ? "it is a folder now" : code === "EACCES" ? "permission was taken away" : message;
        tell({ kind: "unread", why: `${name} cannot be read (${why}); the notebook here is kept, and the file is not written until it can be read` });
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

  /** Did another program write since we last looked? Asked in the same breath as the rename. */
  const foreign = (target: string) => {
    try {
      return sourceHash(readFileSync(target).toString()) !== hash;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code !== "ENOENT";
    }
  };

  /** where the file's next text is written before it takes its place: a link stays a link */
  const beside = () => {
    const target = existsSync(path) ? realpathSync(path) : path;
    const ahead = `${basename(target)}.`;
    const pid = (other: string) => (other.startsWith(ahead) ? /^(\d+)\.new$/.exec(other.slice(ahead.length))?.[1] : undefined);
    return { target, folder: dirname(target), pid };
  };
  /** Is this document beside the file, to take its place? */
  const lies = (document: NotebookSource): boolean => {
    const { folder, pid } = beside();
    try {
      const text = printNotebook(document);
      return readdirSync(folder).some((other) => pid(other) !== undefined && readFileSync(join(folder, other), "utf8") === text);
    } catch {
      return false;
    }
  };

  const write = async () => {
    try {
      await project();
    } finally {
      writing = false;
    }
  };
  const project = async (): Promise<void> => {
    if (!dirty) return;
    // somebody may have written a moment ago, before the watcher said so
    await read();
    if (waiting !== null || trouble?.kind === "unread" || trouble?.kind === "unparsed") return;
    dirty = false;
    writing = true;
    const source = effects.source();
    const rev = effects.rev();
    // a file that says the same in other words stays as its author wrote it
    if (!same(source, base) || !existsSync(path)) {
      const text = printNotebook(source);
      let temporary: string | null = null;
      let noted: number | null = null;
      try {
        const { target } = beside();
        temporary = `${target}.${process.pid}.new`;
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
        // the journal is always ahead of the file, and knows of what is beside it: a kill in between loses nothing and doubles nothing
        await effects.before((noted = rev));
        effects.step?.("rename file");
        if (foreign(target)) {
          await effects.before((noted = null));
          await rm(temporary, { force: true });
          dirty = true;
          // taken in first
          return await project();
        }
        renameSync(temporary, target);
        temporary = null;
        hash = sourceHash(text);
        length = text.length;
        effects.step?.("renamed file");
      } catch (error) {
        if (temporary !== null) {
          if (noted !== null) await effects.before(null);
          await rm(temporary, { force: true }).catch(() => {});
        }
        dirty = true;
        tell({ kind: "unsaved", why: `${name} could not be saved (${(error as Error).message}); the change is kept in the journal` });
        return;
      }
    } else {
      // the file has it already; "saved" is true once the journal has it too
      await effects.kept();
    }
    tell(null);
    base = source;
    effects.saved(effects.now(), rev);
  };

  return {
    get saved() {
      return base;
    },
    get writing() {
      return writing;
    },
    sweep() {
      const { folder, pid } = beside();
      sweep(folder, pid);
    },
    open(journal) {
      const { text, ...parsed } = parseBytes(existsSync(path) ? readFileSync(path) : Buffer.alloc(0));
      hash = sourceHash(text);
      length = text.length;
      if (effects.watch && existsSync(dirname(path))) {
        // the folder, not the file: a rename over it, as editors and we write, takes the watched file away
        const folder = dirname(path);
        watcher = watch(folder, { depth: 0, ignored: (other) => other !== folder && other !== path });
        const told = () => {
          look();
          // of two changes within 50 ms chokidar tells one: ours may hide another's
          if (again !== null) clearTimeout(again);
          again = setTimeout(look, 150);
        };
        // once ready as well: what happened before it watched is not told
        watcher.on("all", told).on("ready", told);
        watcher.on("error", () => {});
      }
      // what the file held when the process ended, whatever another program made of it since: what is still beside it has not taken its place
      const lastHeld = journal?.writing == null || lies(journal.writing) ? journal?.saved : journal.writing;
      const reopen = (read: NotebookSource): Opened => {
        base = read;
        if (journal === null || lastHeld === undefined) return { source: read, saved: read, broken: null, write: false, merged: null };
        // written by us: the journal's document goes on from it, and nothing is to merge
        const ours = same(read, lastHeld) || (!same(read, journal.saved) && journal.since.some((one) => same(read, one)));
        const { source, conflicts } = ours ? { source: journal.source, conflicts: [] } : mergeExternal(lastHeld, journal.source, read);
        dirty = !same(source, read);
        const merged = ours || !dirty ? null : whose(journal.source, read, source, conflicts);
        return { source, saved: read, broken: null, write: dirty, merged };
      };
      if (parsed.broken === null) return reopen(parsed.source);
      base = parsed.source;
      waiting = { reopen };
      return { source: parsed.source, saved: parsed.source, broken: parsed.broken, write: false, merged: null };
    },
    changed: soon,
    async flush() {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      // also takes in what another program wrote
      await (work = work.then(read).then(write));
    },
    async close() {
      closed = true;
      for (const one of [again, timer, retry]) if (one !== null) clearTimeout(one);
      await work;
      await watcher?.close();
    },
  };
}

/** Whose each cell is after a merge of `journal` and `read`. */
function whose(journal: NotebookSource, read: NotebookSource, merged: NotebookSource, conflicts: Merged["conflicts"]): Omit<Reopened, "at"> {
  const copies = new Set(conflicts.flatMap(({ id, other }) => [id, other]));
  const ids = (from: NotebookSource) => differingCells(from, merged).flatMap(({ id }) => (copies.has(id) ? [] : [id]));
  const theirs = ids(journal);
  return { theirs, ours: ids(read).filter((id) => !theirs.includes(id)), twice: conflicts.map(({ id }) => id) };
}

const same = (a: NotebookSource, b: NotebookSource) => printNotebook(a) === printNotebook(b);
