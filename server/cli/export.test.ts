import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { logSql } from "../../kernels/data/log.js";
import { duck, stageTiny } from "../../test/support/version.js";
import { createServing } from "../serving/serving.js";
import { exportModel } from "./export.js";

const home = mkdtempSync(join(tmpdir(), "touchstone-export-"));
let child: ChildProcess | null = null;
afterAll(() => {
  child?.kill("SIGKILL");
  rmSync(home, { recursive: true, force: true });
});

function node(
  cwd: string,
  args: string[],
  env: Record<string, string> = {},
): { child: ChildProcess; ended: Promise<{ code: number | null; text: string }>; said: Promise<string> } {
  const started = spawn(process.execPath, args, { cwd, env: { PATH: process.env["PATH"], ...env } });
  let text = "";
  const said = new Promise<string>((resolve) => {
    for (const stream of [started.stdout, started.stderr])
      stream.on("data", (piece: Buffer) => {
        text += piece.toString();
        if (text.includes("\n")) resolve(text);
      });
  });
  return { child: started, said, ended: new Promise((resolve) => started.on("close", (code) => resolve({ code, text }))) };
}

it("writes a folder that proves itself and serves alone", async () => {
  const root = join(home, "root");
  const serving = createServing({ root, log: { info: () => undefined, error: () => undefined }, compactEvery: 0 });
  await serving.commit((await serving.propose(await stageTiny(root, "tiny"))).id, "test");
  await serving.close();
  const dir = join(home, "alone");
  const { files, bytes } = await exportModel({ root, name: "tiny", dir });
  expect(files).toEqual(["Dockerfile", "README.md", "openapi.json", "package.json", "server.mjs", "version"]);
  expect(bytes).toBeLessThan(12e6);
  expect(statSync(join(dir, "server.mjs")).size).toBe(bytes);

  const proof = await node(dir, ["server.mjs", "--test"]).ended;
  expect(proof.text).toMatch(/^parity holds: 64 records, 0 vectors differ, .*\(wasm\)/);
  expect(proof.code).toBe(0);

  const server = node(dir, ["server.mjs"], { PORT: "0" });
  child = server.child;
  const url = /http:\/\/\S+:predict/.exec(await server.said)![0];
  const ask = async (body: unknown): Promise<unknown> =>
    (await fetch(url, { method: "POST", body: JSON.stringify(body), headers: { "x-request-id": "one" } })).json();
  expect(await ask({ instances: [1, 2, 5] })).toEqual({ predictions: [3.5, 4, 5.5] });
  expect(await ask({ instances: ["far"] })).toEqual({ error: 'instances[0].x: Expected a number, got "far"' });
  expect((await fetch(url.replace(/tiny:predict$/, "%E0%A4:predict"), { method: "POST", body: "{}" })).status).toBe(400);
  // its log is in the workbench's format
  const logged = join(dir, "log", "tiny");
  await expect.poll(() => readdirSync(logged).flatMap((day) => readdirSync(join(logged, day)))).toHaveLength(1);
  const [day] = readdirSync(logged);
  const segment = join(logged, day!, readdirSync(join(logged, day!))[0]!);
  await expect.poll(() => readFileSync(segment, "utf8").split("\n").length).toBe(4);
  const rows = await duck(`from (${logSql({ parquet: [], segments: [{ file: segment, bytes: 1 }], feedback: [] }, null, {})})`);
  expect(rows.map((row) => [row["id"], row["row"], row["version"], row["prediction"]])).toEqual([
    ["one", 0, 1, "3.5"],
    ["one", 1, 1, "4"],
    ["one", 2, 1, "5.5"],
  ]);
  // a changed weight is refused
  writeFileSync(join(dir, "version", "weights.bin"), new Uint8Array(8));
  expect(await node(dir, ["server.mjs", "--test"]).ended).toMatchObject({
    code: 1,
    text: expect.stringContaining("weights.bin of the version was changed"),
  });
});

it("says what is wrong with a name, a version or a folder", async () => {
  const root = join(home, "root");
  await expect(exportModel({ root, name: "nobody", dir: join(home, "x") })).rejects.toThrow(/no model is called "nobody"; there are tiny/);
  await expect(exportModel({ root, name: "tiny", version: 9, dir: join(home, "x") })).rejects.toThrow(/no version 9; there are 1/);
  await expect(exportModel({ root: home, name: "tiny", dir: join(home, "x") })).rejects.toThrow(/nothing is promoted/);
  const full = join(home, "full");
  mkdirSync(full);
  writeFileSync(join(full, "mine.txt"), "mine");
  await expect(exportModel({ root, name: "tiny", dir: full })).rejects.toThrow(/new or empty folder/);
  expect(readdirSync(full)).toEqual(["mine.txt"]);
});
