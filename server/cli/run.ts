/** `touchstone run FILE`: the whole notebook in a fresh kernel by the session's own code, its sentences, and an exit code. */
import type { NotebookEvent, NotebookState } from "../../kernels/protocol/document.js";
import { mime, type CellError, type FindingView, type Output } from "../../kernels/protocol/output.js";
import type { Proposal } from "../../kernels/protocol/serving.js";
import type { RegistryPort } from "../effects.js";
import { silent } from "../log.js";
import { isText } from "../sessions/plan.js";
import type { Session } from "../sessions/session.js";
import { createSessions } from "../sessions/sessions.js";
import { Failure } from "./failure.js";
import { findNotebook } from "./notebook.js";
import { findOwner } from "./root.js";
import { ownRegistry, remoteRegistry } from "./serving.js";

export interface RunOptions {
  file: string;
  promote: boolean;
  seed: number | null;
  /** control -> value, as given */
  set: Record<string, string>;
  say(text: string): void;
  /** told when all has run, while the kernel still lives */
  done?(session: Session, root: string): Promise<void>;
  /** a line that the next one replaces; null where the output is no terminal */
  live: ((text: string) => void) | null;
}

/** 0; 1 a cell failed; 2 a gate failed; 130 stopped. */
export async function run({ file, promote, seed, set, say, live, done }: RunOptions): Promise<number> {
  const notebook = findNotebook(file);
  const owner = await findOwner(notebook.root);
  const registry: RegistryPort = owner === null ? ownRegistry(notebook.root) : remoteRegistry(owner);
  const sessions = createSessions({
    root: notebook.root,
    log: silent,
    handle: (method, params) => registry.handle(method, params),
    spare: false,
    watch: false,
    keep: false,
    seed,
    set,
  });
  let stopped = false;
  const onSignal = () => {
    if (stopped) process.exit(130);
    stopped = true;
    void sessions.open(notebook.path).command({ do: "shutdown" });
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, onSignal);
  try {
    const session = sessions.open(notebook.path);
    const began = Date.now();
    say(session.state.source.front.title ?? notebook.path);
    const total = session.state.source.cells.filter((cell) => !isText(cell) && cell.source.trim() !== "" && cell.options.disabled !== true).length;
    await new Promise<void>((resolve, reject) => {
      const tell = reporter(total, say, live);
      session.listen((event, state) => {
        tell(event, state);
        if (!session.busy || stopped) setImmediate(resolve);
      });
      session.command({ do: "run-all", promote: true }).then((refused) => {
        if (refused !== null) reject(new Failure(1, refused.message));
        if (!session.busy) resolve();
      }, reject);
    });
    if (stopped) {
      say("stopped");
      return 130;
    }
    const unknown = unknownControls(set, session.state);
    if (unknown !== null) throw new Failure(64, unknown);
    await done?.(session, notebook.root);
    return await conclude(session.state, { promote, registry, say, seconds: (Date.now() - began) / 1000 });
  } finally {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, onSignal);
    await sessions.close();
    await registry.close();
  }
}

/** Lines as cells begin, show and end. */
function reporter(total: number, say: (text: string) => void, live: RunOptions["live"]): (event: NotebookEvent, state: NotebookState) => void {
  let done = 0;
  const over = new Set<string>();
  const told = new Map<string, string>();
  const head = (id: string, number: number) => `[${number}/${total}] ${id}`;
  const end = (id: string, state: NotebookState) => {
    const cell = state.cells[id]!;
    done++;
    const seconds = ((cell.elapsedMs ?? 0) / 1000).toFixed(1);
    const because = cell.result === "cancelled" && cell.blockedBy !== null ? `: ${cell.blockedBy} failed` : "";
    say(`${head(id, done)}  ${cell.result === "cancelled" ? "not run" : cell.result}${because}  ${seconds} s`);
    for (const warning of cell.warnings) say(`    warning: ${warning}`);
    for (const view of findings(state.outputs[id])) {
      say(`    ${view.sentence}`);
      for (const warning of view.warnings) say(`    warning: ${warning}`);
      for (const gate of view.proposal?.gates ?? []) say(`    gate ${gate.name}: ${gate.verdict} - ${gate.sentence}`);
    }
    for (const output of state.outputs[id] ?? []) if (output.kind === "error") for (const line of describe(output.error)) say(`    ${line}`);
  };
  return (event, state) => {
    if (event.type === "notice" && event.level !== "info") say(`    ${event.text}`);
    if (event.type === "outputs") {
      for (const output of event.outputs) if (output.kind === "stream") for (const line of lines(output.text)) say(`    ${event.cell} | ${line}`);
      return;
    }
    if (event.type !== "cells") return;
    for (const [id, cell] of Object.entries(event.cells)) {
      if (cell === null) continue;
      if (cell.run !== null && cell.status !== "running" && cell.result !== "none" && !over.has(cell.run)) {
        over.add(cell.run);
        end(id, state);
      } else if (cell.status === "running" && cell.progress !== null) {
        const { label, eta } = cell.progress;
        const text = `${head(id, done + 1)}  ${label}${eta === null ? "" : `, about ${Math.ceil(eta)} s left`}`;
        if (live !== null) live(text);
        else if (told.get(id) !== label) say(text);
        told.set(id, label);
      } else if (cell.status === "running" && live !== null) live(`${head(id, done + 1)}  running`);
    }
  };
}

