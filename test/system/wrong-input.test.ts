/** Wrong input to every public entry: a clear error, and nothing changes. Each row is one case. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import WebSocket from "ws";
import { packageRoot } from "../../kernels/paths/paths.js";
import type { Command } from "../../kernels/protocol/document.js";
import { NotebookClient } from "../support/notebook.js";
import { startServer, type RunningServer } from "../support/server.js";

const root = mkdtempSync(join(tmpdir(), "touchstone-wrong-"));
const folder = join(root, "workspaces", "wrong");
const path = "workspaces/wrong/main.nb.ts";
let server: RunningServer;
let client: NotebookClient;
let taken: Server;
let takenPort = 0;

const setup = `// %% id="kept"
const kept = 41

// %% [sql] id="rows"
const rows = sql\`select i as id, date '2020-01-01' + i::int as day, i % 7 as x, (i * 7919) % 5 = 0 as y, 1.5 * i as amount from range(400) t(i)\`

// %% id="split"
const parts = rows.split({ by: "time", key: "day", cut: ["2020-10-01", "2020-12-01"] })

// %% [baseline] id="floor"
const floor = await baseline({ split: parts, task: { kind: "binary", target: "y" }, using: ["prior"] })

// %% id="feats"
const feats = features({ input: { x: "double" }, row: (r) => [r.x / 7] })

// %% [train] id="model"
const model = await train({ split: parts, against: floor, features: feats, model: "linear", epochs: 1 })

// %% [promote] id="served"
const served = await promote({ name: "wrong", model, against: floor, margin: -10 })
`;

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), `{ "name": "wrong", "private": true }`);
  writeFileSync(join(folder, "main.nb.ts"), setup);
  writeFileSync(join(folder, "conflict.nb.ts"), `// %% id="a"\n<<<<<<< HEAD\n1\n=======\n2\n>>>>>>> other\n`);
  writeFileSync(join(folder, "open.nb.ts"), `// %% id="a"\nconst t = \`never closed\n`);
  writeFileSync(join(folder, "binary.nb.ts"), Buffer.from([0xff, 0xfe, 0, 1, 2, 0x80, 0xc3, 0x28]));
  writeFileSync(join(folder, "empty.nb.ts"), "");
  writeFileSync(join(folder, "clash.nb.ts"), `// %% id="a"\nconst x = 1\n\n// %% id="b"\nconst x = 2\n`);
  server = await startServer({ root });
  client = await NotebookClient.open(server, path);
  await client.do({ do: "run-all", promote: true });
  await client.until(() => ["idle"].includes(client.state.cells["served"]!.status) && client.state.cells["served"]!.result !== "none");
  const failed = Object.entries(client.state.cells).filter(([, cell]) => cell.result !== "ok");
  expect(failed.map(([id]) => [id, JSON.stringify(client.state.outputs[id])])).toEqual([]);
  const { proposals } = (await (await server.fetch("/api/ts/models")).json()) as { proposals: { id: string; name: string; sentence: string }[] };
  const proposal = proposals.find((other) => other.name === "wrong")!;
  const commit = await server.fetch(`/api/ts/proposals/${proposal.id}/commit`, { method: "POST" });
  expect(commit.status, `${proposal.sentence} ${await commit.clone().text()}`).toBe(200);
  taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  takenPort = (taken.address() as { port: number }).port;
});
afterAll(async () => {
  client?.close();
  taken?.close();
  await server?.close();
  rmSync(root, { recursive: true, force: true });
});

/** What must be the same before and after a wrong input. */
async function world(): Promise<string> {
  const { models } = (await (await server.fetch("/api/ts/models")).json()) as {
    models: { name: string; champion: number | null; versions: unknown[] }[];
  };
  return JSON.stringify({
    models: models.map(({ name, champion, versions }) => [name, champion, versions.length]),
    source: client.state.source,
    rev: client.state.rev,
    file: readFileSync(join(folder, "main.nb.ts"), "utf8"),
  });
}

