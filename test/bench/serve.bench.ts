/**
 * A distilled student on real flights, promoted through its gates and served by `touchstone start`: 16 connections kept alive, one record a request, logged;
 * then the same client on a bare Node server that parses each request and answers a constant.
 */
import type { ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../../kernels/paths/paths.js";
import { NotebookClient } from "../support/notebook.js";
import { startChild, stop } from "./child.js";
import { quantile, type Figure } from "./figure.js";

const notebook = `// ---
// seed: 42
// ---

// %% [sql] id="flights"
const flights = sql\`
  select date, distance, origin, delay > 15 as late
  from read_parquet('npm:vega-datasets/data/flights-3m.parquet', file_row_number = true)
  where date < timestamp '2001-07-01' and delay is not null and file_row_number % 20 = 0\`

// %% id="split"
const parts = flights.split({ by: "time", key: "date", cut: ["2001-04-01", "2001-05-01"] })

// %% [baseline] id="floor"
const floor = await baseline({ split: parts, task: { kind: "binary", target: "late" }, metric: "log loss", using: ["prior"] })

// %% id="features"
const feats = features({
  input: { date: "timestamp", distance: "double", origin: "string" },
  fit: async (rows) => ({ distance: await f.stats(rows, "distance"), origin: await f.top(rows, "origin", 20) }),
  row: (r, s) => [f.z(r.distance, s.distance), ...f.oneHot(f.hour(r.date), 24), ...f.oneHot(f.dow(r.date), 7), ...f.oneHot(r.origin, s.origin)],
})

// %% [train] id="teacher"
const teacher = await train({ split: parts, against: floor, features: feats, model: "mlp", epochs: 3, batch: 256 })

// %% [distill] id="student"
const d = await distill({ teacher, split: parts, against: floor, students: [8], epochs: 3, batch: 256 })

// %% [promote] id="promote"
const live = await promote({ name: "flights", model: d.student, against: floor, budget: { p99Ms: 200, bytes: 1_000_000 } })
`;

const bare = `const answer = '{"predictions":[{"value":true,"probability":0.5}]}';
require("node:http").createServer((call, reply) => {
  let text = "";
  call.on("data", (piece) => (text += piece));
  call.on("end", () => { JSON.parse(text); reply.setHeader("content-type", "application/json"); reply.end(answer); });
}).listen(0, "127.0.0.1", function () { console.log("ready: http://127.0.0.1:" + this.address().port + "/"); });`;

const airports = ["ATL", "ORD", "DFW", "LAX", "PHX", "STL", "DTW", "MSP", "LAS", "IAH"];
const record = (i: number): object => ({
  date: new Date(Date.UTC(2001, 5, 1 + (i % 28), 6 + (i % 16), i % 60)).toISOString(),
  distance: 200 + ((i * 37) % 2000),
  origin: airports[i % 10]!,
});

/** Requests by `clients` loops, each waiting for its answer; seconds and every latency in ms. */
async function load(base: URL, count: number, clients: number): Promise<{ seconds: number; times: number[] }> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const times: number[] = [];
  let next = 0;
  const one = (body: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const at = performance.now();
      const call = request(
        {
          ...{ hostname: base.hostname, port: base.port, agent, method: "POST", path: "/v1/models/flights:predict" },
          headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
        },
        (response) => {
          let text = "";
          response.on("data", (piece) => (text += piece));
          response.on("end", () => {
            times.push(performance.now() - at);
            if (response.statusCode === 200 && text.includes("predictions")) resolve();
            else reject(new Error(`${response.statusCode} ${text}`));
          });
        },
      );
      call.on("error", reject);
      call.end(body);
    });
  const began = performance.now();
  const loop = async (): Promise<void> => {
    while (next < count) await one(JSON.stringify({ instances: [record(next++)] }));
  };
  await Promise.all(Array.from({ length: clients }, loop));
  const seconds = (performance.now() - began) / 1000;
  agent.destroy();
  return { seconds, times };
}

/** Warm-up, then the figure. */
async function rate(base: URL): Promise<{ perSecond: number; p50: number; p99: number; alone50: number; alone99: number }> {
  await load(base, 3000, 16);
  const { seconds, times } = await load(base, 20_000, 16);
  const alone = await load(base, 3000, 1);
  return {
    perSecond: times.length / seconds,
    ...{ p50: quantile(times, 0.5), p99: quantile(times, 0.99), alone50: quantile(alone.times, 0.5), alone99: quantile(alone.times, 0.99) },
  };
}

export async function bench(): Promise<Figure[]> {
  const root = mkdtempSync(join(tmpdir(), "touchstone-bench-"));
  const folder = join(root, "workspaces", "bench");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), `{ "name": "bench", "private": true }`);
  writeFileSync(join(folder, "late.nb.ts"), notebook);
  const children: ChildProcess[] = [];
  try {
    const served = await startChild([join(packageRoot(), "touchstone.js"), "start", "--port", "0", "--no-open"], { TOUCHSTONE_HOME: root });
    children.push(served.child);
    const token = served.url.searchParams.get("token")!;
    const url = served.url.origin;
    const client = await NotebookClient.open({ url, token }, "workspaces/bench/late.nb.ts");
    await client.do({ do: "run-all", promote: true });
    await client.until(() => Object.values(client.state.cells).every(({ status, result }) => status === "idle" && result !== "none"));
    const failed = Object.entries(client.state.cells).filter(([, cell]) => cell.result !== "ok");
    if (failed.length > 0) throw new Error(`${failed.map(([id]) => id).join(", ")} failed: ${JSON.stringify(client.state.outputs[failed[0]![0]])}`);
    // the kernel is not part of serving
    await client.do({ do: "shutdown" });
    client.close();
    const headers = { authorization: `Bearer ${token}` };
    const { proposals } = (await (await fetch(`${url}/api/ts/models`, { headers })).json()) as { proposals: { id: string; name: string }[] };
    const commit = await fetch(`${url}/api/ts/proposals/${proposals[0]!.id}/commit`, { method: "POST", headers });
    if (!commit.ok) throw new Error(`not promoted: ${await commit.text()}`);
    const ours = await rate(served.url);
    const plain = await startChild(["-e", bare]);
    children.push(plain.child);
    const theirs = await rate(plain.url);
    const peer = "a bare Node HTTP server, same client";
    return [
      { name: "predictions of the served student, 16 connections", value: ours.perSecond, unit: "/s" },
      { name: "predictions of the served student, 16 connections", value: ours.perSecond / theirs.perSecond, unit: "of its rate", peer },
      { name: "latency p50, 16 connections", value: ours.p50, unit: "ms" },
      { name: "latency p99, 16 connections", value: ours.p99, unit: "ms" },
      { name: "latency p50, one connection", value: ours.alone50, unit: "ms" },
      { name: "latency p99, one connection", value: ours.alone99, unit: "ms" },
      { name: "latency p50, one connection", value: ours.alone50 / theirs.alone50, unit: "times as long", peer },
    ];
  } finally {
    for (const child of children) if (child.exitCode === null) await stop(child);
    rmSync(root, { recursive: true, force: true });
  }
}
