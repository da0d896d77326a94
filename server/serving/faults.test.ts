/** Faults of files and processes while real hosts serve: the fallback answers, the reason is shown, nothing is committed that was not judged. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { stageTiny } from "../../test/support/version.js";
import { HostRefused, startHost } from "../host/process.js";
import { createServing } from "./serving.js";
import type { Serving, ServingOptions } from "./types.js";

const home = mkdtempSync(join(tmpdir(), "touchstone-faults-"));
const root = join(home, "root");
const log = { info: () => undefined, error: () => undefined };
const opened: Serving[] = [];
afterAll(async () => {
  for (const serving of opened) await serving.close();
  rmSync(home, { recursive: true, force: true });
});
const open = (more: Partial<ServingOptions> = {}): Serving => {
  const serving = createServing({ root, log, compactEvery: 0, ...more });
  opened.push(serving);
  return serving;
};
const predict = async (serving: Serving): Promise<Response> =>
  serving.app.request("/v1/models/tiny:predict", { method: "POST", body: '{"instances":[1]}', headers: { "content-type": "application/json" } });
const folder = (version: number): string => join(root, `.touchstone/models/tiny/v${version}`);

it("commits nothing that was changed after it was judged", async () => {
  const serving = open();
  const request = await stageTiny(root, "tiny");
  const { id } = await serving.propose(request);
  const dir = join(root, ".touchstone/proposals", id, "version");
  const [weights, manifest] = [join(dir, "weights.bin"), join(dir, "manifest.json")];
  const before = [readFileSync(weights), readFileSync(manifest)] as const;
  const bytes = Uint8Array.from(before[0]);
  bytes[0]! ^= 1;
  writeFileSync(weights, bytes);
  await expect(serving.commit(id, "ada")).rejects.toMatchObject({
    status: 409,
    message: expect.stringContaining("weights.bin of the version was changed"),
  });
  // and with a manifest that fits
  const forged = JSON.parse(before[1].toString()) as { files: Record<string, string> };
  forged.files["weights.bin"] = createHash("sha256").update(bytes).digest("hex");
  writeFileSync(manifest, JSON.stringify(forged));
  await expect(serving.commit(id, "ada")).rejects.toMatchObject({ status: 409, message: expect.stringContaining("its manifest is another one") });
  expect(serving.models()).toEqual([]);
  // asked for again, it is copied and judged again
  expect(await serving.propose(request)).toMatchObject({ id, passed: true });
  expect(await serving.commit(id, "ada")).toMatchObject({ version: 1 });
  await serving.commit((await serving.propose(await stageTiny(root, "tiny", { intercept: 3.001 }))).id, "ada");
  await serving.close();
});

it("falls back when a stopped host gives no answer, once for each request", async () => {
  const serving = open({ start: (options) => startHost({ ...options, answerLimit: 700 }) });
  await serving.ready;
  const line = execFileSync("ps", ["-eo", "pid,args"])
    .toString()
    .split("\n")
    .find((one) => one.includes("model-host.js") && one.includes(`${folder(2)} `));
  process.kill(Number(line!.trim().split(" ")[0]), "SIGSTOP");
  const answer = await predict(serving);
  expect([answer.status, answer.headers.get("x-touchstone-version"), answer.headers.get("x-touchstone-degraded")]).toEqual([200, "1", "true"]);
  await expect.poll(() => serving.model("tiny")?.hosts[2]?.state, { timeout: 60_000 }).toBe("ready");
  expect((await predict(serving)).headers.get("x-touchstone-version")).toBe("2");
  await serving.close();
});

it("serves the earlier version when the champion's files are damaged, and says why", async () => {
  const path = join(folder(2), "weights.bin");
  const bytes = readFileSync(path);
  writeFileSync(path, new Uint8Array(bytes.length));
  const serving = open();
  const told: string[] = [];
  serving.subscribe((event) => void (event.type === "notice" && told.push(event.text)));
  await serving.ready;
  const answer = await predict(serving);
  expect(await answer.json()).toEqual({ predictions: [3.5] });
  expect([answer.headers.get("x-touchstone-version"), answer.headers.get("x-touchstone-degraded")]).toEqual(["1", "true"]);
  expect(told).toContainEqual(expect.stringMatching(/Version 2 cannot be served: weights\.bin of the version was changed/));
  expect(serving.model("tiny")).toMatchObject({ champion: 2, hosts: { 2: { state: "dead", reason: expect.stringContaining("weights.bin") } } });
  expect((await serving.rollback("tiny", "ada")).champion).toBe(1);
  await serving.close();
  writeFileSync(path, bytes);
});

it("gives a number once, also to a model that was retired", async () => {
  const serving = open();
  await serving.retire("tiny", "ada");
  const { id } = await serving.propose(await stageTiny(root, "tiny", { intercept: 3.002 }));
  expect(await serving.commit(id, "ada")).toMatchObject({ version: 3 });
  expect(await serving.commit(id, "ada")).toMatchObject({ version: 3 });
  await serving.close();
});

it("starts a process at most every ten seconds for a version that does not start", async () => {
  let clock = Date.now();
  let starts = 0;
  const serving = open({
    now: () => clock,
    start: async () => {
      starts++;
      throw new HostRefused("no host here");
    },
  });
  await serving.ready;
  const before = starts;
  for (let i = 0; i < 20; i++) expect((await predict(serving)).status).toBe(503);
  expect(starts).toBe(before);
  clock += 10_000;
  await predict(serving);
  expect(starts).toBe(before + 1);
  await serving.close();
});
