/** Runs a whole notebook in a session of its own and gives the state that it ends in. */
import type { NotebookSource, NotebookState } from "../../kernels/protocol/document.js";
import type { Session } from "./session.js";

/** `source`: what must be run; a file that says something else is refused. */
export async function runClean(session: Session, source: NotebookSource, told: (done: number) => void): Promise<NotebookState> {
  const text = (one: NotebookSource) => JSON.stringify(one.cells.map(({ id, kind, source }) => [id, kind, source]));
  if (text(session.state.source) !== text(source)) throw new Error("the file differs from what is shown; save it first");
  let reject: (error: Error) => void = () => {};
  const over = new Promise<void>((resolve, fail) => {
    reject = fail;
    session.listen((event, state) => {
      if (state.kernel.state === "dead") fail(new Error(`the clean run's kernel stopped: ${state.kernel.death?.cause ?? "no reason known"}`));
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
