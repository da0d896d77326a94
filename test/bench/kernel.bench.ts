/** Kernel start to first result and the round trip of a cell over the WebSocket. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NotebookClient } from "../support/notebook.js";
import { startServer } from "../support/server.js";
import { quantile, type Figure } from "./figure.js";

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
    figures.push({ name: "open a notebook to first result (median of 3, spare kernel when ready)", value: quantile(starts, 0.5), unit: "ms", goal: "<= 400" });

    const client = await NotebookClient.open(server, "workspaces/bench/a.nb.ts");
    const trips: number[] = [];
    for (let i = 0; i < 600; i++) {
      const at = performance.now();
      await client.run("one");
      if (i >= 100) trips.push(performance.now() - at);
    }
    client.close();
    figures.push({ name: "cell round trip p50 over the WebSocket", value: quantile(trips, 0.5), unit: "ms", goal: "<= 3" });
    figures.push({ name: "cell round trip p95 over the WebSocket", value: quantile(trips, 0.95), unit: "ms", goal: "<= 8" });
  } finally {
    await server.close();
    rmSync(root, { recursive: true, force: true });
  }
  return figures;
}
