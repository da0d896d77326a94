/**
 * A long random life of one notebook, the same for the same seed: pages that edit, paste, split, merge, undo, run, lose their connection and take over;
 * another program that edits, checks out older versions, deletes and breaks the file; a server that is killed at any change of the disk and starts again.
 * The clock, the disk, the watcher and chance are the test's (`soak.test.ts` mocks them), so that a failure is had again by its seed.
 */
import type * as Fs from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { conflictOf } from "../../kernels/notebook/conflict.js";
import { differingCells } from "../../kernels/notebook/difference.js";
import { mergeExternal } from "../../kernels/notebook/merge.js";
import { parseNotebook } from "../../kernels/notebook/parse.js";
import { printNotebook } from "../../kernels/notebook/print.js";
import type { Cell, NotebookSource } from "../../kernels/protocol/document.js";
import { silent } from "../../server/log.js";
import { placeOf } from "../../server/sessions/paths.js";
import { Session, type SessionEffects } from "../../server/sessions/session.js";
import { NotebookSession, type SessionSocket } from "../../web/controllers/session.js";
import type { Clock } from "./clock.js";
import { killDisk, watchers } from "./disk.js";
import { fakeKernels } from "./fake-kernel.js";
import { Dice, randomEdit, textsOf, wordsOf, Words, type Hands } from "./soak-edits.js";
import { connectLine } from "./soak-line.js";

const path = "workspaces/demo/a.nb.ts";

interface Page extends Hands {
  name: string;
  session: NotebookSession;
  /** drops the connection */
  cut(): void;
  /** no connection succeeds while this holds */
  offline: boolean;
}

export interface Tally {
  operations: number;
  kills: number;
  checks: number;
  conflicts: number;
  tokens: number;
  /** words looked for at the checks: each had to stand exactly once in the document (or in what a page offers back), being removed by nobody */
  looked: number;
}

const same = (a: NotebookSource, b: NotebookSource) => printNotebook(a) === printNotebook(b);

const differ = (a: NotebookSource, b: NotebookSource) =>
  differingCells(a, b)
    .map(({ id, before, after }) => `${id} ${JSON.stringify(before?.source)} -> ${JSON.stringify(after?.source)}`)
    .join("; ");

export class Soak {
  readonly tally: Tally = { operations: 0, kills: 0, checks: 0, conflicts: 0, tokens: 0, looked: 0 };
  /** what was done, for a failure's report */
  readonly story: string[] = [];
  readonly #dice: Dice;
  readonly #words: Words;
  readonly #fs: typeof Fs;
  readonly #clock: Clock;
  readonly #root: string;
  readonly #file: string;
  #session: Session | null = null;
  #generation = 0;
  #kernels = fakeKernels();
  readonly #pages: Page[] = [];
  /** texts that the file had since the last check, the first one included, and versions of before for checkouts */
  #contents: NotebookSource[] = [];
  #older: string[] = [];
  /** documents since then, each with the oldest content that it can have been merged with */
  #moments: { rev: number; source: NotebookSource; base: number }[] = [];
  #base = 0;
  #outsideIndex = 0;
  #broken = false;
  /** the present process has opened a file that is no notebook; these contents came since */
  #waiting = false;
  #waitingFrom = 0;

  constructor(root: string, seed: number, fs: typeof Fs, clock: Clock) {
    this.#clock = clock;
    this.#dice = new Dice(seed);
    this.#words = new Words(this.#dice);
    this.#fs = fs;
    this.#root = root;
    this.#file = join(root, path);
    killDisk.onChange = (call, args) => {
      if (call === "renameSync" && args[1] === this.#file) this.#written();
    };
  }

  #tell(line: string): void {
    this.story.push(line);
    if (this.story.length > 80) this.story.shift();
  }