describe("command line", () => {
  const cases: [string, string[], number, RegExp][] = [
    ["an unknown command", ["fly"], 64, /fly/],
    ["an unknown option", ["run", path, "--fast"], 64, /--fast/],
    ["run without a file", ["run"], 64, /file/],
    ["run of a file that is not there", ["run", "workspaces/wrong/none.nb.ts"], 64, /none\.nb\.ts/],
    ["run of a folder", ["run", "workspaces/wrong"], 64, /folder|directory|notebook/i],
    ["run of something else", ["run", "workspaces/wrong/package.json"], 64, /notebook|\.nb\.ts/],
    ["a seed that is no number", ["run", path, "--seed", "lucky"], 64, /whole number/],
    ["run of a file with conflict marks", ["run", "workspaces/wrong/conflict.nb.ts"], 1, /conflict|line 2/i],
    ["check of a clash", ["check", "workspaces/wrong/clash.nb.ts"], 1, /x/],
    ["check of an unclosed template", ["check", "workspaces/wrong/open.nb.ts"], 1, /template|Unterminated/i],
    ["emit of a file that is not there", ["emit", "nowhere.nb.ts"], 64, /nowhere/],
    ["export of an unknown model", ["export", "nobody"], 64, /nobody/],
    ["a port that is none", ["start", "--port", "http"], 64, /port/i],
    ["a port out of range", ["start", "--port", "70000"], 64, /65535/],
  ];
  it.each(cases)("%s", async (_, args, code, says) => {
    const before = await world();
    const child = spawn(process.execPath, [join(packageRoot(), "touchstone.js"), ...args], {
      cwd: root,
      env: { ...process.env, TOUCHSTONE_HOME: root },
    });
    let text = "";
    child.stdout.on("data", (piece) => (text += piece));
    child.stderr.on("data", (piece) => (text += piece));
    const exit = await new Promise((resolve) => child.on("close", resolve));
    expect(text).toMatch(says);
    expect(exit, text).toBe(code);
    expect(text).not.toMatch(/\n\s+at .*\(.*:\d+:\d+\)/);
    expect(await world()).toBe(before);
  });
  it("a port that was asked for and is taken", async () => {
    const other = mkdtempSync(join(tmpdir(), "touchstone-port-"));
    const child = spawn(process.execPath, [join(packageRoot(), "touchstone.js"), "start", "--no-open", "--port", String(takenPort)], {
      cwd: other,
      env: { ...process.env, TOUCHSTONE_HOME: other },
    });
    let text = "";
    child.stdout.on("data", (piece) => (text += piece));
    child.stderr.on("data", (piece) => (text += piece));
    expect(await new Promise((resolve) => child.on("close", resolve))).not.toBe(0);
    expect(text).toMatch(new RegExp(`${takenPort}.*(in use|taken)`));
    rmSync(other, { recursive: true, force: true });
  });
});

