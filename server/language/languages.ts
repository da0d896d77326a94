/**
 * Language services of this server, one process a workspace: started by the first question, told every edit as operations, restarted
 * after a death with growing pauses, ended when nobody asks. Notebooks never wait for it.
 */
import type { Completions, Hover, LanguageAnswer, LanguageQuestion, LanguageState } from "../../kernels/protocol/language.js";
import type { NotebookEvent, NotebookState } from "../../kernels/protocol/document.js";
import type { Log } from "../log.js";
import type { NotebookPlace } from "../sessions/paths.js";
import { LanguageError, startLanguage, type LanguageProcess } from "./process.js";

/** What is needed of a session. */
export interface LanguageNotebook {
  readonly place: NotebookPlace;
  readonly state: NotebookState;
  listen(listener: (event: NotebookEvent) => void): () => void;
  /** tells the clients how the service does, and what it found */
  language(language: LanguageState): void;
}

/** The question is about code that has changed since: ask again with the newer revision. */
export class StaleQuestion extends Error {}

export interface Languages {
  /** `rev`: the document that the asker saw. Throws a StaleQuestion or a LanguageError. */
  ask(
    notebook: LanguageNotebook,
    client: string,
    question: LanguageQuestion,
    rev: number,
    signal?: AbortSignal,
  ): Promise<{ rev: number; value: LanguageAnswer }>;
  /** what may stand at `cursor` (UTF-16) in code that is not in the notebook, as a console's is */
  complete(notebook: LanguageNotebook, code: string, cursor: number): Promise<Completions>;
  inspect(notebook: LanguageNotebook, code: string, cursor: number): Promise<Hover | null>;
  /** the notebook is closed */
  drop(notebook: LanguageNotebook): void;
  /** process ids, for tests and `doctor` */
  pids(): number[];
  close(): void;
}

interface Open {
  notebook: LanguageNotebook;
  /** its cells were sent to the present process */
  sent: boolean;
  watched: boolean;
  /** cell -> revision of its last change */
  changed: Map<string, number>;
  /** questions on their way; `all`: about every cell */
  asked: Set<{ cell: string; all: boolean; stop: AbortController }>;
  unlisten(): void;
}
interface Service {
  process: LanguageProcess | null;
  ready: boolean;
  open: Map<LanguageNotebook, Open>;
  deaths: number;
  /** no new process before this time */
  notBefore: number;
  usedAt: number;
  restart: NodeJS.Timeout | null;
}

