/**
 * The five steps, headless, on real flights: split by time, baseline, train, distil, simulate, promote, serve 20,000 requests, inject June,
 * see drift, retrain, replace version 1 on rows that neither has seen, refuse a bad version 3 by name, roll back.
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { packageRoot } from "../../kernels/paths/paths.js";
import { startServer, type RunningServer } from "../support/server.js";

const root = mkdtempSync(join(tmpdir(), "touchstone-five-"));
const workspace = join(root, "workspaces", "five");
let server: RunningServer;

const source = (where: string, share: number): string => `sql\`
  select file_row_number as id, date, delay, distance, origin, destination, delay > 15 as late
  from read_parquet('npm:vega-datasets/data/flights-3m.parquet', file_row_number = true)
  where ${where} and file_row_number % ${share} = 0\``;

const featureCell = `const feats = features({
  input: { date: "timestamp", distance: "double", origin: "string", destination: "string" },
  fit: async (rows) => ({ distance: await f.stats(rows, "distance"), origin: await f.top(rows, "origin", 20) }),
  row: (r, s) => [f.z(r.distance, s.distance), ...f.oneHot(f.hour(r.date), 24), ...f.oneHot(f.dow(r.date), 7), ...f.oneHot(r.origin, s.origin)],
})`;
const task = `{ kind: "binary", target: "late" }`;

function notebook(name: string, cells: [string, string, string][]): void {
  const text = ["// ---", `// title: ${name}`, "// seed: 42", "// ---", ""];
  for (const [kind, id, code] of cells) text.push(`// %% ${kind === "code" ? "" : `[${kind}] `}id="${id}"`, code, "");
  writeFileSync(join(workspace, `${name}.nb.ts`), text.join("\n"));
}

/** The command line as a person calls it; resolves with its exit code and everything it printed. */
function touchstone(...args: string[]): Promise<{ code: number | null; text: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(packageRoot(), "touchstone.js"), ...args], {
      cwd: root,
      env: { ...process.env, TOUCHSTONE_HOME: root },
    });
    let text = "";
    child.stdout.on("data", (piece) => (text += piece));
    child.stderr.on("data", (piece) => (text += piece));
    child.on("close", (code) => resolve({ code, text }));
  });
}

const agent = new Agent({ keepAlive: true, maxSockets: 16 });
interface Answer {
  status: number;
  version: string;
  body: { predictions?: unknown[]; error?: string };
}
function predict(instances: object[], key?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(server.url);
    const call = request(
      {
        hostname,
        port,
        agent,
        method: "POST",
        path: "/v1/models/flights:predict",
        headers: { "content-type": "application/json", ...(key ? { "x-touchstone-key": key } : {}) },
      },
      (response) => {
        let text = "";
        response.on("data", (piece) => (text += piece));
        response.on("end", () =>
          resolve({ status: response.statusCode!, version: String(response.headers["x-touchstone-version"]), body: JSON.parse(text) }),
        );
      },
    );
    call.on("error", reject);
    call.end(JSON.stringify({ instances }));
  });
}

const airports = ["ATL", "ORD", "DFW", "LAX", "PHX", "STL", "DTW", "MSP", "LAS", "IAH"];
/** A flight of the given month, made from its number alone. */
const record = (i: number, month: number): object => ({
  date: `2001-${String(month).padStart(2, "0")}-${String(1 + (i % 28)).padStart(2, "0")}T${String(6 + (i % 16)).padStart(2, "0")}:${String(i % 60).padStart(2, "0")}:00Z`,
  distance: 200 + ((i * 37) % 2000),
  origin: airports[i % 10]!,
  destination: airports[(i * 7 + 3) % 10]!,
});

async function send(count: number, make: (i: number) => object): Promise<Set<string>> {
  const versions = new Set<string>();
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < count) {
      const i = next++;
      const answer = await predict([make(i)], `flight-${i}`);
      if (answer.status !== 200) throw new Error(`request ${i}: ${answer.status} ${JSON.stringify(answer.body)}`);
      versions.add(answer.version);
    }
  };
  await Promise.all(Array.from({ length: 16 }, one));
  return versions;
}

beforeAll(async () => {
  mkdirSync(workspace, { recursive: true });
  writeFileSync(join(workspace, "package.json"), JSON.stringify({ name: "five", private: true }));
  server = await startServer({ root });
});
afterAll(async () => {
  agent.destroy();
  await server?.close();
  rmSync(root, { recursive: true, force: true });
});

