/** Kernel start to first result and the round trip of a cell over the WebSocket, against a bare Node process and a bare echo through such a process. */
import { fork } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import WebSocket, { WebSocketServer } from "ws";
import { NotebookClient } from "../support/notebook.js";
import { startServer } from "../support/server.js";
import { quantile, type Figure } from "./figure.js";

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

/** ms of each of `count` echoes over a WebSocket whose server asks a child process: the same hops as a cell's. */
async function bareEcho(folder: string, count: number): Promise<number[]> {
  const file = join(folder, "echo.mjs");
  writeFileSync(file, `process.on("message", (text) => process.send(text));`);
  const child = fork(file);
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
  server.on("connection", (socket) => {
    socket.on("message", (data) => child.send(String(data)));
    child.on("message", (text) => socket.send(text as string));
  });
  await new Promise((resolve) => server.once("listening", resolve));
  const socket = new WebSocket(`ws://127.0.0.1:${(server.address() as { port: number }).port}`, { perMessageDeflate: false });
  await new Promise((resolve) => socket.once("open", resolve));
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const at = performance.now();
    socket.send("1 + 1");
    await new Promise((resolve) => socket.once("message", resolve));
    times.push(performance.now() - at);
  }
  socket.terminate();
  server.close();
  child.kill();
  return times;
}

export async function bench(): Promise<Figure[]> {
  const root = mkdtempSync(join(tmpdir(), "touchstone-bench-"));
  const folder = join(root, "workspaces", "bench");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), `{ "name": "bench", "private": true }`);
  for (const name of ["a", "b", "c"]) writeFileSync(join(folder, `${name}.nb.ts`), `// %% id="one"\n1 + 1\n`);
  const server = await startServer({ root });
  const figures: Figure[] = [];
  try {
    const starts: number[] = [];
    for (const name of ["a", "b", "c"]) {
      const at = performance.now();
      const client = await NotebookClient.open(server, `workspaces/bench/${name}.nb.ts`);
      await client.run("one");
      starts.push(performance.now() - at);
      client.close();
    }
    const start = quantile(starts, 0.5);
    const bare = quantile([await bareStart(root), await bareStart(root), await bareStart(root)], 0.5);
    figures.push({ name: "kernel start to first result", value: start, unit: "ms" });
    figures.push({
      name: "kernel start to first result",
      value: start / bare,
      unit: "times as long",
      peer: "a bare Node process to its first message",
    });

    const client = await NotebookClient.open(server, "workspaces/bench/a.nb.ts");
    const trips: number[] = [];
    for (let i = 0; i < 600; i++) {
      const at = performance.now();
      await client.run("one");
      if (i >= 100) trips.push(performance.now() - at);
    }
    client.close();
    const echo = quantile((await bareEcho(root, 600)).slice(100), 0.5);
    figures.push({ name: "cell round trip p50 over the WebSocket", value: quantile(trips, 0.5), unit: "ms", goal: "<= 3" });
    figures.push({
      name: "cell round trip p50",
      value: quantile(trips, 0.5) / echo,
      unit: "times as long",
      peer: "a bare echo by WebSocket and process",
    });
    figures.push({ name: "cell round trip p95 over the WebSocket", value: quantile(trips, 0.95), unit: "ms", goal: "<= 8" });
  } finally {
    await server.close();
    rmSync(root, { recursive: true, force: true });
  }
  return figures;
}