  async run(operations: number): Promise<void> {
    this.#start();
    for (let i = 0; i < 3; i++) this.#open(`p${i}`);
    await this.#settle();
    while (this.tally.operations < operations) {
      await this.#step();
      if (this.tally.operations % 40 === 0) await this.#settle();
    }
    await this.#settle();
    this.tally.tokens = this.#words.count;
    for (const page of this.#pages) page.session.close();
    const closed = killDisk.inside(() => this.#session!.close());
    await this.#clock.pass(5000);
    await closed;
  }

  async #wait(ms: number): Promise<void> {
    await this.#clock.pass(ms, () => {
      if (this.#waiting && !killDisk.dead && this.#session?.state.broken === null) {
        this.#waiting = false;
        this.#tell("readable again");
        this.#opened(this.#contents.slice(this.#waitingFrom));
      }
      return killDisk.dead;
    });
    if (killDisk.dead) await this.#killed();
  }

  // ---- the server

  #start(): void {
    const quiet = silent;
    this.#kernels = fakeKernels();
    const effects: SessionEffects = {
      ...{ root: this.#root, log: quiet, now: Date.now, takeKernel: this.#kernels.take, memoryLimit: 1 << 30, backend: null },
      ...{ quiet: 1200, rest: 50, sync: 200, watch: true, keep: true, seed: null, languages: null },
      redact: (text) => text,
      handle: () => Promise.reject(new Error("no serving here")),
    };
    this.#generation++;
    const session = killDisk.inside(() => new Session(placeOf(this.#root, path, false), effects));
    this.#session = session;
    session.listen((event) => {
      if (killDisk.dead || this.#session !== session) return;
      if (event.type === "ops") {
        if (event.by === "file") {
          this.#base = Math.max(this.#base, this.#outsideIndex);
          this.#conflicts(session.state.source);
        }
        this.#moments.push({ rev: event.rev, source: session.state.source, base: this.#base });
      } else if (event.type === "saved") {
        // the journal has it, and the file
        this.#base = this.#contents.length - 1;
        this.#moments = this.#moments.filter((one) => one.rev >= event.rev);
      }
    });
  }

  /** Cells that are kept twice have the same words twice, on purpose. */
  #conflicts(source: NotebookSource): void {
    for (const cell of source.cells) {
      const of = conflictOf(cell);
      if (of === null) continue;
      this.tally.conflicts++;
      const other = source.cells.find((one) => one.id === of);
      for (const token of wordsOf(`${cell.source}\0${other?.source ?? ""}`).keys()) this.#words.strict.delete(token);
    }
  }

  /** The process is gone: its connections end, and after a while another one opens what it left. */
  async #killed(): Promise<void> {
    this.tally.kills++;
    this.#tell(`killed: ${killDisk.trace.slice(-6).join("; ")}`);
    this.#session = null;
    this.#generation++;
    for (const kernel of this.#kernels.all) void kernel.stop();
    for (const page of this.#pages) page.cut();
    killDisk.revive();
    // another program may write while no server runs
    for (let n = this.#dice.int(3); n > 1; n--) this.#outside();
    if (!this.#fs.existsSync(this.#file)) this.#checkout(this.#dice.pick(this.#older) ?? "", "restored before the start");
    await this.#clock.pass(this.#dice.int(500));
    const file = this.#content();
    this.#start();
    this.#waiting = this.#session!.state.broken !== null;
    if (!this.#waiting) return this.#opened([file]);
    this.#tell("opened broken");
    this.#waitingFrom = this.#contents.length;
  }

  /** Opened with one of these as its file: the document is one that there was, or the merge of one with the file. */
  #opened(files: NotebookSource[]): void {
    const { source, rev } = this.#session!.state;
    const found = files.findLastIndex((file) =>
      this.#moments.some((one) =>
        this.#contents.slice(one.base).some((from) => same(same(from, file) ? one.source : mergeExternal(from, one.source, file).source, source)),
      ),
    );
    const newest = this.#moments.at(-1)!;
    if (found < 0)
      throw new Error(
        `after the kill the document (revision ${rev}) is none that it may be (revisions ${this.#moments.map((one) => one.rev)}); beside the newest: ${differ(newest.source, source)}; beside the file: ${files.map((file) => differ(file, source))}`,
      );
    this.#conflicts(source);
    this.#began(rev, source, files[found]!, files.slice(found + 1));
  }

  /** From here on: this document, beside this file. */
  #began(rev: number, source: NotebookSource, file: NotebookSource, later: NotebookSource[] = []): void {
    this.#contents = [file, ...later];
    this.#base = 0;
    this.#outsideIndex = later.length;
    this.#moments = [{ rev, source, base: 0 }];
  }

  #content(): NotebookSource {
    return parseNotebook(this.#fs.existsSync(this.#file) ? this.#fs.readFileSync(this.#file, "utf8") : "").source;
  }
  #written(): void {
    const text = this.#fs.readFileSync(this.#file, "utf8");
    this.#contents.push(parseNotebook(text).source);
    this.#older = [...this.#older.slice(-6), text];
  }

  // ---- the pages

  #open(name: string): void {
    const page: Page = { name, offline: false, undo: [], clipboard: [], cut: () => {}, session: null as unknown as NotebookSession };
    page.session = new NotebookSession({
      ...{ path, client: name, name, onChange: () => {}, onNotice: () => {} },
      connect: () => this.#connect(page),
    });
    this.#pages.push(page);
    page.session.open();
  }

  #connect(page: Page): SessionSocket {
    const generation = this.#generation;
    const { socket, cut } = connectLine({
      session: () => (generation === this.#generation && !killDisk.dead && !page.offline ? this.#session : null),
      delay: () => this.#dice.int(25),
    });
    page.cut = cut;
    return socket;
  }

  #change(page: Page): void {
    const { source } = page.session.doc!;
    const change = randomEdit(this.#dice, this.#words, source.cells, page);
    if (change === null) return;
    try {
      page.session.edit(change.ops);
    } catch (error) {
      // an undo of what others have changed since
      if (!(error instanceof RangeError)) throw error;
      return;
    }
    this.#words.turned(textsOf(source), textsOf(page.session.doc!.source));
    page.undo.push(change.undo);
  }

  // ---- another program

  #outsideWrite(text: string, what: string): void {
    const parsed = parseNotebook(text);
    this.#tell(`outside: ${what}`);
    this.#words.turned(textsOf(this.#content()), textsOf(parsed.source));
    this.#fs.writeFileSync(this.#file, text);
    this.#broken = parsed.broken !== null;
    if (parsed.broken === null) {
      this.#contents.push(parsed.source);
      this.#outsideIndex = this.#contents.length - 1;
    }
    this.#look();
  }
  #look(): void {
    // of the process that runs then
    setTimeout(() => killDisk.inside(() => watchers.forEach((tell) => tell())), this.#dice.int(120));
  }
  #outside(): void {
    const gone = !this.#fs.existsSync(this.#file);
    const text = gone ? "" : this.#fs.readFileSync(this.#file, "utf8");
    const { source, broken } = parseNotebook(text);
    if (gone || broken !== null) {
      const back = this.#older.at(-1) ?? "";
      return this.#checkout(back, gone ? "written again" : "mended");
    }
    const cell = this.#dice.pick(source.cells);
    const set = (cells: Cell[], what: string) => this.#outsideWrite(printNotebook({ ...source, cells }), what);
    switch (this.#dice.int(9)) {
      case 0:
        return this.#checkout(this.#dice.pick(this.#older) ?? text, "checkout");
      case 1:
        this.#tell("outside: deleted");
        this.#words.free(source.cells.filter((one) => this.#session?.state.source.cells.find((other) => other.id === one.id)?.source !== one.source));
        this.#fs.rmSync(this.#file);
        return this.#look();
      case 2:
        this.#older = [...this.#older.slice(-6), text];
        return this.#outsideWrite(`<<<<<<< ours\n${text}\n=======\n>>>>>>> theirs\n`, "conflict markers");
      case 3:
        return this.#outsideWrite(
          `${this.#dice.likely(0.5) && !text.startsWith("\uFEFF") ? "\uFEFF" : ""}${text.replace(/\r?\n/g, this.#dice.likely(0.5) ? "\r\n" : "\n")}`,
          "line ends",
        );
      case 4:
        if (cell === undefined || source.cells.length < 4) return;
        this.#words.free([cell, this.#session?.state.source.cells.find((one) => one.id === cell.id)]);
        return set(
          source.cells.filter((one) => one !== cell),
          `without ${cell.id}`,
        );
      case 5: {
        const id = this.#dice.id("x");
        return set(
          source.cells.toSpliced(this.#dice.int(source.cells.length + 1), 0, { id, kind: "code", source: this.#words.line(), options: {} }),
          `a new cell ${id}`,
        );
      }
      case 6: {
        const cells = source.cells.toSorted(() => this.#dice.random() - 0.5);
        return set(cells, "another order");
      }
      default: {
        if (cell === undefined) return;
        this.#words.free([cell]);
        for (const page of this.#pages) this.#words.free([page.session.doc?.source.cells.find((one) => one.id === cell.id)]);
        return set(
          source.cells.map((one) => (one === cell ? { ...one, source: `${one.source}\n${this.#words.line()}` } : one)),
          `cell ${cell.id} changed`,
        );
      }
    }
  }
  #checkout(text: string, what: string): void {
    const before = this.#content();
    const after = parseNotebook(text).source;
    const changes = [before, ...this.#moments.slice(-1).map((one) => one.source)].flatMap((one) => differingCells(one, after));
    this.#words.free(changes.flatMap((one) => [one.before, one.after]));
    for (const page of this.#pages)
      if (page.session.doc !== null) this.#words.free(differingCells(page.session.doc.source, after).flatMap((one) => [one.before, one.after]));
    this.#outsideWrite(text, what);
  }

  // ---- one step

  async #step(): Promise<void> {
    this.tally.operations++;
    const n = this.#dice.random();
    const writer = this.#pages.find(({ session }) => session.doc !== null && session.link === "open" && session.writing);
    // mostly the one who writes; a page whose connection is lost goes on typing too
    const page = writer !== undefined && this.#dice.likely(0.8) ? writer : this.#dice.pick(this.#pages)!;
    const ask = (command: Parameters<NotebookSession["command"]>[0]) => {
      this.#tell(`${page.name}: ${command.do}`);
      page.session.command(command).catch(() => {});
    };
    if (n < 0.62) {
      if (page.session.doc !== null && page.session.writing) {
        for (let many = 1 + this.#dice.int(3); many > 0; many--) this.#change(page);
      } else ask({ do: "write" });
    } else if (n < 0.66) ask({ do: "run", cells: page.session.doc?.source.cells.slice(0, 2).map((cell) => cell.id) ?? [] });
    else if (n < 0.68) ask({ do: "run-all" });
    else if (n < 0.7) ask({ do: "restart", then: this.#dice.pick(["nothing", "all", "stale"] as const)! });
    else if (n < 0.72) ask({ do: "interrupt" });
    else if (n < 0.73) ask({ do: "mode", mode: this.#dice.pick(["auto", "lazy"] as const)! });
    else if (n < 0.75) ask({ do: "flush" });
    else if (n < 0.78) killDisk.inside(() => this.#dice.pick(this.#kernels.all)?.release());
    else if (n < 0.83) {
      this.#tell(`${page.name}: cut`);
      page.cut();
      page.offline = this.#dice.likely(0.3);
    } else if (n < 0.86) page.offline = false;
    else if (n < 0.94) this.#outside();
    else if (n < 0.97) {
      this.#tell("to be killed");
      killDisk.killIn(1 + this.#dice.int(30));
    } else this.#asides(page);
    await this.#wait(this.#dice.likely(0.9) ? this.#dice.int(60) : this.#dice.int(2500));
  }

  #asides({ session }: Page): void {
    const aside = session.doc?.aside[0];
    if (aside === undefined || !session.writing) return;
    this.#words.free([{ source: `${aside.before}\0${aside.text}` }]);
    if (this.#dice.likely(0.5)) session.putBack(aside, this.#dice.id("b"));
    else session.forget(aside);
  }

  /** Lets everything come to rest, then looks: pages, server and file say the same, and no word is lost or doubled. */
  async #settle(): Promise<void> {
    killDisk.killIn(0);
    if (this.#broken || !this.#fs.existsSync(this.#file)) {
      this.#checkout(this.#older.at(-1) ?? "", "mended to settle");
      await this.#wait(200);
    }
    for (const page of this.#pages) page.offline = false;
    const calm = () =>
      !killDisk.dead &&
      this.#session !== null &&
      this.#pages.every(({ session }) => session.link === "open" && !(session.doc!.inflight.length + session.doc!.waiting.length > 0)) &&
      this.#session.state.held === null;
    for (let i = 0; i < 400 && !calm(); i++) await this.#wait(100);
    await this.#wait(3000);
    // what the watcher has not told
    this.#look();
    await this.#wait(3000);
    expect(
      calm(),
      `comes to rest: ${this.#session?.state.held} ${this.#pages.map(({ session }) => `${session.link} ${session.failure ?? ""}`).join(", ")}`,
    ).toBe(true);
    this.tally.checks++;
    const { state } = this.#session!;
    expect(state.broken).toBe(null);
    for (const { name, session } of this.#pages) {
      expect(printNotebook(session.doc!.source), `page ${name} shows what the server has`).toBe(printNotebook(state.source));
      expect({ ...session.state, source: 0 }, `page ${name} has the server's state`).toEqual({ ...state, source: 0 });
    }
    const file = this.#fs.readFileSync(this.#file, "utf8");
    const parsed = parseNotebook(file);
    expect(parsed.broken, file).toBe(null);
    expect(printNotebook(parsed.source), "the file says what the pages show").toBe(printNotebook(state.source));
    const ids = state.source.cells.map((cell) => cell.id);
    expect(new Set(ids).size).toBe(ids.length);
    this.#conflicts(state.source);
    const shown = wordsOf(textsOf(state.source));
    const aside = wordsOf(this.#pages.flatMap(({ session }) => session.doc!.aside.map((one) => one.text)).join("\0"));
    this.tally.looked += this.#words.strict.size;
    for (const token of this.#words.strict) {
      const n = shown.get(token) ?? 0;
      if (n === 1 || (n === 0 && aside.has(token))) continue;
      throw new Error(`${token} stands ${n} times in\n${file}`);
    }
    this.#older = [...this.#older.slice(-6), file];
    this.#began(state.rev, state.source, parsed.source);
  }
}