/** Names that were set and no control has; null: there are none. */
function unknownControls(set: Record<string, string>, { cells, controls }: NotebookState): string | null {
  const known = new Set(Object.values(controls).flatMap((list) => list.map(({ key }) => key)));
  const missing = Object.keys(set).filter((name) => !known.has(name));
  // a cell that failed may have come to no control
  if (missing.length === 0 || Object.values(cells).some(({ result }) => result !== "ok" && result !== "none")) return null;
  const there = known.size === 0 ? "The notebook has none." : `There are: ${[...known].join(", ")}.`;
  return `No control is named ${missing.map((name) => JSON.stringify(name)).join(", ")}. ${there}`;
}

const lines = (text: string) => text.replace(/\n$/, "").split("\n");

export function findings(outputs: readonly Output[] = []): FindingView[] {
  return outputs.flatMap((output) =>
    output.kind === "display" && output.data[mime.finding] !== undefined ? [output.data[mime.finding] as FindingView] : [],
  );
}

function describe(error: CellError): string[] {
  const where = error.line === undefined ? "" : ` (${error.cell === undefined ? "" : `cell ${error.cell}, `}line ${error.line})`;
  const name = error.name === "Error" ? "" : `${error.name}: `;
  return [`${name}${error.message}${where}`, ...(error.code === undefined ? [] : [`    ${error.code.trim()}`])];
}

async function conclude(
  state: NotebookState,
  { promote, registry, say, seconds }: { promote: boolean; registry: RegistryPort; say(text: string): void; seconds: number },
): Promise<number> {
  const cells = Object.entries(state.cells);
  const bad = cells.filter(([, cell]) => !["ok", "none"].includes(cell.result)).map(([id]) => id);
  if (state.kernel.death !== null) say(`the kernel stopped: ${state.kernel.death.cause}`);
  if (bad.length > 0) {
    const failed = bad.filter((id) => state.cells[id]!.result === "error");
    say(`failed after ${seconds.toFixed(1)} s: ${failed.join(", ") || bad.join(", ")}`);
    return 1;
  }
  const proposals = cells.flatMap(([id]) => findings(state.outputs[id]).flatMap((view) => (view.proposal === undefined ? [] : [view.proposal])));
  const refused = proposals.filter((proposal) => !proposal.passed);
  say(`${cells.filter(([, cell]) => cell.result === "ok").length} cells ok in ${seconds.toFixed(1)} s`);
  if (promote && proposals.length === 0) say("there is no promote cell: nothing to promote");
  if (promote && refused.length === 0) for (const proposal of proposals) await commit(proposal, registry, say);
  for (const proposal of refused) {
    const gates = proposal.gates.filter((gate) => gate.verdict === "fail" || gate.verdict === "unsure");
    say(`${proposal.name} is not promoted: ${gates.map((gate) => `gate ${gate.name} (${gate.sentence})`).join("; ") || proposal.sentence}`);
  }
  return refused.length > 0 ? 2 : 0;
}

async function commit(proposal: Proposal, registry: RegistryPort, say: (text: string) => void): Promise<void> {
  try {
    const { version, url } = await registry.commit(proposal.id, "run --promote");
    say(`${proposal.name} v${version} is live${url === null ? "" : `: ${url}`}`);
  } catch (error) {
    throw new Failure(2, `${proposal.name} could not be promoted: ${(error as Error).message}`);
  }
}
