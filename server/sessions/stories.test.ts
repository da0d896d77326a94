/**
 * The badge against clean runs: small notebooks with every kind of hidden state, worked on at random through a real session and kernel. Whenever the
 * badge says "same", a new kernel that runs the notebook from top to bottom must show the same and hold the same values.
 * TOUCHSTONE_STORIES=1000 tries more of them, TOUCHSTONE_SEED=n other ones; both tell how often "unchecked" was said needlessly.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Operation, Variable } from "../../kernels/protocol/document.js";
import type { Output } from "../../kernels/protocol/output.js";
import { files, story, write, type Doing, type Made, type Story } from "../../test/support/stories.js";
import { NotebookClient } from "../../test/support/notebook.js";
import { startServer, type RunningServer } from "../../test/support/server.js";
import { noServing } from "../../test/support/serving.js";
import { compareOutputs } from "./compare.js";

let root: string;
let server: RunningServer;
let page: NotebookClient;
let clean: NotebookClient;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "touchstone-stories-"));
  server = await startServer({ root, files: { "workspaces/w/package.json": "{}" }, memoryLimit: 1.5 * 2 ** 30, serving: noServing });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, "workspaces/w", name), text);
  const open = (name: string) => {
    writeFileSync(join(root, `workspaces/w/${name}.nb.ts`), '// %% id="first"\n');
    return NotebookClient.open(server, `workspaces/w/${name}.nb.ts`);
  };
  page = await open("page");
  clean = await open("clean");
});
afterAll(async () => {
  page?.close();
  clean?.close();
  await server.close();
  rmSync(root, { recursive: true, force: true });
});

/** Nothing runs and nothing waits. */
const quiet = (client: NotebookClient) =>
  client.until(() => {
    const { kernel, queue, cells } = client.state;
    return (
      queue.length === 0 &&
      /^(idle|none|dead)$/.test(kernel.state) &&
      Object.values(cells).every(({ status }) => status !== "running" && status !== "queued")
    );
  });
async function act(client: NotebookClient, command: Parameters<NotebookClient["do"]>[0]): Promise<void> {
  await client.do(command);
  await quiet(client);
}
const variables = async (client: NotebookClient): Promise<Variable[]> =>
  client.state.kernel.state === "none" ? [] : ((await client.do({ do: "call", call: { query: "variables" } })) as Variable[]);

interface Shown {
  cells: { id: string; source: string; disabled: boolean }[];
  outputs: Record<string, readonly Output[]>;
  values: Variable[];
}
const shownOf = async (client: NotebookClient): Promise<Shown> => ({
  cells: client.state.source.cells.map(({ id, source, options }) => ({ id, source, disabled: options.disabled === true })),
  outputs: client.state.outputs,
  values: await variables(client),
});

/** what a clean run of these cells shows, by their text */
let known = new Map<string, { shown: Shown; ran: Set<string> }>();
async function cleanOf(cells: Shown["cells"]) {
  const key = JSON.stringify(cells);
  const before = known.get(key);
  if (before !== undefined) return before;
  await replace(clean, cells);
  await act(clean, { do: "restart", then: "all" });
  const found = { shown: await shownOf(clean), ran: new Set(cells.flatMap(({ id }) => (clean.state.cells[id]!.status === "idle" ? [id] : []))) };
  known.set(key, found);
  return found;
}

async function replace(client: NotebookClient, cells: Shown["cells"]): Promise<void> {
  const ops: Operation[] = client.state.source.cells.map(({ id }) => ({ op: "delete", id }));
  let after: string | null = null;
  for (const { id, source, disabled } of cells) {
    ops.push({ op: "insert", after, cell: { id, kind: "code", source, options: disabled ? { disabled } : {} } });
    after = id;
  }
  await act(client, { do: "ops", ops });
}

/** The first difference of a page and a clean run of its text; null: none. */
async function differs(shown: Shown): Promise<string | null> {
  const { shown: other, ran } = await cleanOf(shown.cells);
  for (const { id, source } of shown.cells) {
    if (!ran.has(id)) continue;
    const apart = compareOutputs("code", shown.outputs[id] ?? [], other.outputs[id] ?? []);
    if (apart !== null) return `cell ${id} (${source}) shows ${apart.here}, a clean run ${apart.clean}`;
  }
  for (const value of shown.values) {
    if (!ran.has(value.cell)) continue;
    const found = other.values.find((one) => one.name === value.name);
    if (found?.preview !== value.preview || found.type !== value.type) return `${value.name} is ${value.preview}, in a clean run ${found?.preview}`;
  }
  return null;
}

const told = { stories: 0, states: 0, same: 0, unchecked: 0, needless: 0 };
const why = new Map<string, number>();
const measured = process.env["TOUCHSTONE_STORIES"] !== undefined;

