/**
 * What is killed: `ROOT COUNT` edits a notebook COUNT times, each edit also adding a cell, with edits made while the file is written and one journal begun anew.
 * `did N` is printed before an edit, `saved N` once what the session acknowledges as saved holds edit N.
 */
import { writeSync } from "node:fs";
import type { Operation } from "../../kernels/protocol/document.js";
import type { Log } from "../../server/log.js";
import { placeOf } from "../../server/sessions/paths.js";
import { Session, type SessionEffects } from "../../server/sessions/session.js";

export const notebook = "workspaces/demo/a.nb.ts";

/** A session without kernel, watcher or clients. */
export function openSession(root: string, step?: (name: string) => void): Session {
  const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined } as unknown as Log;
  const effects: SessionEffects = {
    ...{
      root,
      log: quiet,
      now: Date.now,
      memoryLimit: 1 << 30,
      backend: null,
      quiet: 0,
      rest: 1,
      sync: 1,
      watch: false,
      keep: true,
      seed: null,
      languages: null,
      redact: (text: string) => text,
    },
    takeKernel: () => Promise.reject(new Error("no kernel here")),
    handle: () => Promise.reject(new Error("no serving here")),
    ...(step === undefined ? {} : { step }),
  };
  return new Session(placeOf(root, notebook), effects);
}

/** Edit N: cell `a` says N, and a cell `nN` is added. */
export function edit(session: Session, n: number): void {
  const { cells } = session.state.source;
  const old = cells.find((cell) => cell.id === "a")!.source;
  const ops: Operation[] = [
    { op: "edit", id: "a", at: 0, remove: old.length, insert: `print ${n}` },
    { op: "insert", after: cells.at(-1)!.id, cell: { id: `n${n}`, kind: "code", source: `print ${n} ${"x".repeat(50)}`, options: {} } },
  ];
  // performed before it returns
  void session.command({ do: "ops", ops }).then((refused) => {
    if (refused) throw new Error(refused.message);
  });
}

const [root, count] = process.argv.slice(2);
if (root !== undefined && count !== undefined && process.env["TOUCHSTONE_KILL_AT"] !== undefined) {
  let left = Number(process.env["TOUCHSTONE_KILL_AT"]);
  const say = (line: string): void => void writeSync(1, `${line}\n`);
  let next = 1;
  let session: Session | null = null;
  const one = (): void => {
    say(`did ${next}`);
    edit(session!, next++);
  };
  session = openSession(root, (name) => {
    if (left > 0 && --left === 0) process.kill(process.pid, "SIGKILL");
    // somebody types while the file is written
    if (name === "write file" && next <= Number(count)) one();
  });
  while (next <= Number(count)) {
    one();
    const least = next - 1;
    await session.flush();
    say(`saved ${least}`);
  }
  await session.close();
  say(`saved ${next - 1}`);
  process.exit(0);
}