describe("HTTP", () => {
  const json = { "content-type": "application/json" };
  const post = (body: unknown, headers: Record<string, string> = json): RequestInit => ({
    method: "POST",
    headers,
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const predict = "/v1/models/wrong:predict";
  const tensor = { name: "x", shape: [1], datatype: "FP64", data: [1] };
  const cases: [string, string, RequestInit, number[], RegExp][] = [
    ["an unknown route", "/api/ts/nothing", {}, [404], /nothing/],
    ["an unknown model", "/v1/models/nobody:predict", post({ instances: [] }), [404], /nobody/],
    ["a body that is no JSON", predict, post("{"), [400], /JSON/i],
    ["an empty body", predict, post(""), [400], /JSON|body|instances/i],
    ["neither instances nor inputs", predict, post({}), [400], /instances/],
    ["both instances and inputs", predict, post({ instances: [{ x: 1 }], inputs: { x: [1] } }), [400], /instances.*inputs|both/],
    ["instances that are no list", predict, post({ instances: 4 }), [400], /instances/],
    ["a record that is a list of lists", predict, post({ instances: [[[7]]] }), [400], /record|object|x/],
    ["a missing field", predict, post({ instances: [{}] }), [400], /x/],
    ["a field of the wrong type", predict, post({ instances: [{ x: "seven" }] }), [400], /x/],
    ["a null that is not allowed", predict, post({ instances: [{ x: null }] }), [400], /x/],
    ["a list where a number is wanted", predict, post({ instances: [{ x: [1, 2] }] }), [400], /x/],
    ["a version that is no number", "/v1/models/wrong/versions/latest:predict", post({ instances: [{ x: 1 }] }), [400, 404], /version|latest/],
    ["a version that is not there", "/v1/models/wrong/versions/9:predict", post({ instances: [{ x: 1 }] }), [404], /9/],
    ["v2 without inputs", "/v2/models/wrong/infer", post({ id: "1" }), [400], /inputs/],
    ["v2 with a wrong shape", "/v2/models/wrong/infer", post({ inputs: [{ ...tensor, shape: [3] }] }), [400], /shape|3/],
    ["v2 with an unknown type", "/v2/models/wrong/infer", post({ inputs: [{ ...tensor, datatype: "FP128" }] }), [400], /FP128|datatype/],
    ["v2 with a shape that is no list", "/v2/models/wrong/infer", post({ inputs: [{ ...tensor, shape: 1 }] }), [400], /shape/],
    ["v2 of an unknown model", "/v2/models/nobody/infer", post({ inputs: [tensor] }), [404], /nobody/],
    ["invocations with two keys", "/invocations?model=wrong", post({ instances: [{ x: 1 }], dataframe_records: [{ x: 1 }] }), [400], /one|instances/],
    ["invocations in a foreign type", "/invocations?model=wrong", post("<x/>", { "content-type": "application/xml" }), [415], /xml|content/i],
    ["feedback without an id", "/v1/models/wrong:feedback", post({ outcome: "late", value: true }), [400], /id/],
    ["feedback that is a number", "/v1/models/wrong:feedback", post("3"), [400], /feedback|object|id/i],
    ["a commit of an unknown proposal", "/api/ts/proposals/0123/commit", { method: "POST" }, [404, 409], /proposal/],
    ["a roll back of an unknown model", "/api/ts/models/nobody/rollback", { method: "POST" }, [404], /nobody/],
    ["a roll back with nothing to go back to", "/api/ts/models/wrong/rollback", { method: "POST" }, [409], /.+/],
    ["a new notebook outside", "/api/ts/notebooks", post({ workspace: "../..", name: "x" }), [400, 403, 404], /.+/],
    ["a new notebook with a number for a name", "/api/ts/notebooks", post({ workspace: "wrong", name: 7 }), [400], /name/],
    ["an unknown example", "/api/ts/examples/nothing/open", { method: "POST" }, [404], /nothing/],
    ["a review queue that is not there", "/api/ts/review/wrong/nothing", {}, [404], /no queue nothing in wrong/],
    ["a review queue of a name that is a path", "/api/ts/review/wrong/..%2f..%2fmain", {}, [400], /queue's name/],
    ["a new review queue outside", "/api/ts/review", post({ workspace: "../..", name: "x" }), [400, 403, 404], /.+/],
    [
      "a new review queue with the same label twice",
      "/api/ts/review",
      post({ workspace: "wrong", name: "q", labels: ["a", "a"] }),
      [400],
      /labels.*twice/,
    ],
    ["an answer that is none", "/api/ts/review/wrong/q/answer", post({ key: "a", rev: 0, use: "maybe", label: "x" }), [400], /use/],
    ["an answer in a queue that is not there", "/api/ts/review/wrong/q/answer", post({ key: "a", rev: 0, use: "use", label: "x" }), [404], /queue q/],
    ["a skip without a revision", "/api/ts/review/wrong/q/skip", post({ key: "a" }), [400], /rev/],
    ["a note that is a number", "/api/ts/review/wrong/q/note", post({ key: "a", text: 3 }), [400], /text/],
    ["a flag that is a word", "/api/ts/review/wrong/q/flag", post({ key: "a", flagged: "yes" }), [400], /flagged/],
    ["rows to review of a result that is not there", "/api/ts/review/send", post({ path, cell: "kept", batch: "b" }), [404], /kept/],
    ["a listing outside", "/api/ts/files?workspace=wrong&path=../../..", {}, [400, 403, 404], /.+/],
  ];
  it.each(cases)("%s", async (_, url, init, statuses, says) => {
    const before = await world();
    const response = await server.fetch(url, init);
    const text = await response.text();
    expect(statuses, text).toContain(response.status);
    const body = JSON.parse(text) as { error: unknown; message?: string };
    expect(JSON.stringify(body)).toMatch(says);
    expect(text).not.toMatch(/node_modules|at .*:\d+:\d+/);
    expect(await world()).toBe(before);
  });

  const guards: [string, Record<string, string>, string, number][] = [
    ["no token", {}, "/api/ts/home", 401],
    ["a wrong token", { authorization: "Bearer 00" }, "/api/ts/home", 401],
    ["a foreign origin", { origin: "https://example.org" }, "/api/ts/proposals/1/commit", 403],
  ];
  it.each(guards)("%s", async (_, headers, url, status) => {
    const init: RequestInit = {
      headers: { ...(status === 403 ? { authorization: `Bearer ${server.token}` } : {}), ...headers },
      ...(status === 403 ? { method: "POST" } : {}),
    };
    expect((await fetch(server.url.replace(/\/$/, "") + url, init)).status).toBe(status);
  });
  it("a foreign Host, as DNS rebinding sends it", async () => {
    const { port } = new URL(server.url);
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), "127.0.0.1", () =>
        socket.end(`GET /api/ts/home HTTP/1.1\r\nHost: evil.example:${port}\r\nAuthorization: Bearer ${server.token}\r\nConnection: close\r\n\r\n`),
      );
      let text = "";
      socket.on("data", (piece) => (text += piece));
      socket.on("end", () => resolve(text));
      socket.on("error", reject);
    });
    expect(answer).toMatch(/^HTTP\/1\.1 403/);
  });
});