async function live({ cells, mode, doings, whole }: Story): Promise<void> {
  const log: string[] = [];
  known = new Map();
  let made: Made[] = [];
  let next = 0;
  const gone: { cell: Made; at: number; disabled: boolean }[] = [];
  for (const one of cells) made.push(write(`c${next++}`, one, made));
  await act(page, { do: "shutdown" });
  await act(page, { do: "mode", mode: "lazy" });
  await replace(
    page,
    made.map(({ id, source }) => ({ id, source, disabled: false })),
  );
  await act(page, { do: "mode", mode });
  for (const { id, source } of made) log.push(`${id}: ${source}`);
  const ops = (...all: Operation[]) => act(page, { do: "ops", ops: all });
  const doOne = async (one: Doing) => {
    const cell = "at" in one && made.length > 0 ? made[one.at % made.length]! : undefined;
    if (one.do === "run-all" || one.do === "run-stale") return act(page, { do: one.do });
    if (one.do === "restart") return act(page, { do: "restart", then: "nothing" });
    if (one.do === "restart-all") return act(page, { do: "restart", then: "all" });
    if (one.do === "lazy" || one.do === "auto") return act(page, { do: "mode", mode: one.do });
    if (one.do === "undo") {
      const back = gone.pop();
      if (back === undefined) return;
      made = [...made.slice(0, back.at), back.cell, ...made.slice(back.at)];
      const options = back.disabled ? { disabled: true } : {};
      return ops({ op: "insert", after: made[back.at - 1]?.id ?? null, cell: { id: back.cell.id, kind: "code", source: back.cell.source, options } });
    }
    if (cell === undefined) return;
    const place = made.indexOf(cell);
    switch (one.do) {
      case "run":
        return act(page, { do: "run", cells: [cell.id] });
      case "run-alone":
        return act(page, { do: "run", cells: [cell.id], inputs: false });
      case "from":
        return act(page, { do: "run-from", cell: cell.id });
      case "delete":
        gone.push({ cell, at: place, disabled: page.state.source.cells.find(({ id }) => id === cell.id)!.options.disabled === true });
        made = made.filter((other) => other !== cell);
        return ops({ op: "delete", id: cell.id });
      case "disable": {
        const { options } = page.state.source.cells.find(({ id }) => id === cell.id)!;
        return ops({ op: "options", id: cell.id, options: options.disabled === true ? {} : { disabled: true } });
      }
      case "move": {
        const rest = made.filter((other) => other !== cell);
        const to = one.to % made.length;
        made = [...rest.slice(0, to), cell, ...rest.slice(to)];
        return ops({ op: "move", id: cell.id, after: made[to - 1]?.id ?? null });
      }
      case "edit": {
        const now = write(cell.id, one.drawn, made, one.keep ? cell : undefined);
        made[place] = now;
        return ops({ op: "edit", id: cell.id, at: 0, remove: cell.source.length, insert: now.source });
      }
      case "insert": {
        const now = write(`c${next++}`, one.drawn, made);
        made = [...made.slice(0, place), now, ...made.slice(place)];
        return ops({ op: "insert", after: made[place - 1]?.id ?? null, cell: { id: now.id, kind: "code", source: now.source, options: {} } });
      }
    }
  };
  for (const one of whole ? [{ do: "run-all" as const }, ...doings] : doings) {
    await doOne(one);
    const { badge } = page.state;
    log.push(`${JSON.stringify(one)} -> ${badge.state}${"why" in badge ? `: ${badge.why}` : ""}`);
    told.states++;
    if (badge.state === "same") {
      told.same++;
      const apart = await differs(await shownOf(page));
      if (apart !== null)
        throw new Error(
          `${log.join("\n")}\n${page.state.source.cells.map(({ id, source }) => `  ${id}: ${source.replaceAll("\n", "\n      ")}`).join("\n")}\n${apart}`,
        );
    } else if (
      measured &&
      badge.state === "unchecked" &&
      Object.values(page.state.cells).every(({ result, status }) => result === "ok" || status === "disabled")
    ) {
      if (/restarted|not been run|not run/.test(badge.why)) continue;
      told.unchecked++;
      if ((await differs(await shownOf(page))) === null) {
        told.needless++;
        why.set(badge.why, (why.get(badge.why) ?? 0) + 1);
        if (process.env["TOUCHSTONE_NEEDLESS"]) console.log(`needless:\n${log.join("\n")}\n`);
      }
    }
  }
  told.stories++;
}

it('says "same" only where a clean run shows the same', { timeout: 3_600_000 }, async () => {
  const runs = Number(process.env["TOUCHSTONE_STORIES"] ?? 12);
  const seed = Number(process.env["TOUCHSTONE_SEED"] ?? 1);
  try {
    await fc.assert(fc.asyncProperty(story, live), { numRuns: runs, seed, endOnFailure: process.env["TOUCHSTONE_SHRINK"] === undefined });
  } finally {
    console.log(`seed ${seed}: ${JSON.stringify(told)} ${JSON.stringify([...why])}`);
  }
  expect(told.same).toBeGreaterThan(0);
});
