/** A notebook beside a clean run of it, in a session of its own. A cell that asks a person ends it: nobody is there to answer. */
import type { CleanRun, NotebookSource, NotebookState } from "../../kernels/protocol/document.js";
import { compareOutputs } from "./compare.js";
import type { Session } from "./session.js";

/** what `prompt()` fails with in a clean run */
export const unanswered = "prompt() asks a person, and a clean run has nobody to answer";

/** The first cell that failed because it asked, in words. */
function asking({ source, cells, outputs }: NotebookState): string | null {
  const at = source.cells.findIndex(
    ({ id }) => cells[id]?.result === "error" && outputs[id]?.some((output) => output.kind === "error" && output.error.message === unanswered),
  );
  if (at < 0) return null;
  return `cell ${at + 1} \`${source.cells[at]!.id}\` asks for input with prompt(), and nobody is there to answer. Give the value in the code, or read it from the environment`;
}

/** Runs the whole notebook and gives the state that it ends in. `source`: what must be run; a file that says something else is refused. */
async function runClean(session: Session, source: NotebookSource, told: (done: number) => void): Promise<NotebookState> {
  const text = (one: NotebookSource) => JSON.stringify(one.cells.map(({ id, kind, source }) => [id, kind, source]));
  if (text(session.state.source) !== text(source)) throw new Error("the file differs from what is shown; save it first");
  let reject: (error: Error) => void = () => {};
  const over = new Promise<void>((resolve, fail) => {
    reject = fail;
    session.listen((event, state) => {
      const asks = event.type === "cells" ? asking(state) : null;
      if (asks !== null) fail(new Error(asks));
      else if (state.kernel.state === "dead") fail(new Error(`the clean run's kernel stopped: ${state.kernel.death?.cause ?? "no reason known"}`));
      else if (!session.busy) setImmediate(resolve);
      else if (event.type === "cells") told(session.done);
    });
  });
  const refused = await session.command({ do: "run-all" });
  if (refused !== null) reject(new Error(refused.message));
  else if (session.busy) await over;
  if (refused !== null) await over;
  return session.state;
}

/** Tells how the clean run goes, and in the end which outputs differ from those of `session`. */
export async function compareWithClean(
  session: Session,
  begun: CleanRun,
  second: () => Promise<Session>,
  tell: (clean: CleanRun) => void,
  now: () => number,
): Promise<void> {
  try {
    const state = await runClean(await second(), session.state.source, (done) => tell({ ...begun, done }));
    const shown = session.state;
    const differences = shown.source.cells.flatMap(({ id, kind }) => {
      const clean = state.cells[id];
      if (clean === undefined || clean.result === "none") return [];
      const differs = compareOutputs(kind, shown.outputs[id] ?? [], state.outputs[id] ?? []);
      return differs === null ? [] : [{ cell: id, ...differs }];
    });
    tell({ ...begun, status: "done", at: now(), done: begun.total, differences });
  } catch (error) {
    tell({ ...begun, status: "failed", at: now(), why: (error as Error).message });
  }
}