export function createLanguages(options: {
  log: Log;
  /** ms without a question until a process ends */ idle?: number;
  start?: typeof startLanguage;
}): Languages {
  const { log, idle = 15 * 60_000, start = startLanguage } = options;
  const services = new Map<string, Service>();

  const tell = (open: Open, part: Partial<LanguageState>): void => {
    const { why: _, ...before } = open.notebook.state.language;
    open.notebook.language({ ...before, ...part });
  };
  const tellAll = (service: Service, part: Partial<LanguageState>): void => {
    for (const open of service.open.values()) if (open.watched) tell(open, part);
  };

  const serviceOf = (workspace: string): Service => {
    let service = services.get(workspace);
    if (service === undefined)
      services.set(
        workspace,
        (service = { process: null, ready: false, open: new Map(), deaths: 0, notBefore: 0, usedAt: Date.now(), restart: null }),
      );
    return service;
  };

  const openOf = (service: Service, notebook: LanguageNotebook): Open => {
    let open = service.open.get(notebook);
    if (open !== undefined) return open;
    const changed = new Map<string, number>();
    const asked: Open["asked"] = new Set();
    open = {
      notebook,
      sent: false,
      watched: false,
      changed,
      asked,
      unlisten: notebook.listen((event) => {
        if (event.type !== "ops") return;
        for (const op of event.ops) {
          if (op.op === "replace") for (const cell of op.source.cells) changed.set(cell.id, event.rev);
          else if (op.op === "edit" || op.op === "kind" || op.op === "delete") changed.set(op.id, event.rev);
        }
        // whoever asked about the text before has moved on
        for (const one of asked) if (one.all || changed.get(one.cell) === event.rev) one.stop.abort();
        if (service.open.get(notebook)?.sent === true)
          service.process?.send({ type: "ops", notebook: notebook.place.file, rev: event.rev, ops: event.ops });
      }),
    };
    service.open.set(notebook, open);
    return open;
  };

  const run = (workspace: string, service: Service): LanguageProcess => {
    if (service.process !== null) return service.process;
    const wait = service.notBefore - Date.now();
    if (wait > 0) throw new LanguageError(`The language service stopped; it starts again in ${Math.ceil(wait / 1000)} s.`);
    service.ready = false;
    const child = start({
      ready: () => {
        service.ready = true;
        tellAll(service, { state: "ready" });
      },
      problems: ({ notebook: file, rev, problems }) => {
        service.deaths = 0;
        for (const open of service.open.values())
          if (open.notebook.place.file === file && open.notebook.state.rev === rev) tell(open, { state: "ready", problems });
      },
    });
    service.process = child;
    tellAll(service, { state: "starting" });
    void child.ended.then((why) => {
      if (service.process !== child) return;
      service.process = null;
      for (const open of service.open.values()) open.sent = false;
      if (why === null) return tellAll(service, { state: "off" });
      const pause = Math.min(60_000, 1000 * 2 ** service.deaths++);
      service.notBefore = Date.now() + pause;
      log.warn({ workspace, why }, "language service ended");
      tellAll(service, { state: "dead", why: `${why}; it starts again in ${pause / 1000} s` });
      // those who watch get their problems again by themselves
      service.restart = setTimeout(() => {
        for (const open of service.open.values()) if (open.watched) void problems(open).catch(() => undefined);
      }, pause + 50);
      service.restart.unref();
    });
    return child;
  };

  const ask: Languages["ask"] = async (notebook, client, question, rev, signal) => {
    const { workspace, file } = notebook.place;
    const service = serviceOf(workspace);
    const open = openOf(service, notebook);
    service.usedAt = Date.now();
    const cell = "cell" in question ? question.cell : "";
    const stale = () => new StaleQuestion("The cell has changed meanwhile.");
    if ((open.changed.get(cell) ?? 0) > rev) throw stale();
    if (question.ask === "problems") open.watched = true;
    const child = run(workspace, service);
    if (!open.sent) {
      open.sent = true;
      child.send({ type: "open", notebook: file, workspace, rev: notebook.state.rev, cells: notebook.state.source.cells });
    }
    const stop = new AbortController();
    const all = question.ask === "rename" || question.ask === "references";
    const one = { cell, all, stop };
    // letters typed behind a completion narrow it down: it stays wanted
    if (question.ask !== "complete") open.asked.add(one);
    const signals = signal === undefined ? stop.signal : AbortSignal.any([stop.signal, signal]);
    const answer = await child
      .ask({ client, notebook: file, question }, signals)
      .catch((error: unknown) => {
        throw stop.signal.aborted && error instanceof LanguageError && error.superseded ? stale() : error;
      })
      .finally(() => open.asked.delete(one));
    // its places would be wrong in what the asker sees by now
    if (all ? notebook.state.rev > answer.rev : (open.changed.get(cell) ?? 0) > answer.rev) throw stale();
    return answer;
  };

  const problems = async (open: Open): Promise<void> => {
    if (open.notebook.state.language.state !== "ready") tell(open, { state: "starting" });
    const { value } = await ask(open.notebook, "server", { ask: "problems" }, open.notebook.state.rev);
    tell(open, { state: "ready", problems: value as LanguageState["problems"] });
  };

  const timer = setInterval(
    () => {
      for (const service of services.values()) if (service.process !== null && Date.now() - service.usedAt > idle) service.process.stop();
    },
    Math.min(60_000, idle),
  );
  timer.unref();

  return {
    async ask(notebook, client, question, rev, signal) {
      if (question.ask !== "problems") return ask(notebook, client, question, rev, signal);
      const open = openOf(serviceOf(notebook.place.workspace), notebook);
      open.watched = true;
      await problems(open);
      return { rev: notebook.state.rev, value: notebook.state.language.problems };
    },
    complete: async (notebook, code, cursor) =>
      (await ask(notebook, "console", { ask: "complete", cell: "", at: cursor, code }, notebook.state.rev)).value as Completions,
    inspect: async (notebook, code, cursor) =>
      (await ask(notebook, "console", { ask: "hover", cell: "", at: cursor, code }, notebook.state.rev)).value as Hover | null,
    drop(notebook) {
      const service = services.get(notebook.place.workspace);
      const open = service?.open.get(notebook);
      if (service === undefined || open === undefined) return;
      open.unlisten();
      service.open.delete(notebook);
      if (open.sent) service.process?.send({ type: "close", notebook: notebook.place.file });
    },
    pids: () => [...services.values()].flatMap(({ process }) => process?.pid ?? []),
    close() {
      clearInterval(timer);
      for (const service of services.values()) {
        if (service.restart !== null) clearTimeout(service.restart);
        service.process?.stop();
      }
      services.clear();
    },
  };
}
