/** A training in a process of its own, killed in the middle of an epoch, goes on from its file with the losses of one that was not. */
import { fork } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { expect, test } from "vitest";
import { packageRoot } from "../paths/paths.js";
import type { Fitted } from "./fit.js";

const program = `
  import { loadBackend } from "./kernels/tensors/backend.js";
  import { buildNetwork } from "./kernels/models/build.js";
  import { fileCheckpoint } from "./kernels/models/checkpoint-file.js";
  import { fit } from "./kernels/models/fit.js";
  const [workspace, kept] = process.argv.slice(2);
  const { tf } = await loadBackend("wasm");
  const rows = 400, width = 4;
  const x = Float32Array.from({ length: rows * width }, (_, i) => Math.sin(i * 1.3));
  const y = Float64Array.from({ length: rows }, (_, i) => i % 3);
  const table = { x, y, rows, width };
  const network = buildNetwork(tf, { model: [32, 16], width, outcome: "multiclass", classes: 3, seed: 3 });
  const result = await fit(tf, network, {
    train: table, valid: table, outcome: "multiclass", loss: "log", epochs: 8, batch: 16, patience: 0, seed: 5,
    optimizer: { name: "adam", learningRate: 0.01, schedule: { name: "plateau", patience: 1 } },
    ...(kept === "keep" && { checkpoint: { ...fileCheckpoint(workspace, ["notebook", "cell"], { rows }), every: 0 } }),
    breathe: () => new Promise(setImmediate),
    onEpoch: ({ loss }) => process.send({ epoch: loss.length }),
  });
  process.send({ result, weights: network.logits.getWeights().map((w) => [...w.dataSync()]) });
  process.disconnect();
`;

interface Said {
  epoch?: number;
  result?: Fitted;
  weights?: number[][];
}

test("killed with SIGKILL", async () => {
  const folder = mkdtempSync(join(tmpdir(), "touchstone-checkpoint-"));
  try {
    const main = join(folder, "main.mjs");
    const source = { contents: program, resolveDir: packageRoot() };
    buildSync({ stdin: source, bundle: true, platform: "node", format: "esm", packages: "external", outfile: main });
    symlinkSync(join(packageRoot(), "node_modules"), join(folder, "node_modules"), "dir");
    const start = (kept: string, killAt?: number) =>
      new Promise<Said>((resolve) => {
        const child = fork(main, [folder, kept]);
        let last: Said = {};
        child.on("message", (said: Said) => {
          last = said;
          // the fourth epoch was told, its checkpoint may or may not be there yet
          if (said.epoch === killAt) child.kill("SIGKILL");
        });
        child.on("exit", () => resolve(last));
      });
    const whole = await start("none");
    expect(whole.result?.history.loss).toHaveLength(8);
    const killed = await start("keep", 4);
    expect(killed.result).toBeUndefined();
    const files = () => readdirSync(join(folder, ".touchstone/checkpoints")).filter((name) => name.endsWith(".bin"));
    expect(files()).toHaveLength(1);
    const resumed = await start("keep");
    expect(resumed.result?.resumed).toBeGreaterThanOrEqual(3);
    expect(resumed.result?.history).toEqual(whole.result?.history);
    expect(resumed.weights).toEqual(whole.weights);
    expect(files()).toHaveLength(0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