it("walks the five steps", async () => {
  // steps 1, 2, 3a, 4: baseline, train, distil, simulate, promote
  notebook("first", [
    ["sql", "flights", `const flights = ${source("date < timestamp '2001-03-16'", 20)}`],
    ["code", "split", `const parts = flights.split({ by: "time", key: "date", cut: ["2001-02-16", "2001-03-01"] })`],
    [
      "baseline",
      "floor",
      `const floor = await baseline({ split: parts, task: ${task}, metric: "log loss", using: ["prior", { rate: ["dow", "hour"] }] })`,
    ],
    ["code", "feats", featureCell],
    [
      "train",
      "teacher",
      `const teacher = await train({ split: parts, task: ${task}, against: floor, features: feats, model: "mlp", epochs: 4, batch: 256 })`,
    ],
    [
      "distill",
      "student",
      `const d = await distill({ teacher, split: parts, against: floor, students: [8], temperature: 2, alpha: 0.5, epochs: 4, batch: 256 })`,
    ],
    ["ab-test", "plan", `const plan = await abTest({ outcome: { kind: "proportion", rate: 0.78 }, lift: 0.02, keysPerDay: 2000, sims: 500 })`],
    [
      "promote",
      "promote",
      `const live = await promote({ name: "flights", model: d.student, against: floor, budget: { p99Ms: 200, bytes: 1_000_000 } })`,
    ],
  ]);
  const first = await touchstone("run", join(workspace, "first.nb.ts"), "--promote");
  expect(first.text, first.text).toMatch(/number to beat/i);
  expect(first.code, first.text).toBe(0);

  // served: 20,000 requests, each answered by version 1
  expect(await send(15_000, (i) => record(i, 3))).toEqual(new Set(["1"]));

  // step 5: nothing has moved yet ... then June arrives from other airports, later in the day
  await send(5_000, (i) => ({ ...record(i, 6), origin: airports[i % 2]!, distance: 2400 + (i % 100) }));
  notebook("watch", [
    ["code", "requests", `const requests = log("flights")`],
    [
      "sql",
      "june",
      "const june = sql`select record.distance as distance, record.origin as origin from requests where month(record.date::timestamp) = 6`",
    ],
    ["sql", "count", "const seen = sql`select count(*)::int as n, count(distinct id)::int as ids from requests`"],
    [
      "code",
      "n",
      "const [{ n, ids }] = await seen.rows()\nif (n !== 20000 || ids !== 20000) throw new Error(`the log holds ${n} rows of ${ids} requests`)\nn",
    ],
    ["drift", "drift", `const moved = await drift({ reference: { name: "flights", version: "champion" }, current: june })`],
    ["sql", "march", `const march = ${source("date >= timestamp '2001-03-01' and date < timestamp '2001-03-16'", 20)}`],
    ["drift", "calm", `const still = await drift({ reference: { name: "flights", version: "champion" }, current: march, columns: ["distance"] })`],
    [
      "code",
      "fires",
      `const score = (found) => found.columns.find((c) => c.column === "distance").score
if (!moved.breached || !moved.columns.find((c) => c.column === "distance").drifted) throw new Error("no drift seen: " + moved.sentence)
if (!(score(moved) > 5 * score(still))) throw new Error("June's injected requests (" + score(moved) + ") moved no more than March's own flights (" + score(still) + ")")`,
    ],
  ]);
  const watch = await touchstone("run", join(workspace, "watch.nb.ts"));
  expect(watch.code, watch.text).toBe(0);

  // retrain with April and May; June's second half has been seen by neither version
  const retrained = (name: string, rows: string, more: string): void =>
    notebook(name, [
      ["sql", "flights", `const flights = ${rows}`],
      ["code", "split", `const parts = flights.split({ by: "time", key: "date", cut: ["2001-05-16", "2001-06-01"] })`],
      ["baseline", "floor", `const floor = await baseline({ split: parts, task: ${task}, metric: "log loss", using: ["prior"] })`],
      ["code", "feats", featureCell],
      ["train", "model", `const model = await train({ split: parts, task: ${task}, against: floor, features: feats, ${more} })`],
      ["promote", "promote", `const live = await promote({ name: "flights", model, against: floor, budget: { p99Ms: 200, bytes: 1_000_000 } })`],
    ]);
  retrained("second", source("date < timestamp '2001-07-01'", 10), `model: "mlp", epochs: 6, batch: 256`);
  const second = await touchstone("run", join(workspace, "second.nb.ts"), "--promote");
  expect(second.code, second.text).toBe(0);
  expect((await predict([record(1, 6)])).version).toBe("2");

  // a bad version 3: labels drawn by lot
  retrained(
    "third",
    source("date < timestamp '2001-07-01'", 40).replace("delay > 15 as late", "hash(file_row_number) % 5 = 0 as late"),
    `model: "linear", epochs: 2, batch: 256`,
  );
  const third = await touchstone("run", join(workspace, "third.nb.ts"), "--promote");
  expect(third.code, third.text).toBe(2);
  expect(third.text).toMatch(/baseline/);
  expect((await predict([record(2, 6)])).version).toBe("2");

  // roll back: a pointer swap, no request fails
  const during = send(400, (i) => record(i, 6));
  const back = await server.fetch("/api/ts/models/flights/rollback", { method: "POST" });
  expect(back.status).toBe(200);
  expect([...(await during)].every((version) => version === "1" || version === "2")).toBe(true);
  expect((await predict([record(3, 6)])).version).toBe("1");
});
