/** Every queue of every workspace, and what may be done to them. The files are the truth: nothing is kept elsewhere. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { TablePage } from "../../kernels/protocol/document.js";
import type { ReviewStep, WireValue } from "../../kernels/protocol/output.js";
import {
  choicesOf,
  type QueueSummary,
  type QueueView,
  type ReviewLine,
  type ReviewSent,
  type ReviewSource,
  type ReviewUse,
} from "../../kernels/protocol/review.js";
import { createDisk, type Disk } from "../registry/disk.js";
import { folderOf } from "../routes/notebooks.js";
import { RequestError } from "../routes/problem.js";
import { inside } from "../sessions/paths.js";
import { doneItems, itemView, openItems, summaryOf } from "./fold.js";
import { queueFile, type QueueFile } from "./store.js";

/** Longest row that a queue takes, as a line of its file. */
const longest = 4 * 2 ** 20;

export interface Act {
  key: string;
  rev: number;
  by: string;
}

export interface Reviews {
  list(workspaces: string[]): QueueSummary[];
  view(workspace: string, name: string, guess: boolean): QueueView;
  create(workspace: string, name: string, labels: string[]): QueueView;
  send(workspace: string, step: Omit<ReviewStep, "relation">, page: TablePage, from: Omit<ReviewSource, "batch">): ReviewSent;
  answer(workspace: string, name: string, act: Act & { use: ReviewUse; label: string; guessSeen: boolean; ms: number | null }): QueueView;
  skip(workspace: string, name: string, act: Act): QueueView;
  undo(workspace: string, name: string, act: Act): QueueView;
  /** a note and a flag say something about the item, they decide nothing: they need no revision */
  note(workspace: string, name: string, note: { key: string; by: string; text: string }): QueueView;
  flag(workspace: string, name: string, flag: { key: string; by: string; flagged: boolean }): QueueView;
}

export const queueHref = (workspace: string, name: string): string =>
  `/review/${workspace === "." ? "-" : encodeURIComponent(workspace)}/${encodeURIComponent(name)}`;

const missing = (key: string, queue: string): RequestError => new RequestError(404, "not-found", `Item ${key} is not in queue ${queue}.`);

