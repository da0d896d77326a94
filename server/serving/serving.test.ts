import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { stageTiny } from "../../test/support/version.js";
import { createServing, type Serving } from "./serving.js";

const root = mkdtempSync(join(tmpdir(), "touchstone-serving-"));
const log = { info: () => undefined, error: () => undefined };
let serving: Serving;

beforeAll(() => {
  serving = createServing({ root, log, compactEvery: 0 });
});
afterAll(async () => {
  await serving.close();
  rmSync(root, { recursive: true, force: true });
});

const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  Promise.resolve(
    serving.app.request(path, {
      method: "POST",
      body: typeof body === "string" ? body : JSON.stringify(body),
      headers: { "content-type": "application/json", ...headers },
    }),
  );

it("judges a version by six gates, commits it once and serves TF Serving's golden pair", async () => {
  const request = await stageTiny(root, "half-plus-three");
  const proposal = await serving.propose(request);
  expect(proposal.gates.map((gate) => [gate.name, gate.verdict, gate.sentence])).toMatchObject([
    ["baseline", "pass", expect.stringContaining("beats mean")],
    ["incumbent", "skip", "no version is in use yet"],
    ["budget", "pass", expect.stringContaining("p99")],
    ["signature", "pass", expect.any(String)],
    ["parity", "pass", expect.stringContaining("bit-equal")],
    ["leakage", "pass", expect.stringContaining("`x` (correlation")],
  ]);
});
