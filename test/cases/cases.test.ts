/**
 * Golden notebooks: each folder's notebook.nb.ts runs in a real kernel and is compared with expected.json as a whole. A missing expected.json is written,
 * except where CI=true; a difference is left beside it as expected-changed.json. steps.json (default: run all) is a list of commands; `when` names a
 * cell that must be at work first.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { packageRoot } from "../../kernels/paths/paths.js";
import type { Command } from "../../kernels/protocol/document.js";
import { silent } from "../../server/log.js";
import type { Session } from "../../server/sessions/session.js";
import { createSessions } from "../../server/sessions/sessions.js";
import { normal } from "./normal.js";

interface Step {
  command: Exclude<Command, { do: "call" } | { do: "flush" } | { do: "language" }>;
  /** sent while this cell runs and has shown something; else once nothing runs */
  when?: string;
}

const here = join(packageRoot(), "test", "cases");
const root = mkdtempSync(join(tmpdir(), "touchstone-cases-"));
// npm imports resolve upward from the notebook
symlinkSync(join(packageRoot(), "node_modules"), join(root, "node_modules"), "junction");
const sessions = createSessions({
  ...{ root, log: silent, keep: false, watch: false, spare: true },
  handle: (method) => Promise.reject(new Error(`no answer for ${method}`)),
});
afterAll(async () => {
  await sessions.close();
  rmSync(root, { recursive: true, force: true });
});

/** Resolves when the session's state fits. */
function until(session: Session, fits: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!fits()) return;
      stop();
      resolve();
    };
    const stop = session.listen(() => setImmediate(look));
    look();
  });
}

const atWork = ({ state }: Session, cell: string): boolean => state.cells[cell]?.status === "running" && (state.outputs[cell] ?? []).length > 0;

async function runCase(name: string): Promise<unknown> {
  const folder = join(root, "workspaces", name);
  mkdirSync(folder, { recursive: true });
  cpSync(join(here, name), folder, { recursive: true, filter: (path) => !/expected.*\.json$|steps\.json$/.test(path) });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name, private: true }));
  const session = sessions.open(`workspaces/${name}/notebook.nb.ts`);
  const script = join(here, name, "steps.json");
  const steps = existsSync(script) ? (JSON.parse(readFileSync(script, "utf8")) as Step[]) : [{ command: { do: "run-all" } as const }];
  for (const { command, when } of steps as Step[]) {
    await until(session, () => (when === undefined ? !session.busy : atWork(session, when)));
    const refused = await session.command(command);
    if (refused !== null) throw new Error(refused.message);
  }
  await until(session, () => !session.busy && session.state.kernel.state !== "busy");
  const found = normal(session.state, folder);
  await session.command({ do: "shutdown" });
  return found;
}

describe("golden notebooks", () => {
  const cases = readdirSync(here, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const { name } of cases) {
    it(name, async () => {
      const found = await runCase(name);
      const file = join(here, name, "expected.json");
      const changed = join(here, name, "expected-changed.json");
      const text = `${JSON.stringify(found, null, 2)}\n`;
      rmSync(changed, { force: true });
      if (!existsSync(file)) {
        expect(process.env["CI"], `${name} has no expected.json: run the test without CI=true, read what it writes, and commit it`).not.toBe("true");
        writeFileSync(file, text);
        return;
      }
      const expected: unknown = JSON.parse(readFileSync(file, "utf8"));
      if (JSON.stringify(expected) !== JSON.stringify(found)) writeFileSync(changed, text);
      expect(found, `see test/cases/${name}/expected-changed.json`).toEqual(expected);
    });
  }
});
