/** The notebooks of one workspace: questions one after the other, findings about the code in the pauses. */
import { performance } from "node:perf_hooks";
import ts from "typescript";
import { packageRoot } from "../paths/paths.js";
import type { CodeProblem, FromLanguage, LanguageAnswer, LanguageAnswers, ToLanguage } from "../protocol/language.js";
import { answer, type QuickQuestion } from "./answer.js";
import { describeAll } from "./describe.js";
import { problemsOf } from "./problems.js";
import { createProject, type Project } from "./project.js";
import { createSchemas, type Schemas } from "./schemas.js";
import { beats, same, urgent, type Ask, type Work } from "./work.js";

export interface Service {
  receive(message: ToLanguage): void;
  close(): Promise<void>;
}

interface Notebook {
  project: Project;
  schemas: Schemas;
  /** problems are wanted, and told when they change */
  watched: boolean;
  /** of the document whose SQL is described and whose cells are checked */
  describedRev: number;
  sql: Map<string, CodeProblem[]>;
  told: string;
  timer: NodeJS.Timeout | null;
}
/** ms of quiet before the code is checked */
const quiet = 250;
/** ms for one question; an answer later than that serves nobody */
const patience = 20_000;

/** ms between two looks at what came meanwhile */
const look = 2;

/** `poll` gives what has come and was not received yet, one after the other: it is asked while TypeScript is at work. */
export function createService(tell: (message: FromLanguage) => void, poll: () => ToLanguage | undefined = () => undefined): Service {
  const registry = ts.createDocumentRegistry(true);
  const notebooks = new Map<string, Notebook>();
  const schemas = new Map<string, Schemas>();
  let queue: Ask[] = [];
  let working = false;
  let closed = false;

  const refuse = (id: number, why: "superseded" | "failed", message: string) => tell({ type: "answer", id, ok: false, why, message });
  const pause = () => new Promise<void>((resolve) => setImmediate(() => resolve(drain())));

  /** what was seen while TypeScript was at work */
  let inbox: ToLanguage[] = [];
  const drain = (): void => {
    const came = inbox;
    inbox = [];
    came.forEach(take);
  };
  let work: Work | null = null;
  let nextLook = 0;
  /** Asked by TypeScript: is there something better to do? */
  const cancelled = (): boolean => {
    if (work === null) return false;
    const now = performance.now();
    if (work.cut !== null || now < nextLook) return work.cut !== null;
    nextLook = now + look;
    for (let message = poll(); message !== undefined; message = poll()) {
      inbox.push(message);
      work.cut ??= beats(message, work);
    }
    if (now > work.until) work.cut ??= "late";
    return work.cut !== null;
  };

  const describe = async (notebook: Notebook): Promise<void> => {
    const { rev } = notebook.project;
    if (notebook.describedRev === rev) return;
    const found = await describeAll(notebook.project, notebook.schemas, () => closed || notebook.project.rev !== rev);
    if (notebook.project.rev !== rev) return;
    notebook.sql = found;
    notebook.describedRev = rev;
  };

  /** What TypeScript says against a cell; null when something better came. */
  const findingsIn = (project: Project, cell: string): CodeProblem[] | null => {
    // a question that waits for DuckDB goes on after this
    const before = work;
    work = { notebook: project.notebook, ask: null, until: Infinity, cut: null };
    try {
      return problemsOf(project, cell);
    } catch (error) {
      if (error instanceof ts.OperationCanceledException) return null;
      throw error;
    } finally {
      work = before;
    }
  };

  /** Problems of every cell; null when the document changed meanwhile. */
  const check = async (notebook: Notebook, between: () => Promise<void>): Promise<Record<string, CodeProblem[]> | null> => {
    const { project } = notebook;
    const { rev } = project;
    await describe(notebook);
    const problems: Record<string, CodeProblem[]> = {};
    for (const cell of project.cells()) {
      let found: CodeProblem[] | null = null;
      while (found === null) {
        if (closed || project.rev !== rev) return null;
        project.sync();
        found = findingsIn(project, cell.id);
        await between();
      }
      found = [...found, ...(notebook.sql.get(cell.id) ?? [])];
      if (found.length > 0) problems[cell.id] = found.slice(0, 100);
    }
    return project.rev === rev ? problems : null;
  };

  /** questions of a person come first */
  const turn = async () => {
    do await pause();
    while (working || queue.length > 0);
  };

  /** All findings, however long they take: a first look at a large notebook loads the types of its libraries. */
  const findings = async ({ id, notebook: path }: Ask): Promise<void> => {
    const notebook = notebooks.get(path);
    if (notebook === undefined) return refuse(id, "failed", "The notebook is not open in the language service.");
    notebook.watched = true;
    try {
      let value: LanguageAnswers["problems"] | null = null;
      while (value === null && !closed && notebooks.get(path) === notebook) value = await check(notebook, turn);
      if (value === null) return refuse(id, "superseded", "The notebook was closed.");
      notebook.told = JSON.stringify(value);
      tell({ type: "answer", id, ok: true, rev: notebook.project.rev, value });
    } catch (error) {
      refuse(id, "failed", `The language service failed: ${(error as Error).message}`);
    }
  };

  const later = (notebook: Notebook, wait = quiet): void => {
    if (notebook.timer !== null) clearTimeout(notebook.timer);
    notebook.timer = setTimeout(() => {
      notebook.timer = null;
      void (async () => {
        await turn();
        const problems = await check(notebook, turn);
        if (problems === null) return closed || notebook.timer !== null ? undefined : later(notebook);
        const text = JSON.stringify(problems);
        if (text === notebook.told || !notebook.watched) return;
        notebook.told = text;
        tell({ type: "problems", notebook: notebook.project.notebook, rev: notebook.project.rev, problems });
      })().catch(() => undefined);
    }, wait);
  };

  const ask = async (asked: Ask): Promise<void> => {
    const { id, notebook: path, question } = asked;
    const notebook = notebooks.get(path);
    if (notebook === undefined) return refuse(id, "failed", "The notebook is not open in the language service.");
    const { project } = notebook;
    const mine: Work = { notebook: path, ask: asked, until: performance.now() + patience, cut: null };
    work = mine;
    try {
      const value: LanguageAnswer = await answer(project, notebook.schemas, question as QuickQuestion, (cell) =>
        // its places are of the text that was described
        notebook.describedRev === project.rev ? (notebook.sql.get(cell) ?? []) : [],
      );
      tell({ type: "answer", id, ok: true, rev: project.rev, value });
    } catch (error) {
      const late = error instanceof ts.OperationCanceledException;
      if (late && mine.cut === "later") return void queue.unshift(asked);
      if (late && mine.cut === "superseded") return refuse(id, "superseded", "It is not wanted any more.");
      const known = error instanceof RangeError;
      refuse(
        id,
        "failed",
        late ? "The language service took too long." : known ? error.message : `The language service failed: ${(error as Error).message}`,
      );
    } finally {
      work = null;
    }
  };

  const answerAll = async (): Promise<void> => {
    if (working) return;
    working = true;
    // what came in the same piece of the stream may supersede it
    await pause();
    while (queue.length > 0) {
      const next = queue.find(urgent) ?? queue[0]!;
      queue = queue.filter((one) => one !== next);
      await ask(next);
      // what came meanwhile may take questions back
      await pause();
    }
    working = false;
  };

  const take = (message: ToLanguage): void => {
    switch (message.type) {
      case "open": {
        let described = schemas.get(message.workspace);
        if (described === undefined) schemas.set(message.workspace, (described = createSchemas(message.workspace, packageRoot())));
        const known = notebooks.get(message.notebook);
        const project = known?.project ?? createProject({ ...message, registry, cancelled });
        project.set(message.cells);
        project.rev = message.rev;
        const notebook = known ?? {
          project,
          schemas: described,
          watched: false,
          describedRev: -1,
          sql: new Map<string, CodeProblem[]>(),
          told: "{}",
          timer: null,
        };
        notebooks.set(message.notebook, notebook);
        return later(notebook, 0);
      }
      case "ops": {
        const notebook = notebooks.get(message.notebook);
        if (notebook === undefined) return;
        notebook.project.apply(message.ops);
        notebook.project.rev = message.rev;
        return later(notebook);
      }
      case "close": {
        const notebook = notebooks.get(message.notebook);
        notebooks.delete(message.notebook);
        if (notebook?.timer != null) clearTimeout(notebook.timer);
        notebook?.project.dispose();
        return;
      }
      case "ask": {
        if (message.question.ask === "problems") return void findings(message);
        const older = queue.filter((one) => same(one, message));
        for (const one of older) refuse(one.id, "superseded", "A newer question came.");
        queue = [...queue.filter((one) => !older.includes(one)), message];
        return void answerAll();
      }
      case "cancel": {
        const one = queue.find((each) => each.id === message.id);
        queue = queue.filter((each) => each !== one);
        if (one !== undefined) refuse(one.id, "superseded", "It is not wanted any more.");
      }
    }
  };

  return {
    receive(message) {
      drain();
      take(message);
    },
    async close() {
      closed = true;
      for (const notebook of notebooks.values()) {
        if (notebook.timer !== null) clearTimeout(notebook.timer);
        notebook.project.dispose();
      }
      await Promise.all([...schemas.values()].map((one) => one.close()));
    },
  };
}
