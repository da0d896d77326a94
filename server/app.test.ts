/** Routes by app.request(): no port, no kernel, no engine. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hono } from "hono";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { HomeView } from "../kernels/protocol/http.js";
import type { ModelSummary, Proposal } from "../kernels/protocol/serving.js";
import { accessOf } from "./access.js";
import { createApp } from "./app.js";
import type { ServingPort } from "./effects.js";
import { silent } from "./log.js";
import { Settings } from "./settings.js";
import { JupyterKernels } from "./jupyter/kernels.js";
import { createSessions, type Sessions } from "./sessions/sessions.js";

let root: string;
let sessions: Sessions;
let jupyter: JupyterKernels;
let app: Hono;
let told: string[];
const access = accessOf("c".repeat(64));
const model = { name: "flights", champion: 2, versions: [] } as unknown as ModelSummary;
const proposal = { id: "p1", name: "flights", passed: true } as unknown as Proposal;

const serving: ServingPort = {
  app: new Hono().post("/v1/models/flights:predict", (c) => c.json({ predictions: [1] })),
  handle: (async (method: string) => {
    if (method === "registry.resolve") return null;
    throw new Error("the folder holds no version");
  }) as ServingPort["handle"],
  models: () => [model],
  model: (name) => (name === "flights" ? model : null),
  history: () => [],
  served: () => null,
  proposals: () => [proposal],
  proposal: (id) => (id === "p1" ? proposal : null),
  commit: async (id, by) => {
    told.push(`commit ${id} ${by}`);
    if (id !== "p1") throw new Error("there is no such proposal");
    return { ...proposal, version: 3 };
  },
  rollback: async (name, by) => {
    told.push(`rollback ${name} ${by}`);
    return model;
  },
  share: async () => model,
  retire: async (name) => void told.push(`retire ${name}`),
  close: async () => {},
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "touchstone-app-"));
  told = [];
  const demo = join(root, "workspaces", "demo");
  mkdirSync(join(demo, "data"), { recursive: true });
  mkdirSync(join(demo, "node_modules"));
  writeFileSync(join(demo, "package.json"), "{}");
  writeFileSync(join(demo, "data", "a.csv"), "x\n1\n");
  writeFileSync(join(demo, "one.nb.ts"), `// ---\n// title: First\n// ---\n\n// %% id="a"\nconst a = 1\n`);
  writeFileSync(join(root, "secret.txt"), "s");
  symlinkSync(root, join(demo, "out"));
  mkdirSync(join(root, "web", "assets"), { recursive: true });
  writeFileSync(join(root, "web", "index.html"), "<!doctype html><touch-app></touch-app>");
  writeFileSync(join(root, "web", "assets", "main-abc.js"), `export const text = ${JSON.stringify("x".repeat(5000))}`);
  sessions = createSessions({
    root,
    log: silent,
    handle: serving.handle,
    watch: false,
    takeKernel: () => Promise.reject(new Error("no kernels here")),
  });
  app = createApp({
    root,
    web: join(root, "web"),
    cache: true,
    access,
    log: silent,
    now: () => 0,
    sessions,
    jupyter: (jupyter = new JupyterKernels(sessions)),
    serving,
    settings: new Settings(root),
    doctor: async () => [{ name: "Node", state: "ok", found: "v20" }],
  });
});
afterEach(async () => {
  await jupyter.close();
  await sessions.close();
  rmSync(root, { recursive: true, force: true });
});

const host = "127.0.0.1:4747";
const ask = (method: string, path: string, body?: unknown, headers: Record<string, string> = { authorization: `Bearer ${access.token}` }) =>
  app.request(`http://${host}${path}`, {
    method,
    headers: { host, ...headers, ...(body !== undefined && { "content-type": "application/json" }) },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });

describe("review queues", () => {
  const queue = "/api/ts/review/demo/late";
  it("are made, listed and answered; an answer to what another window changed is refused", async () => {
    expect((await ask("POST", "/api/ts/review", { workspace: "demo", name: "late", labels: ["late", "on time"] })).status).toBe(201);
    const file = join(root, "workspaces/demo/data/review/late.ndjson");
    const item = { type: "item", at: "2026", key: "k", record: { x: 1 }, reason: { kind: "complaint", text: "a caller" }, probability: null };
    writeFileSync(
      file,
      `${readFileSync(file, "utf8")}${JSON.stringify({ ...item, guess: "late", from: { notebook: "n", cell: "c", batch: "b" } })}\n`,
    );
    expect(await (await ask("GET", "/api/ts/review")).json()).toMatchObject({ queues: [{ name: "late", href: "/review/demo/late", waiting: 1 }] });
    expect(await (await ask("GET", queue)).json()).toMatchObject({ open: [{ key: "k", rev: 0, hasGuess: true, guess: null }] });
    expect(await (await ask("GET", `${queue}?guess=shown`)).json()).toMatchObject({ open: [{ guess: "late" }] });
    const press = { key: "k", rev: 0, by: "Ann", use: "use", label: "late" };
    expect(await (await ask("POST", `${queue}/answer`, press)).json()).toMatchObject({ queue: { answered: 1 }, done: [{ answer: { by: "Ann" } }] });
    const twice = await ask("POST", `${queue}/answer`, press);
    expect([twice.status, await twice.text()]).toEqual([409, expect.stringContaining("answered `late` by Ann in another window")]);
    expect(await (await ask("POST", `${queue}/note`, { key: "k", text: " why? " })).json()).toMatchObject({ done: [{ note: "why?", rev: 1 }] });
    expect(await (await ask("POST", `${queue}/flag`, { key: "k", flagged: true })).json()).toMatchObject({ queue: { flagged: 1 } });
    expect(await (await ask("POST", `${queue}/undo`, { key: "k", rev: 1 })).json()).toMatchObject({ queue: { answered: 0 }, open: [{ rev: 2 }] });
    expect(await (await ask("POST", `${queue}/skip`, { key: "k", rev: 2 })).json()).toMatchObject({ queue: { skipped: 1 } });
  });
  it.each([
    ["GET", "/api/ts/review/demo/none", undefined, 404, "no queue none in demo"],
    ["POST", "/api/ts/review", { workspace: "nowhere", name: "late" }, 404, "nowhere"],
    ["POST", "/api/ts/review", { workspace: "demo", name: "a/b" }, 400, "queue's name"],
    ["POST", "/api/ts/review/demo/none/skip", { key: "k", rev: -1 }, 400, "rev"],
    ["POST", "/api/ts/review/demo/none/note", { key: "k", text: "x".repeat(2001) }, 400, "text"],
    ["POST", "/api/ts/review/send", { path: "workspaces/demo/one.nb.ts", cell: "a", batch: "b" }, 404, "shows no result"],
  ])("refuse %s %s %j", async (method, path, given, status, says) => {
    const answer = await ask(method, path, given);
    expect([answer.status, await answer.text()]).toEqual([status, expect.stringContaining(says)]);
    expect(existsSync(join(root, "workspaces/demo/data/review"))).toBe(false);
  });
  it("need the token", async () => {
    expect((await ask("GET", "/api/ts/review", undefined, {})).status).toBe(401);
  });
});

describe("home and files", () => {
  it("lists workspaces, notebooks, models and examples", async () => {
    const home = (await (await ask("GET", "/api/ts/home")).json()) as HomeView;
    expect(home.workspaces).toEqual([
      {
        name: "demo",
        notebooks: [
          expect.objectContaining({ path: "workspaces/demo/one.nb.ts", href: "/w/demo/n/one.nb.ts", title: "First", lastRun: null, kernel: null }),
        ],
      },
    ]);
    expect(home.models).toEqual([model]);
    expect(home.examples.map((example) => example.name)).toEqual(["flights", "digits", "ridership"]);
  });

  it("lists a workspace's files without packages, hidden files and links", async () => {
    expect(await (await ask("GET", "/api/ts/files?workspace=demo")).json()).toMatchObject([
      { name: "data", kind: "folder" },
      { name: "one.nb.ts", kind: "file" },
      { name: "package.json", kind: "file" },
    ]);
    expect(await (await ask("GET", "/api/ts/files?workspace=demo&path=data")).json()).toMatchObject([{ path: "data/a.csv", bytes: 4 }]);
  });

  it("makes, renames and deletes a notebook", async () => {
    const made = await ask("POST", "/api/ts/notebooks", { workspace: "demo", name: "Über Flüge!" });
    expect(made.status).toBe(201);
    expect(await made.json()).toEqual({ path: "workspaces/demo/uber-fluge.nb.ts", href: "/w/demo/n/uber-fluge.nb.ts" });
    expect(await (await ask("POST", "/api/ts/notebooks", { workspace: "demo", name: "Über Flüge!" })).json()).toMatchObject({
      path: "workspaces/demo/uber-fluge-2.nb.ts",
    });
    expect(await (await ask("POST", "/api/ts/notebooks", { workspace: "fresh" })).json()).toMatchObject({ path: "workspaces/fresh/notebook.nb.ts" });
    expect((await ask("GET", "/api/ts/notebooks/state?path=workspaces/demo/uber-fluge.nb.ts")).status).toBe(200);
    expect(await (await ask("POST", "/api/ts/notebooks/rename", { path: "demo/uber-fluge.nb.ts", to: "two" })).json()).toMatchObject({
      path: "workspaces/demo/two.nb.ts",
    });
    expect(existsSync(join(root, "workspaces/demo/two.nb.ts"))).toBe(true);
    expect((await ask("DELETE", "/api/ts/notebooks?path=workspaces/demo/two.nb.ts")).status).toBe(200);
    expect(existsSync(join(root, "workspaces/demo/two.nb.ts"))).toBe(false);
  });

  it("copies an example in once and opens it", async () => {
    const opened = await ask("POST", "/api/ts/examples/ridership/open?run=no");
    expect(await opened.json()).toEqual({ path: "workspaces/ridership/yesterday.nb.ts", href: "/w/ridership/n/yesterday.nb.ts" });
    expect(existsSync(join(root, "workspaces/ridership/data"))).toBe(true);
    writeFileSync(join(root, "workspaces/ridership/mine.txt"), "kept");
    await ask("POST", "/api/ts/examples/ridership/open?run=no");
    expect(readFileSync(join(root, "workspaces/ridership/mine.txt"), "utf8")).toBe("kept");
  });
});

describe("wrong requests change nothing and say why", () => {
  it.each([
    ["GET", "/api/ts/nope", undefined, 404],
    ["GET", "/api/ts/files", undefined, 400],
    ["GET", "/api/ts/files?workspace=..", undefined, 400],
    ["GET", "/api/ts/files?workspace=demo&path=../..", undefined, 400],
    ["GET", "/api/ts/files?workspace=demo&path=out", undefined, 400],
    ["GET", "/api/ts/files?workspace=none", undefined, 404],
    ["GET", "/api/ts/notebooks/state", undefined, 400],
    ["GET", "/api/ts/notebooks/state?path=demo/none.nb.ts", undefined, 404],
    ["GET", "/api/ts/notebooks/state?path=secret.txt", undefined, 400],
    ["GET", "/api/ts/notebooks/state?path=../x.nb.ts", undefined, 400],
    ["GET", "/api/ts/notebooks/state?path=/etc/x.nb.ts", undefined, 400],
    ["GET", "/api/ts/notebooks/state?path=demo/a%00.nb.ts", undefined, 400],
    ["POST", "/api/ts/notebooks", "{", 400],
    ["POST", "/api/ts/notebooks", [], 400],
    ["POST", "/api/ts/notebooks", { workspace: "../x" }, 400],
    ["POST", "/api/ts/notebooks", { workspace: "a/b" }, 400],
    ["POST", "/api/ts/notebooks", { workspace: 5 }, 400],
    ["POST", "/api/ts/notebooks/rename", { path: "demo/one.nb.ts" }, 400],
    ["POST", "/api/ts/notebooks/rename", { path: "demo/one.nb.ts", to: "../x" }, 400],
    ["POST", "/api/ts/notebooks/rename", { path: "demo/one.nb.ts", to: "one" }, 409],
    ["POST", "/api/ts/notebooks/rename", { path: "demo/none.nb.ts", to: "two" }, 404],
    ["DELETE", "/api/ts/notebooks", undefined, 400],
    ["DELETE", "/api/ts/notebooks?path=workspaces/demo/package.json", undefined, 400],
    ["POST", "/api/ts/examples/none/open", undefined, 404],
    ["GET", "/api/ts/outputs/text?path=demo/one.nb.ts&cell=zz", undefined, 404],
    ["GET", "/api/ts/outputs/text?path=demo/one.nb.ts&cell=a", undefined, 404],
    ["GET", "/api/ts/tables/export?path=demo/one.nb.ts", undefined, 400],
    ["GET", "/api/ts/tables/export?path=demo/one.nb.ts&relation=t&format=xls", undefined, 400],
    ["GET", "/api/ts/tables/export?path=demo/one.nb.ts&relation=t&sort=x", undefined, 400],
    ["GET", `/api/ts/tables/export?path=demo/one.nb.ts&relation=t&sort=${encodeURIComponent('[{"column":"a"}]')}`, undefined, 400],
    ["GET", `/api/ts/tables/export?path=demo/one.nb.ts&relation=t&where=${encodeURIComponent('[{"op":"drop","column":"a"}]')}`, undefined, 400],
    ["GET", "/api/ts/tables/export?path=demo/one.nb.ts&relation=t", undefined, 409],
    ["GET", "/api/ts/models/none", undefined, 404],
    ["GET", "/api/ts/models/flights/versions/9", undefined, 404],
    ["GET", "/api/ts/models/flights/versions/x", undefined, 404],
    ["GET", "/api/ts/proposals/none", undefined, 404],
    ["POST", "/api/ts/proposals/none/commit", undefined, 409],
    ["POST", "/api/ts/models/none/rollback", undefined, 404],
    ["POST", "/api/ts/models/flights/share", { share: 2 }, 400],
    ["POST", "/api/ts/calls", { method: "registry.commit" }, 400],
    ["POST", "/api/ts/calls", { method: "registry.propose", params: {} }, 409],
    ["POST", "/api/ts/calls", { method: "prompt", params: {} }, 409],
    ["GET", "/%E0%A4%A", undefined, 400],
    ["GET", "/assets/none.js", undefined, 404],
  ] as const)("%s %s", async (method, path, body, status) => {
    const answer = await ask(method, path, body);
    expect(answer.status).toBe(status);
    const { error } = (await answer.json()) as { error: { code: string; message: string } };
    expect(error.message).toMatch(/[.]$|version$|proposal$|page its table\.$/);
    expect(existsSync(join(root, "workspaces/demo/one.nb.ts"))).toBe(true);
  });
});

describe("models", () => {
  it("are serving's, with who asked", async () => {
    expect(await (await ask("GET", "/api/ts/models")).json()).toEqual({ models: [model], proposals: [proposal] });
    expect(await (await ask("GET", "/api/ts/models/flights")).json()).toEqual({ model, history: [] });
    expect(await (await ask("POST", "/api/ts/proposals/p1/commit?by=run%20--promote")).json()).toMatchObject({ version: 3 });
    await ask("POST", "/api/ts/models/flights/rollback?by=<script>");
    await ask("POST", "/api/ts/models/flights/retire");
    expect(told).toEqual(["commit p1 run --promote", "rollback flights page", "retire flights"]);
    expect(await (await ask("POST", "/api/ts/calls", { method: "registry.resolve", params: {} })).json()).toEqual({ value: null });
  });
});

describe("the page", () => {
  it("answers the shell for every page address, with a policy that lets in no foreign script", async () => {
    for (const path of ["/", "/w/demo/n/one.nb.ts", "/models/flights/v/2", "/settings"]) {
      const answer = await ask("GET", path);
      expect(answer.status).toBe(200);
      expect(await answer.text()).toContain("touch-app");
      const policy = answer.headers.get("content-security-policy")!;
      expect(policy).toContain("script-src 'self'");
      expect(policy).not.toMatch(/https?:/);
      expect(policy).toContain("frame-ancestors 'none'");
    }
  });

  it("compresses, and lets hashed files be kept for ever", async () => {
    const answer = await ask("GET", "/assets/main-abc.js", undefined, { "accept-encoding": "gzip, br" });
    expect(answer.headers.get("content-encoding")).toBe("br");
    expect(answer.headers.get("cache-control")).toContain("immutable");
    expect((await answer.arrayBuffer()).byteLength).toBeLessThan(500);
    const again = await ask("GET", "/assets/main-abc.js", undefined, { "if-none-match": answer.headers.get("etag")! });
    expect(again.status).toBe(304);
    expect((await ask("GET", "/")).headers.get("cache-control")).toBe("no-cache");
  });

  it("frames foreign HTML in an origin of its own", async () => {
    const policy = (await ask("GET", "/api/ts/frame")).headers.get("content-security-policy")!;
    expect(policy).toMatch(/^sandbox allow-scripts;/);
    expect(policy).not.toContain("allow-same-origin");
    expect(policy).toContain("default-src 'none'");
  });

  it("asks who is there, and leaves serving's endpoints to their callers", async () => {
    expect((await ask("GET", "/", undefined, {})).status).toBe(401);
    expect((await ask("GET", "/api/ts/home", undefined, {})).status).toBe(401);
    expect((await ask("POST", "/v1/models/flights:predict", {}, {})).status).toBe(200);
    expect((await ask("POST", "/v1/models/flights:predict", {}, { origin: "https://evil.example" })).status).toBe(403);
    const exchange = await ask("GET", `/settings?token=${access.token}`, undefined, {});
    expect(exchange.status).toBe(302);
    expect(exchange.headers.get("location")).toBe("/settings");
    const cookie = exchange.headers.get("set-cookie")!.split(";")[0]!;
    expect((await ask("GET", "/api/ts/home", undefined, { cookie })).status).toBe(200);
    expect((await ask("POST", "/api/ts/notebooks", {}, { cookie })).status).toBe(403);
    expect((await ask("POST", "/api/ts/notebooks", {}, { cookie, origin: `http://${host}` })).status).toBe(201);
  });
});
