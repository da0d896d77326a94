import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { logSql } from "../../kernels/data/log.js";
import { duck, stageTiny } from "../../test/support/version.js";
import { createServing } from "./serving.js";
import type { Serving } from "./types.js";

const root = mkdtempSync(join(tmpdir(), "touchstone-serving-"));
const log = { info: () => undefined, error: () => undefined };
let serving: Serving;
const open = (): Serving => createServing({ root, log, compactEvery: 0 });

beforeAll(() => {
  serving = open();
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
const name = "half-plus-three";
const predict = (instances: unknown[], headers?: Record<string, string>): Promise<Response> =>
  post(`/v1/models/${name}:predict`, { instances }, headers);

it("judges a version by six gates, commits it once and serves TF Serving's golden pair", async () => {
  const request = await stageTiny(root, name);
  const proposal = await serving.propose(request);
  expect(proposal.gates.map((gate) => [gate.name, gate.verdict, gate.sentence])).toMatchObject([
    ["baseline", "pass", expect.stringContaining("beats mean")],
    ["incumbent", "skip", "no version is in use yet"],
    ["budget", "pass", expect.stringContaining("p99")],
    ["signature", "pass", expect.any(String)],
    ["parity", "pass", expect.stringContaining("bit-equal")],
    ["leakage", "pass", expect.stringContaining("`x` (correlation")],
  ]);
  expect(proposal).toMatchObject({ passed: true, version: null, url: null });
  expect((await predict([1])).status).toBe(404);
  // the same bytes are the same proposal
  const again = await serving.propose(await stageTiny(root, name));
  expect(again.id).toBe(proposal.id);

  const [first, second] = await Promise.all([serving.commit(proposal.id, "ada"), serving.commit(proposal.id, "ada")]);
  expect(first).toMatchObject({ version: 1, url: `/v1/models/${name}:predict` });
  expect(second.version).toBe(1);
  expect(serving.history(name)).toHaveLength(1);

  const answer = await predict([1.0, 2.0, 5.0], { "x-request-id": "golden" });
  expect(await answer.json()).toEqual({ predictions: [3.5, 4.0, 5.5] });
  expect(Object.fromEntries(answer.headers)).toMatchObject({ "x-touchstone-version": "1", "x-touchstone-arm": "champion", "x-request-id": "golden" });
});

it("answers every request form alike, in each protocol's own shape", async () => {
  const mlflow = async (body: unknown, type = "application/json"): Promise<unknown> =>
    (await post("/invocations", body, { "content-type": type })).json();
  expect(await (await post(`/v1/models/${name}/versions/1:predict`, { inputs: { x: [1, 2, 5] } })).json()).toEqual({ outputs: [3.5, 4, 5.5] });
  expect(await (await post(`/v1/models/${name}/labels/champion:predict`, { instances: [{ x: 1 }] })).json()).toEqual({ predictions: [3.5] });
  const infer = { id: "42", inputs: [{ name: "x", shape: [3, 1], datatype: "FP32", data: [[1], [2], [5]] }] };
  expect(await (await post(`/v2/models/${name}/infer`, infer)).json()).toEqual({
    ...{ model_name: name, model_version: "1", id: "42" },
    outputs: [{ name: "y", datatype: "FP64", shape: [3], data: [3.5, 4, 5.5] }],
  });
  expect(await mlflow({ dataframe_split: { columns: ["x"], data: [[1], [2], [5]] } })).toEqual({ predictions: [3.5, 4, 5.5] });
  expect(await mlflow({ dataframe_records: [{ x: 1 }] })).toEqual({ predictions: [3.5] });
  expect(await mlflow("x\n1\n2\n5\n", "text/csv")).toEqual({ predictions: [3.5, 4, 5.5] });
});

it("reads and writes tensors of the binary extension", async () => {
  const head = Buffer.from(
    JSON.stringify({
      inputs: [{ name: "x", shape: [3], datatype: "FP32", parameters: { binary_data_size: 12 } }],
      outputs: [{ name: "y", parameters: { binary_data: true } }],
    }),
  );
  const body = Buffer.concat([head, Buffer.from(Float32Array.of(1, 2, 5).buffer)]);
  const answer = await serving.app.request(`/v2/models/${name}/infer`, {
    method: "POST",
    body,
    headers: { "content-type": "application/octet-stream", "inference-header-content-length": String(head.length) },
  });
  const bytes = await answer.arrayBuffer();
  const length = Number(answer.headers.get("inference-header-content-length"));
  expect(JSON.parse(Buffer.from(bytes.slice(0, length)).toString())).toMatchObject({
    outputs: [{ shape: [3], parameters: { binary_data_size: 24 } }],
  });
  expect([...new Float64Array(bytes.slice(length))]).toEqual([3.5, 4, 5.5]);
});

it("tells status, metadata and health", async () => {
  const get = async (path: string): Promise<unknown> => (await serving.app.request(path)).json();
  expect(await get(`/v1/models/${name}`)).toEqual({
    model_version_status: [{ version: "1", state: "AVAILABLE", status: { error_code: "OK", error_message: "" } }],
  });
  expect(await get(`/v1/models/${name}/metadata`)).toMatchObject({ model_spec: { name, signature_name: "serving_default", version: "1" } });
  expect(await get(`/v2/models/${name}`)).toMatchObject({ name, versions: ["1"], inputs: [{ name: "x", datatype: "FP64", shape: [-1] }] });
  expect(await get("/v2/health/live")).toEqual({ live: true });
  expect(await get(`/v2/models/${name}/ready`)).toEqual({ name, ready: true });
  expect(await get("/v2")).toEqual({ name: "touchstone", version: "1", extensions: ["binary_tensor_data"] });
  expect((await serving.app.request("/ping")).status).toBe(200);
  const metrics = await (await serving.app.request("/metrics")).text();
  expect(metrics).toContain(`touchstone_request_duration_seconds_count{model_name="${name}",version="1",arm="champion",status="200"}`);
  expect(metrics).toContain(`touchstone_host_up{model_name="${name}",version="1"} 1`);
});

describe("wrong input is told by name and changes nothing", () => {
  const v1 = `/v1/models/${name}:predict`;
  const v2 = `/v2/models/${name}/infer`;
  const tensor = (more: object): object => ({ inputs: [{ name: "x", shape: [1], datatype: "FP64", data: [1], ...more }] });
  const cases: [string, string, unknown, number, RegExp, Record<string, string>?][] = [
    ["empty body", v1, "", 400, /body is empty/],
    ["no JSON", v1, "{", 400, /not JSON/],
    ["NaN", v1, '{"instances":[NaN]}', 400, /NaN or Infinity/],
    ["a list", v1, "[1]", 400, /Expected an object/],
    ["neither key", v1, {}, 400, /neither `instances` nor `inputs`/],
    ["both keys", v1, { instances: [1], inputs: [1] }, 400, /both/],
    ["no rows", v1, { instances: [] }, 400, /`instances` is empty/],
    ["instances no list", v1, { instances: 1 }, 400, /Expected a list/],
    ["missing field", v1, { instances: [{ z: 1 }] }, 400, /instances\[0\]: the field `x` \(double\) is missing/],
    ["null", v1, { instances: [{ x: 1 }, { x: null }] }, 400, /instances\[1\]\.x: null is not allowed/],
    ["text for a number", v1, { instances: [{ x: "far" }] }, 400, /instances\[0\]\.x: Expected a number, got "far"/],
    ["list for a number", v1, { instances: [{ x: [1] }] }, 400, /Expected a number/],
    ["column of another length", v1, { inputs: { x: [1, 2], z: [1] } }, 400, /`inputs\.z` has 1 values/],
    ["column no list", v1, { inputs: { x: 1 } }, 400, /`inputs\.x`: Expected a list/],
    ["unknown model", "/v1/models/nobody:predict", { instances: [1] }, 404, /nobody/],
    ["unknown version", `/v1/models/${name}/versions/9:predict`, { instances: [1] }, 404, /Specific\(half-plus-three, 9\)/],
    ["unknown label", `/v1/models/${name}/labels/best:predict`, { instances: [1] }, 404, /no such path/],
    ["no challenger", `/v1/models/${name}/labels/challenger:predict`, { instances: [1] }, 404, /challenger/],
    ["name with dots", "/v1/models/..%2f..:predict", { instances: [1] }, 404, /no such path/],
    ["wrong content type", v1, "x", 415, /content type image\/png/, { "content-type": "image/png" }],
    ["long request id", v1, { instances: [1] }, 400, /X-Request-Id/, { "x-request-id": "a".repeat(300) }],
    ["v2 no inputs", v2, {}, 400, /`inputs`: Expected a list/],
    ["v2 unknown type", v2, tensor({ datatype: "FLOAT" }), 400, /datatype of `x`/],
    ["v2 shape", v2, tensor({ shape: "x" }), 400, /shape of `x`/],
    ["v2 count", v2, tensor({ shape: [2] }), 400, /wants 2 values, got 1/],
    ["v2 missing", v2, tensor({ name: "z" }), 400, /field `x`/],
    ["v2 output", v2, { ...tensor({}), outputs: [{ name: "w" }] }, 400, /Expected `y`/],
    ["v2 binary size", v2, tensor({ data: undefined, parameters: { binary_data_size: 99 } }), 400, /beyond the body/],
    ["v2 header", v2, tensor({}), 400, /Inference-Header-Content-Length/, { "inference-header-content-length": "no" }],
    ["mlflow two keys", "/invocations", { instances: [1], inputs: [1] }, 400, /exactly one/],
    ["mlflow split", "/invocations", { dataframe_split: { columns: ["x"], data: [[1, 2]] } }, 400, /Expected 1 values, got 2/],
    ["mlflow type", "/invocations", "x", 415, /content type text\/html/, { "content-type": "text/html" }],
    ["mlflow charset", "/invocations", "{}", 415, /charset=latin1/, { "content-type": "application/json; charset=latin1" }],
    ["mlflow model", "/invocations?model=nobody", { inputs: [1] }, 404, /nobody/],
    ["feedback without id", `/v1/models/${name}:feedback`, { value: 1 }, 400, /`id`/],
    ["feedback without value", `/v1/models/${name}:feedback`, { id: "a" }, 400, /`value`/],
    ["feedback row", `/v1/models/${name}:feedback`, { id: "a", value: 1, row: -1 }, 400, /`row`/],
    ["feedback time", `/v1/models/${name}:feedback`, { id: "a", value: 1, event_at: "soon" }, 400, /`event_at`/],
    ["feedback time in nanoseconds", `/v1/models/${name}:feedback`, { id: "a", value: 1, event_at: 1.7e18 }, 400, /`event_at`.*ms since 1970/],
    ["feedback of null", `/v1/models/${name}:feedback`, { id: "a", value: null }, 400, /`value`/],
    ["feedback of Infinity", `/v1/models/${name}:feedback`, '{ "id": "a", "value": 1e999 }', 400, /`value`/],
    ["feedback of 33 MB", `/v1/models/${name}:feedback`, "x".repeat(33 << 20), 413, /32 MB/],
    ["a path that is no UTF-8", "/v1/models/%E0%A4:predict", { instances: [1] }, 400, /no UTF-8/],
    ["v2 a path that is no UTF-8", "/v2/models/%ff/infer", tensor({}), 400, /no UTF-8/],
    ["feedback of nobody", "/v1/models/nobody:feedback", { id: "a", value: 1 }, 404, /nobody/],
  ];
  it.each(cases)("%s", async (_, path, body, status, message, headers) => {
    const answer = await post(path, body, headers);
    const shown = (await answer.json()) as { error?: string; message?: string };
    expect(shown.error ?? shown.message).toMatch(message);
    expect(answer.status).toBe(status);
    expect((shown.error !== undefined) !== path.startsWith("/invocations")).toBe(true);
  });
  it("of the wrong method", async () => {
    expect((await serving.app.request(v1)).status).toBe(405);
    expect((await post(`/v1/models/${name}`, {})).status).toBe(405);
    const methods = [
      ["PUT", `/v1/models/${name}`],
      ["DELETE", `/v2/models/${name}`],
      ["PUT", "/invocations"],
    ] as const;
    for (const [method, path] of methods) expect((await serving.app.request(path, { method })).status).toBe(405);
  });
});

it("warns of values outside the training range and of extra columns, and counts them", async () => {
  const answer = await predict([{ x: 1e6, note: "extra" }]);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("x-touchstone-warnings")).toBe("2");
});

it("logs each row once, joins the latest outcome, and Parquet holds the same", async () => {
  await predict([{ x: 1 }, { x: 2 }], { "x-request-id": "logged", "x-touchstone-key": "k1", "x-touchstone-durable": "true" });
  await post(`/v1/models/${name}:feedback`, { id: "logged", row: 1, value: 4.5, event_at: "2026-01-02T00:00:00Z" });
  await post(`/v1/models/${name}:feedback`, { feedback: [{ id: "logged", row: 1, value: 3.9, event_at: "2026-01-01T00:00:00Z" }] });
  const signature = serving.served(name, 1)!.signature;
  const read = async (): Promise<Record<string, unknown>[]> => {
    const files = await serving.handle("log.files", { name });
    return duck(`select * from (${logSql(files, signature, {})}) where id = 'logged' order by "row"`);
  };
  const rows = await read();
  expect(rows).toMatchObject([
    { row: 0, version: 1, arm: "champion", key: "k1", probability: 1, record: { x: 1 }, prediction: 3.5, outcome: null, status: "ok" },
    { row: 1, record: { x: 2 }, prediction: 4, outcome: 4.5 },
  ]);
  const count = async (): Promise<number> =>
    Number((await duck(`select count(*)::int as n from (${logSql(await serving.handle("log.files", { name }), signature, {})})`))[0]!["n"]);
  const before = await count();
  await serving.compact(true);
  const files = await serving.handle("log.files", { name });
  expect([files.parquet.length, files.segments.length]).toEqual([1, 0]);
  expect(await read()).toEqual(rows);
  await predict([{ x: 7 }]);
  expect(await count()).toBe(before + 1);
});

it("refuses a worse version by name, takes a better one, and rolls back without a failed request", async () => {
  const bad = await serving.propose(await stageTiny(root, name, { slope: -2, label: "upside down" }));
  expect(bad.passed).toBe(false);
  expect(bad.sentence).toMatch(/^Not promoted: baseline gate, does not beat mean/);
  expect(bad.gates.find((gate) => gate.name === "incumbent")).toMatchObject({ verdict: "fail", sentence: expect.stringContaining("version 1") });
  await expect(serving.commit(bad.id, "ada")).rejects.toThrow("Not promoted");
  expect(serving.model(name)?.champion).toBe(1);

  // judged while version 1 was in use; the other is committed first
  const late = await serving.propose(await stageTiny(root, name, { intercept: 9, label: "worse by six" }, { margin: -100 }));
  expect(late.gates[0]).toMatchObject({ verdict: "pass" });
  const better = await serving.propose(await stageTiny(root, name, { intercept: 3.001, label: "a little more" }));
  expect(better.gates.find((gate) => gate.name === "incumbent")).toMatchObject({ verdict: "pass" });
  let stop = false;
  const statuses: number[] = [];
  const traffic = (async () => {
    while (!stop) statuses.push((await predict([1])).status);
  })();
  expect(await serving.commit(better.id, "ada")).toMatchObject({ version: 2 });
  expect((await predict([1])).headers.get("x-touchstone-version")).toBe("2");
  await expect(serving.commit(late.id, "ada")).rejects.toThrow(/incumbent gate, worse than the incumbent: .* of version 2/);
  await serving.rollback(name, "ada");
  expect((await predict([1])).headers.get("x-touchstone-version")).toBe("1");
  stop = true;
  await traffic;
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect(serving.model(name)).toMatchObject({ champion: 1, versions: [{ version: 1 }, { version: 2 }] });
});

it("is the same after a restart, and only one process owns it", async () => {
  expect(open).toThrow(/another Touchstone owns this folder/);
  const before = serving.models().map(({ traffic: _, hosts: __, ...rest }) => rest);
  await serving.close();
  serving = open();
  await serving.ready;
  expect(serving.models().map(({ traffic: _, hosts: __, ...rest }) => rest)).toEqual(before);
  expect(await (await predict([1, 2, 5])).json()).toEqual({ predictions: [3.5, 4, 5.5] });
});

it("retires a model", async () => {
  await serving.retire(name, "ada");
  expect(serving.models()).toEqual([]);
  expect((await predict([1])).status).toBe(404);
});
