/** Every route of the REST surface: status, shape, and what is said to a bad request. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { noServing } from "../../test/support/serving.js";
import { startServer, type RunningServer } from "../../test/support/server.js";

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({
    spare: false,
    files: { "workspaces/w/package.json": "{}", "workspaces/w/n.nb.ts": '// %% id="a"\n1\n' },
    serving: noServing,
  });
});
afterAll(() => server.close());

interface Model {
  id: string;
  path: string;
  name: string;
  type: string;
  kernel: { id: string; name: string; execution_state: string; connections: number; last_activity: string };
}
const call = async (method: string, path: string, body?: unknown) => {
  const answer = await server.fetch(path, {
    method,
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  const text = await answer.text();
  return { status: answer.status, location: answer.headers.get("location"), json: (text === "" ? null : JSON.parse(text)) as unknown };
};
const uuid = /^\w+-\w+-\w+-\w+-\w+$/;
const isKernel = {
  id: expect.stringMatching(uuid) as string,
  name: "touchstone",
  last_activity: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
  execution_state: expect.stringMatching(/^(starting|idle|busy)$/) as string,
  connections: 0,
};

it("says its version without a token, and nothing else", async () => {
  const plain = (path: string, more: RequestInit = {}) => fetch(server.url + path, more);
  expect([(await plain("/api")).status, await (await plain("/api")).json()]).toEqual([200, { version: "2.0.0" }]);
  for (const path of ["/api/status", "/api/me", "/api/kernelspecs", "/api/kernels", "/api/sessions"]) {
    const refused = await plain(path);
    expect([path, refused.status]).toEqual([path, 401]);
    expect(await refused.json()).toMatchObject({ message: expect.stringContaining("Not signed in") as string });
    expect((await plain(path, { headers: { authorization: "token wrong" } })).status).toBe(401);
    expect((await plain(path, { headers: { authorization: `token ${server.token}` } })).status).toBe(200);
    expect((await plain(`${path}?token=${server.token}`)).status).toBe(200);
  }
  // a page of another address may have sent it: refused before its token is looked at
  expect((await plain("/api/kernels", { method: "POST" })).status).toBe(403);
});

it("status, user and kernelspecs", async () => {
  expect((await call("GET", "/api/status")).json).toMatchObject({ started: expect.any(String) as string, kernels: 0, connections: 0 });
  expect((await call("GET", "/api/me")).json).toMatchObject({ identity: { username: "local" }, permissions: {} });
  const { json } = await call("GET", "/api/kernelspecs");
  const one = {
    name: "touchstone",
    spec: { argv: [], language: "typescript", display_name: expect.any(String) as string, interrupt_mode: "message" },
    resources: {},
  };
  expect(json).toMatchObject({ default: "touchstone", kernelspecs: { touchstone: one } });
  expect((await call("GET", "/api/kernelspecs/touchstone")).json).toMatchObject(one);
  expect((await call("GET", "/api/kernelspecs/python3")).status).toBe(404);
});

it("kernels: made, seen, interrupted, restarted, ended", async () => {
  const made = await call("POST", "/api/kernels", { name: "touchstone" });
  expect(made.status).toBe(201);
  expect(made.json).toEqual(isKernel);
  const { id } = made.json as { id: string };
  expect(made.location).toBe(`/api/kernels/${id}`);
  expect((await call("GET", "/api/kernels")).json).toEqual([isKernel]);
  expect(await call("GET", `/api/kernels/${id}`)).toMatchObject({ status: 200, json: { id } });
  expect(await call("POST", `/api/kernels/${id}/interrupt`)).toMatchObject({ status: 204, json: null });
  expect(await call("POST", `/api/kernels/${id}/restart`)).toMatchObject({ status: 200, json: { id } });
  expect(await call("DELETE", `/api/kernels/${id}`)).toMatchObject({ status: 204, json: null });
  for (const [method, path] of [
    ["GET", ""],
    ["DELETE", ""],
    ["POST", "/interrupt"],
    ["POST", "/restart"],
  ] as const)
    expect(await call(method, `/api/kernels/${id}${path}`)).toMatchObject({ status: 404, json: { message: `Kernel does not exist: ${id}` } });
  expect(await call("POST", "/api/kernels", { name: "python3" })).toMatchObject({
    status: 501,
    json: { message: 'There is no kernel named "python3"; this server has touchstone.', short_message: expect.any(String) as string },
  });
  expect((await call("POST", "/api/kernels", "{")).status).toBe(400);
});

it("sessions: one a path, renamed, given another kernel, ended", async () => {
  const made = await call("POST", "/api/sessions", { path: "w/x.ipynb", name: "x", type: "notebook", kernel: { name: "touchstone" } });
  const model = made.json as Model;
  expect([made.status, made.location]).toEqual([201, `/api/sessions/${model.id}`]);
  expect(model).toEqual({
    id: expect.stringMatching(uuid) as string,
    path: "w/x.ipynb",
    name: "x",
    type: "notebook",
    kernel: isKernel,
    notebook: { path: "w/x.ipynb", name: "x" },
  });
  const path = `/api/sessions/${model.id}`;
  expect((await call("POST", "/api/sessions", { path: "w/x.ipynb", kernel: {} })).json).toMatchObject({ id: model.id });
  expect((await call("GET", "/api/sessions")).json).toMatchObject([{ id: model.id }]);
  expect(await call("GET", path)).toMatchObject({ status: 200, json: { id: model.id } });

  const moved = await call("PATCH", path, { path: "w/y.ipynb", name: "y", type: "console" });
  expect(moved).toMatchObject({
    status: 200,
    json: { id: model.id, path: "w/y.ipynb", name: "y", type: "console", kernel: { id: model.kernel.id } },
  });
  expect(moved.json).not.toHaveProperty("notebook");
  expect((await call("GET", path)).json).toEqual(moved.json);

  // a new kernel: the one before ends, since no session has it
  const changed = (await call("PATCH", path, { kernel: { name: "touchstone" } })).json as Model;
  expect(changed.kernel.id).not.toBe(model.kernel.id);
  expect((await call("GET", `/api/kernels/${model.kernel.id}`)).status).toBe(404);
  // one that is there
  const other = (await call("POST", "/api/kernels", {})).json as { id: string };
  expect((await call("PATCH", path, { kernel: { id: other.id } })).json).toMatchObject({ kernel: { id: other.id } });
  expect((await call("GET", "/api/kernels")).json).toMatchObject([{ id: other.id }]);
  expect((await call("PATCH", path, { kernel: { id: "none" } })).status).toBe(404);
  expect((await call("PATCH", path, { kernel: { name: "python3" } })).status).toBe(501);
  expect((await call("GET", path)).json).toMatchObject({ kernel: { id: other.id } });

  expect(await call("DELETE", path)).toMatchObject({ status: 204, json: null });
  expect((await call("GET", "/api/kernels")).json).toEqual([]);
  for (const method of ["GET", "PATCH", "DELETE"]) expect((await call(method, path, method === "PATCH" ? {} : undefined)).status).toBe(404);
  expect(await call("POST", "/api/sessions", { kernel: {} })).toMatchObject({ status: 400, json: { message: "Expected `path` to be a string." } });
  expect((await call("POST", "/api/sessions", { path: "a", kernel: { name: "python3" } })).status).toBe(501);
});
