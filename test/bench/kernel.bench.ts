/** Start to first result, round trip of a cell over the WebSocket, a run of 1,000 cells, stops and memory at rest; ipykernel and Deno in the same run where they install. */
import { fork } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NotebookClient } from "../support/notebook.js";
import { startServer, type RunningServer } from "../support/server.js";
import { quantile, type Figure } from "./figure.js";
import { measurePeers } from "./peers.js";

/** ms from fork to the first message of a Node process that does nothing else. */
async function bareStart(folder: string): Promise<number> {
  const file = join(folder, "bare.mjs");
  writeFileSync(file, "process.send(1 + 1);");
  const at = performance.now();
  const child = fork(file);
  await new Promise((resolve) => child.once("message", resolve));
  const took = performance.now() - at;
  child.kill();
  return took;
}

/** Bytes of memory that the process holds. */
const rssOf = (pid: number): number => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) * 1024;

const median = (values: number[]) => quantile(values, 0.5);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** ms from "new notebook" (the file is made) to the result of its first cell; `rest`: ms of quiet before, in which a spare kernel warms up. */
async function firstResults(server: RunningServer, count: number, rest: number): Promise<{ times: number[]; rss: number[] }> {
  const times: number[] = [];
  const rss: number[] = [];
  for (let i = 0; i < count; i++) {
    await pause(rest);
    const path = `workspaces/bench/new-${rest}-${i}.nb.ts`;
    const at = performance.now();
    writeFileSync(join(server.root, path), `// %% id="one"\n1 + 1\n`);
    const client = await NotebookClient.open(server, path);
    await client.run("one");
    times.push(performance.now() - at);
    await pause(1000);
    rss.push(rssOf(client.state.kernel.pid!));
    await client.do({ do: "shutdown" });
    client.close();
  }
  return { times, rss };
}

/** ms of a whole run of `count` cells, each of which reads the one before it. */
async function runAll(server: RunningServer, count: number): Promise<number> {
  const path = "workspaces/bench/many.nb.ts";
  const cells = Array.from({ length: count }, (_, i) => `// %% id="c${i}"\nconst v${i} = ${i === 0 ? "0" : `v${i - 1} + 1`}\n`);
  writeFileSync(join(server.root, path), cells.join("\n"));
  const client = await NotebookClient.open(server, path);
  const last = `c${count - 1}`;
  const at = performance.now();
  await client.do({ do: "run-all" });
  await client.until(() => client.state.cells[last]?.result === "ok");
  const took = performance.now() - at;
  client.close();
  return took;
}

/** ms from Interrupt to "interrupted" of loops that print. */
async function stops(server: RunningServer, count: number): Promise<number[]> {
  const client = await NotebookClient.open(server, "workspaces/bench/a.nb.ts");
  await client.add("loop", `for (let i = 0; ; i++) if (i % 1e6 === 0) console.log(i)`);
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const before = client.state.cells["loop"]!.run;
    void client.run("loop");
    await client.until(() => client.state.cells["loop"]!.run !== before && (client.state.outputs["loop"] ?? []).length > 0);
    const at = performance.now();
    await client.do({ do: "interrupt" });
    await client.until(() => client.state.cells["loop"]!.result === "interrupted" && client.state.cells["loop"]!.status === "idle");
    times.push(performance.now() - at);
    await client.do({ do: "clear", cell: "loop" });
  }
  client.close();
  return times;
}

export async function bench(): Promise<Figure[]> {
  const root = mkdtempSync(join(tmpdir(), "touchstone-bench-"));
  const folder = join(root, "workspaces", "bench");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), `{ "name": "bench", "private": true }`);
  writeFileSync(join(folder, "a.nb.ts"), `// %% id="one"\n1 + 1\n`);
  const figures: Figure[] = [];
  const add = (name: string, value: number, unit: string, rest: Partial<Figure> = {}) => figures.push({ name, value, unit, ...rest });
  try {
    const cold = await startServer({ root, spare: false });
    const without = median((await firstResults(cold, 5, 0)).times);
    await cold.close();
    const server = await startServer({ root });
    try {
      const warm = await firstResults(server, 5, 4000);
      const bare = median([await bareStart(root), await bareStart(root), await bareStart(root)]);
      add("new notebook to first result, warm spare", median(warm.times), "ms", { goal: "<= 150" });
      add("new notebook to first result, no spare", without, "ms", { goal: "<= 400" });
      add("new notebook to first result, no spare", without / bare, "times as long", { peer: "a bare Node process to its first message" });
      add("kernel memory after a first cell", median(warm.rss) / 2 ** 20, "MB", { goal: "<= 90" });

      const client = await NotebookClient.open(server, "workspaces/bench/a.nb.ts");
      const trips: number[] = [];
      for (let i = 0; i < 600; i++) {
        const at = performance.now();
        await client.run("one");
        if (i >= 100) trips.push(performance.now() - at);
      }
      client.close();
      const p50 = median(trips);
      add("cell round trip p50 over the WebSocket", p50, "ms", { goal: "<= 3" });
      add("cell round trip p95 over the WebSocket", quantile(trips, 0.95), "ms", { goal: "<= 8" });
      add("run of 1,000 cells, each reading the last", (await runAll(server, 1000)) / 1000, "s", { goal: "<= 3" });
      const stopped = await stops(server, 100);
      add("stop of a printing loop p50", median(stopped), "ms");
      add("stop of a printing loop, longest of 100", Math.max(...stopped), "ms", { goal: "<= 500" });

      for (const peer of measurePeers(500)) {
        add("no spare, start to first result", without / peer.start, "times as long", { goal: "<= 1", peer: peer.name });
        add("cell round trip p50", p50 / peer.p50, "times as long", { goal: peer.name === "Deno" ? "<= 1" : "<= 0.5", peer: peer.name });
      }
    } finally {
      await server.close();
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  return figures;
}