describe("WebSocket", () => {
  const cases: [string, () => Command, RegExp][] = [
    ["an unknown command", () => ({ do: "dance" }) as unknown as Command, /dance|command/],
    ["an edit beyond the end", () => ({ do: "ops", ops: [{ op: "edit", id: "kept", at: 9999, remove: 1, insert: "x" }] }), /9999|end|edit|Expected/],
    ["an edit of a cell that is not there", () => ({ do: "ops", ops: [{ op: "edit", id: "nowhere", at: 0, remove: 0, insert: "x" }] }), /nowhere/],
    [
      "a second cell of the same id",
      () => ({ do: "ops", ops: [{ op: "insert", after: null, cell: { id: "kept", kind: "code", source: "", options: {} } }] }),
      /kept/,
    ],
    [
      "a cell by an id that every object has",
      () => ({ do: "ops", ops: [{ op: "insert", after: null, cell: { id: "__proto__", kind: "code", source: "", options: {} } }] }),
      /id/,
    ],
    ["a rename to another cell's name", () => ({ do: "rename", cell: "kept", from: "kept", to: "floor" }), /floor/],
    ["a move behind nothing", () => ({ do: "ops", ops: [{ op: "move", id: "kept", after: "nowhere" }] }), /nowhere/],
    ["operations that are no list", () => ({ do: "ops", ops: 3 }) as unknown as Command, /ops|list|array/i],
    ["a run of a cell that is not there", () => ({ do: "run", cells: ["nowhere"] }), /nowhere/],
    [
      "a field of a cell that has no form",
      () => ({ do: "field", cell: "kept", path: "a", value: { type: "literal", value: 1 } }),
      /form|kept|built-in/,
    ],
    ["a rename to something that is no name", () => ({ do: "rename", cell: "kept", from: "kept", to: "not a name" }), /name/],
    ["a mode that is none", () => ({ do: "mode", mode: "wild" }) as unknown as Command, /mode|wild/],
    [
      "a page of a table that is not there",
      () => ({ do: "call", call: { query: "table.page", relation: `nb."nothing"`, offset: 0, limit: 10 } }),
      /nothing/,
    ],
    [
      "a page that starts before the table",
      () => ({ do: "call", call: { query: "table.page", relation: `nb."rows"`, offset: -5, limit: 10 } }),
      /offset|-5/,
    ],
    [
      "a sort by a column that is not there",
      () => ({ do: "call", call: { query: "table.page", relation: `nb."rows"`, offset: 0, limit: 10, sort: [{ column: "z", desc: false }] } }),
      /z/,
    ],
  ];
  it.each(cases)("%s", async (_, command, says) => {
    const before = await world();
    const reply = await client.ask(command());
    expect(reply.ok).toBe(false);
    if (!reply.ok) expect(reply.error.message).toMatch(says);
    expect(await world()).toBe(before);
  });
  it("an older revision is refused with the newer state", async () => {
    const reply = await client.ask({ do: "ops", ops: [{ op: "edit", id: "kept", at: 0, remove: 0, insert: "x" }] }, -1);
    expect(reply.ok).toBe(false);
    if (!reply.ok) expect(reply.error.code).toBe("stale");
  });
  it("a viewer who is not the writer is refused", async () => {
    const other = await NotebookClient.open(server, path, "other");
    const reply = await other.ask({ do: "ops", ops: [{ op: "edit", id: "kept", at: 0, remove: 0, insert: "x" }] });
    expect(reply.ok).toBe(false);
    if (!reply.ok) expect(reply.error.code).toBe("not-writer");
    other.close();
  });
  it.each([
    ["text that is no JSON", "{nonsense"],
    ["a message of no known type", JSON.stringify({ type: "greetings" })],
    ["bytes", Buffer.from([1, 2, 3])],
  ])("%s leaves the other clients alone", async (_, message) => {
    const socket = new WebSocket(`${server.url.replace(/^http/, "ws").replace(/\/$/, "")}/api/ts/notebook?path=${encodeURIComponent(path)}`, {
      headers: { authorization: `Bearer ${server.token}` },
    });
    await new Promise((resolve) => socket.once("open", resolve));
    const answered = new Promise<string>((resolve) => {
      socket.once("message", (data) => resolve(String(data)));
      socket.once("close", (code, reason) => resolve(`${code} ${String(reason)}`));
    });
    socket.send(message);
    expect(await answered).toMatch(/Expected|JSON|message|hello|bad-request/i);
    socket.terminate();
    expect((await client.ask({ do: "call", call: { query: "variables" } })).ok).toBe(true);
  });
});