export function createReviews(options: { root: string; now(): number; disk?: Disk }): Reviews {
  const { root } = options;
  const disk = options.disk ?? createDisk();
  const files = new Map<string, QueueFile>();
  const at = (): string => new Date(options.now()).toISOString();

  const place = (workspace: string, name: string) => {
    if (!/^[A-Za-z0-9_][\w-]{0,62}$/.test(name))
      throw new RequestError(400, "bad-request", `Expected a queue's name of letters, digits, - and _, got ${JSON.stringify(name.slice(0, 80))}.`);
    const folder = folderOf(root, workspace);
    const file = `data/review/${name}.ndjson`;
    return { workspace, name, href: queueHref(workspace, name), file, path: inside(folder, file), folder };
  };
  const open = (path: string): QueueFile => {
    let file = files.get(path);
    if (file === undefined) files.set(path, (file = queueFile(path, disk)));
    return file;
  };
  const existing = (workspace: string, name: string) => {
    const found = place(workspace, name);
    if (!existsSync(found.path)) throw new RequestError(404, "not-found", `There is no queue ${name} in ${workspace}.`);
    return { ...found, queueFile: open(found.path) };
  };
  const summary = (found: ReturnType<typeof place>): QueueSummary => {
    const { workspace, name, href, file, path } = found;
    const { queue, warnings } = open(path).read();
    return summaryOf(queue, { workspace, name, href, file, warnings: warnings.map((text) => `${file}: ${text}`) });
  };
  const view = (found: ReturnType<typeof place>, guess: boolean): QueueView => {
    const { queue } = open(found.path).read();
    return { queue: summary(found), open: openItems(queue, guess), done: doneItems(queue) };
  };
  /** The item that an act is about, as the client saw it, or a refusal that says what happened meanwhile. */
  const subject = (found: ReturnType<typeof existing>, act: Act) => {
    const entry = found.queueFile.read().queue.entries.get(act.key);
    if (entry === undefined) throw missing(act.key, found.name);
    if (entry.rev !== act.rev) {
      const { answer, skipped } = itemView(entry, true);
      const now = answer !== null ? `answered \`${answer.label}\` by ${answer.by}` : skipped ? "skipped" : "opened again";
      throw new RequestError(409, "stale", `Meanwhile this item was ${now} in another window; what you pressed was not kept.`);
    }
    return entry;
  };

  const remark = (workspace: string, name: string, line: ReviewLine & { key: string }): QueueView => {
    const found = existing(workspace, name);
    if (!found.queueFile.read().queue.entries.has(line.key)) throw missing(line.key, name);
    found.queueFile.append([line]);
    return view(found, false);
  };

  return {
    list(workspaces) {
      return workspaces.flatMap((workspace) => {
        const folder = join(folderOf(root, workspace), "data", "review");
        if (!existsSync(folder)) return [];
        return readdirSync(folder)
          .filter((entry) => /^[A-Za-z0-9_][\w-]{0,62}\.ndjson$/.test(entry))
          .sort()
          .map((entry) => summary(place(workspace, entry.slice(0, -".ndjson".length))));
      });
    },
    view: (workspace, name, guess) => view(existing(workspace, name), guess),
    create(workspace, name, labels) {
      const found = place(workspace, name);
      if (!existsSync(found.folder)) throw new RequestError(404, "not-found", `There is no workspace ${workspace}.`);
      open(found.path).append([{ type: "queue", at: at(), title: existsSync(found.path) ? "" : name, choices: choicesOf(labels) }]);
      return view(found, false);
    },
    send(workspace, step, page, source) {
      const found = place(workspace, step.queue);
      const { entries } = open(found.path).read().queue;
      const rows = itemsOf(page);
      const lines = rows.map(({ key, record, guess }): ReviewLine => ({
        ...{ type: "item", at: at(), key, record, reason: step.reason, probability: step.probability, guess },
        from: { ...source, batch: step.batch },
      }));
      const fresh = lines.filter((line) => line.type === "item" && !entries.has(line.key));
      for (const line of fresh) {
        const { length } = JSON.stringify(line);
        if (length > longest)
          throw new RequestError(
            413,
            "too-large",
            `A row is ${(length / 2 ** 20).toFixed(0)} MB long: a queue takes rows of at most 4 MB. Leave out its longest column.`,
          );
      }
      if (fresh.length > 0) open(found.path).append(fresh);
      const { waiting, href } = summary(found);
      return { workspace, queue: step.queue, href, added: fresh.length, already: lines.length - fresh.length, waiting };
    },
    answer(workspace, name, { key, rev, by, use, label, guessSeen, ms }) {
      const found = existing(workspace, name);
      subject(found, { key, rev, by });
      found.queueFile.append([{ type: "answer", at: at(), key, use, label, by, guessSeen, ms }]);
      return view(found, false);
    },
    skip(workspace, name, act) {
      const found = existing(workspace, name);
      if (subject(found, act).acts.at(-1)?.type === "answer") throw new RequestError(409, "answered", "This item is answered; undo that first.");
      found.queueFile.append([{ type: "skip", at: at(), key: act.key, by: act.by }]);
      return view(found, false);
    },
    undo(workspace, name, act) {
      const found = existing(workspace, name);
      if (subject(found, act).acts.length === 0) throw new RequestError(409, "nothing", "There is nothing to undo on this item.");
      found.queueFile.append([{ type: "undo", at: at(), key: act.key, by: act.by }]);
      return view(found, false);
    },
    note: (workspace, name, { key, by, text }) => remark(workspace, name, { type: "note", at: at(), key, by, text }),
    flag: (workspace, name, { key, by, flagged }) => remark(workspace, name, { type: "flag", at: at(), key, by, flagged }),
  };
}

/**
 * Rows as items, in an order that says nothing: that of their keys. A row's key is the hash of what it holds, and its number among equal ones; of a prediction
 * log it is the request's id and row, the record is what was sent, and the answer is the guess.
 */
export function itemsOf(page: TablePage): { key: string; record: Record<string, WireValue>; guess: WireValue }[] {
  const at = (name: string): number => page.columns.findIndex((column) => column.name === name);
  const log = ["id", "row", "record", "prediction"].every((name) => at(name) >= 0);
  const seen = new Map<string, number>();
  return page.rows
    .map((row) => {
      const record = log ? plain(row[at("record")]!) : Object.fromEntries(page.columns.map(({ name }, i) => [name, row[i]!]));
      const identity = log
        ? JSON.stringify([row[at("id")], row[at("row")]])
        : JSON.stringify(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
      const hash = createHash("sha256").update(identity).digest("hex").slice(0, 32);
      const n = seen.get(hash) ?? 0;
      seen.set(hash, n + 1);
      return { key: n === 0 ? hash : `${hash}#${n}`, record, guess: log ? parsed(row[at("prediction")]!) : null };
    })
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** JSON columns come as their text. */
function parsed(value: WireValue): WireValue {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value) as WireValue;
  } catch {
    return value;
  }
}
function plain(value: WireValue): Record<string, WireValue> {
  const found = parsed(value);
  return typeof found === "object" && found !== null && !Array.isArray(found) ? found : { record: found };
}
