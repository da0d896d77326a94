import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { writeVersion } from "../../kernels/models/version.js";
import { stageTiny, tinyParts } from "../../test/support/version.js";
import { createServing } from "../serving/serving.js";
import { HostRefused, startHost } from "./process.js";

const home = mkdtempSync(join(tmpdir(), "tsh-test-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const log = { info: () => undefined, error: () => undefined };
const sockets = home;

it("starts only what gives its stored answers and is whole", async () => {
  const parts = tinyParts();
  const wrong = join(home, "wrong");
  writeVersion(wrong, { ...parts, sample: parts.sample.map((line) => ({ ...line, prediction: (line.prediction as number) + 0.001 })) });
  await expect(startHost({ dir: wrong, sockets })).rejects.toThrow(/sample line 1: the prediction differs by/);
  const vector = join(home, "vector");
  writeVersion(vector, { ...parts, sample: parts.sample.map((line) => ({ ...line, vector: "0000803f" })) });
  await expect(startHost({ dir: vector, sockets })).rejects.toThrow(/vector is not the one of training/);
  const changed = join(home, "changed");
  writeVersion(changed, parts);
  writeFileSync(join(changed, "weights.bin"), new Uint8Array(8));
  await expect(startHost({ dir: changed, sockets })).rejects.toThrow(/weights\.bin of the version was changed/);
  await expect(startHost({ dir: join(home, "absent"), sockets })).rejects.toBeInstanceOf(HostRefused);
});

it("answers what queued together, and every request its own rows", async () => {
  const dir = join(home, "batch");
  writeVersion(dir, tinyParts());
  const host = await startHost({ dir, sockets });
  const head = { form: "v1", contentType: "application/json", headerLength: null, name: "tiny", version: "1" } as const;
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, i) => host.request(head, Buffer.from(JSON.stringify({ instances: i % 7 === 0 ? ["x"] : [i, i + 2] })))),
  );
  answers.forEach((answer, i) => {
    const body = JSON.parse(Buffer.from(answer.body).toString()) as { predictions?: number[]; error?: string };
    if (i % 7 === 0) expect([answer.status, body.error]).toEqual([400, 'instances[0].x: Expected a number, got "x"']);
    else expect(body).toEqual({ predictions: [i / 2 + 3, i / 2 + 4] });
  });
  await host.drain();
  await expect(host.request(head, new Uint8Array(0))).rejects.toThrow(/gone/);
});

it("retries once after a death, then answers degraded, and rolls back after three deaths in a minute", async () => {
  const root = join(home, "root");
  const serving = createServing({ root, log, compactEvery: 0 });
  const name = "tiny";
  for (const intercept of [3, 3.001]) await serving.commit((await serving.propose(await stageTiny(root, name, { intercept }))).id, "test");
  const told: string[] = [];
  serving.subscribe((event) => void (event.type === "notice" && told.push(event.text)));
  const predict = (): Promise<{ version: number; degraded: string | null; status: number }> =>
    serving.predict({
      name,
      form: "v1",
      contentType: "application/json",
      headerLength: null,
      body: Buffer.from('{"instances":[1]}'),
      key: null,
      id: null,
      durable: false,
    });
  const pidOf = async (version: number): Promise<number> => {
    const { execFileSync } = await import("node:child_process");
    const list = execFileSync("ps", ["-eo", "pid,args"]).toString().split("\n");
    const line = list.find((one) => one.includes("model-host.js") && one.includes(`${root}/.touchstone/models/${name}/v${version} `));
    return Number(line?.trim().split(" ")[0] ?? 0);
  };
  for (let death = 1; death <= 3; death++) {
    process.kill(await pidOf(2), "SIGKILL");
    const answer = await predict();
    expect(answer.status).toBe(200);
    // the third opens the circuit: the fallback answers
    expect([answer.version, answer.degraded === null]).toEqual(death < 3 ? [2, true] : [1, false]);
  }
  // the roll-back is queued behind the answer
  await expect.poll(() => serving.model(name)?.champion).toBe(1);
  expect(serving.history(name).at(-1)).toMatchObject({
    type: "rollback",
    from: 2,
    to: 1,
    by: "touchstone",
    why: expect.stringContaining("died three times"),
  });
  expect(told.some((text) => text.startsWith("Rolled back to v1"))).toBe(true);
  expect(await predict()).toMatchObject({ version: 1, degraded: null });
  await serving.close();
});