describe("files", () => {
  /** what the page says of a file: that it is broken, or what is wrong in its cells */
  const said = (state: NotebookClient["state"]): string =>
    JSON.stringify([state.broken, ...Object.values(state.cells).flatMap((cell) => cell.problems.map((problem) => problem.message))]);
  it.each([
    ["conflict marks", "conflict", /conflict|<<</i],
    ["a template that never closes", "open", /template|unterminated/i],
    ["bytes that are no text", "binary", /UTF-8|text|encod/i],
  ])("%s: the file opens, what is wrong is said, and it is not rewritten", async (_, name, says) => {
    const before = readFileSync(join(folder, `${name}.nb.ts`));
    const other = await NotebookClient.open(server, `workspaces/wrong/${name}.nb.ts`);
    expect(said(other.state)).toMatch(says);
    expect((await other.ask({ do: "flush" })).ok).toBe(true);
    other.close();
    expect(readFileSync(join(folder, `${name}.nb.ts`))).toEqual(before);
  });
  it("nothing at all is a notebook without cells, or one empty one", async () => {
    const other = await NotebookClient.open(server, "workspaces/wrong/empty.nb.ts");
    expect(other.state.broken).toBeNull();
    expect(other.state.source.cells.map((cell) => cell.source).join("")).toBe("");
    other.close();
    expect(readFileSync(join(folder, "empty.nb.ts"), "utf8")).toBe("");
  });
});

describe("cells", () => {
  const task = `{ kind: "binary", target: "y" }`;
  const trained = (more: string): string => `await train({ split: parts, against: floor, features: feats, ${more} })`;
  const cases: [string, string, RegExp][] = [
    ["SQL of a file that is not there", "const q = sql`select * from 'data/none.csv'`", /none\.csv/],
    ["SQL that does not parse", "const q = sql`selec 1`", /selec|syntax/i],
    ["SQL with a column that is not there", "const q = sql`select nope from rows`", /nope/],
    ["SQL with an undefined value", "const q = sql`select ${undefined}`", /undefined/],
    ["SQL with a function for a value", "const q = sql`select ${() => 1}`", /function/],
    ["SQL with a NUL", "const q = sql`select ${'a\\0b'}`", /NUL|\\0/i],
    ["SQL of a file outside", "const q = sql`select * from '../../../etc/passwd'`", /outside|workspace|\.\./],
    ["a file outside", `file("../../secret")`, /outside|workspace|\.\./],
    ["a package that is not installed", `import x from "left-pad-nowhere"\nx`, /left-pad-nowhere/],
    ["a relation of uneven columns", `relation({ a: [1, 2], b: [1] })`, /a|b|length/],
    ["a split by nothing known", `rows.split({ by: "luck", key: "day" }).id`, /luck|by/],
    ["a split by a column that is not there", `const s = rows.split({ by: "hash", key: "nope" })`, /nope/],
    ["a split without cuts", `const s = rows.split({ by: "time", key: "day", cut: ["2020-10-01"] })`, /cut/],
    ["a split with shares that do not add up", `const s = rows.split({ by: "hash", key: "id", ratio: [0.9, 0.9, 0.9] })`, /ratio/],
    ["a baseline without a split", `await baseline({ task: ${task} })`, /split/],
    ["a baseline with an unknown metric", `await baseline({ split: parts, task: ${task}, metric: "logloss" })`, /logloss|metric/],
    ["a baseline that does not exist", `await baseline({ split: parts, task: ${task}, using: ["oracle"] })`, /oracle/],
    ["a baseline of a target that is not there", `await baseline({ split: parts, task: { kind: "binary", target: "z" } })`, /z/],
    ["a baseline of a task that is none", `await baseline({ split: parts, task: { kind: "guess", target: "y" } })`, /kind|guess/],
    ["a forecast baseline for a yes or no", `await baseline({ split: parts, task: ${task}, using: ["naive"] })`, /naive/],
    ["features without a row", `features({ input: { x: "double" } })`, /row/],
    ["features of an unknown type", `features({ input: { x: "float128" }, row: (r) => [r.x] })`, /float128/],
    [
      "features that read the clock",
      `const now = features({ input: { x: "double" }, row: (r) => [r.x + Date.now()] })\nawait train({ split: parts, against: floor, features: now, epochs: 1 })`,
      /Date\.now|clock/,
    ],
    ["training without features", `await train({ split: parts, against: floor })`, /features/],
    ["training without a baseline", `await train({ split: parts, features: feats, task: ${task} })`, /against/],
    ["training of an unknown model", trained(`model: "forest"`), /forest|model/],
    ["training for minus one epoch", trained("epochs: -1"), /epochs/],
    ["training in batches of none", trained("batch: 0"), /batch/],
    ["training with an unknown option", trained("epoch: 3"), /epoch/],
    ["distilling without a teacher", `await distill({ split: parts, against: floor })`, /teacher/],
    ["distilling at temperature zero", `await distill({ teacher: model, split: parts, against: floor, temperature: 0 })`, /temperature/],
    ["distilling with alpha two", `await distill({ teacher: model, split: parts, against: floor, alpha: 2 })`, /alpha/],
    ["a test of a rate above one", `await abTest({ outcome: { kind: "proportion", rate: 2 } })`, /rate/],
    ["a test of no effect", `await abTest({ outcome: { kind: "proportion", rate: 0.1 }, lift: 0 })`, /lift/],
    ["a test with a power above one", `await abTest({ outcome: { kind: "proportion", rate: 0.1 }, power: 1.5 })`, /power/],
    ["drift without rows", `await drift({ reference: rows })`, /current/],
    ["drift of a column that is not there", `await drift({ reference: rows, current: rows, columns: ["nope"] })`, /nope/],
    ["drift by a test that is none", `await drift({ reference: rows, current: rows, test: "magic" })`, /magic|test/],
    ["drift against a model that is not there", `await drift({ reference: { name: "nobody", version: 1 }, current: rows })`, /nobody/],
    ["promoting under a name that is none", `await promote({ name: "Not A Name", model, against: floor })`, /name/i],
    ["promoting nothing", `await promote({ name: "x", against: floor })`, /model/],
    ["promoting without a rival", `await promote({ name: "x", model })`, /against/],
    ["a log of nobody", `const l = log("nobody")`, /nobody/],
    ["a secret that is not set", `secret("NOT_SET_ANYWHERE")`, /NOT_SET_ANYWHERE/],
  ];
  it.each(cases)("%s", async (_, source, says) => {
    const id = `w${cases.findIndex((row) => row[1] === source)}`;
    await client.add(
      id,
      source.startsWith("const ") ? source.replaceAll(/^const (\w+)/gm, `const $1_${id}`).replace(/features: now/, `features: now_${id}`) : source,
    );
    await client.run(id);
    const cell = client.state.cells[id]!;
    const error = client.state.outputs[id]?.find((output) => output.kind === "error");
    const text = error?.kind === "error" ? error.error.message : JSON.stringify([cell.problems, client.state.outputs[id]]);
    expect(cell.result, text).toBe("error");
    expect(text).toMatch(says);
    expect(text).not.toMatch(/node_modules|undefined \(reading|is not a function|cannot read/i);
    await client.do({ do: "ops", ops: [{ op: "delete", id }] });
    expect(client.state.cells["kept"]!.result).toBe("ok");
    expect(client.state.variables.find((variable) => variable.name === "kept")?.preview).toBe("41");
  });
});
