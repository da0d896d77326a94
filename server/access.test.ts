import { mkdtempSync, rmSync, statSync, writeFileSync, chmodSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { accessOf, checkAccess, checkServing, loadAccess, type RequestFacts } from "./access.js";

const access = accessOf("a".repeat(64));
const other = accessOf("b".repeat(64));
const host = "127.0.0.1:4747";
const cookie = `${access.cookieName}=${access.cookieValue}`;
const facts = (method: string, url: string, headers: Record<string, string>, upgrade = false): RequestFacts => ({
  method,
  url,
  upgrade,
  header: (name) => headers[name],
});

it.each([
  { name: "page with cookie", request: facts("GET", "/", { host, cookie }) },
  { name: "page with cookie among others", request: facts("GET", "/", { host: "localhost:4747", cookie: `x=1; ${cookie}; y` }) },
  { name: "IPv6 loopback", request: facts("GET", "/", { host: "[::1]:4747", cookie }) },
  { name: "change from the page", request: facts("POST", "/api/ts/notebooks", { host, cookie, origin: `http://${host}` }) },
  { name: "upgrade from the page", request: facts("GET", "/api/ts/notebook", { host, cookie, origin: `http://${host}` }, true) },
  { name: "command line", request: facts("POST", "/api/ts/calls", { host, authorization: `Bearer ${access.token}` }) },
  { name: "a Jupyter client", request: facts("POST", "/api/kernels", { host, authorization: `token ${access.token}` }) },
  { name: "a Jupyter client's address", request: facts("GET", `/api/kernels?token=${access.token}`, { host }) },
  { name: "a Jupyter client's WebSocket", request: facts("GET", `/api/kernels/k/channels?token=${access.token}`, { host }, true) },
  { name: "upgrade of a program", request: facts("GET", "/api/ts/notebook", { host, authorization: `Bearer ${access.token}` }, true) },
])("lets in: $name", ({ request }) => {
  expect(checkAccess(access, request)).toEqual({ ok: true });
});

it.each([
  { name: "nothing", request: facts("GET", "/", { host }), status: 401 },
  { name: "another server's cookie", request: facts("GET", "/", { host, cookie: `${other.cookieName}=${other.cookieValue}` }), status: 401 },
  { name: "the token as a cookie", request: facts("GET", "/", { host, cookie: `${access.cookieName}=${access.token}` }), status: 401 },
  { name: "half a cookie", request: facts("GET", "/", { host, cookie: cookie.slice(0, -1) }), status: 401 },
  { name: "an empty token", request: facts("GET", "/?token=", { host }), status: 401 },
  { name: "a wrong token, also with a cookie", request: facts("GET", "/?token=abc", { host, cookie }), status: 401 },
  { name: "a Jupyter client without a token", request: facts("GET", "/api/kernels", { host }), status: 401 },
  { name: "a Jupyter client with a wrong token", request: facts("GET", "/api/kernels?token=abc", { host, cookie }), status: 401 },
  { name: "a wrong token at a Jupyter WebSocket", request: facts("GET", "/api/kernels/k/channels?token=abc", { host }, true), status: 403 },
  {
    name: "a Jupyter WebSocket from another site, also with the token",
    request: facts("GET", `/api/kernels/k/channels?token=${access.token}`, { host, origin: "https://evil.example" }, true),
    status: 403,
  },
  { name: "a wrong bearer", request: facts("GET", "/api/ts/home", { host, authorization: "Bearer abc" }), status: 401 },
  { name: "a name that points here (DNS rebinding)", request: facts("GET", "/", { host: "evil.example:4747", cookie }), status: 403 },
  { name: "a name that begins like ours", request: facts("GET", "/", { host: "127.0.0.1.evil.example", cookie }), status: 403 },
  { name: "no Host", request: facts("GET", "/", { cookie }), status: 403 },
  { name: "a change from another site", request: facts("POST", "/api/ts/notebooks", { host, cookie, origin: "https://evil.example" }), status: 403 },
  { name: "a change from another port", request: facts("POST", "/api/ts/notebooks", { host, cookie, origin: "http://127.0.0.1:9999" }), status: 403 },
  { name: "a change from a sandboxed frame", request: facts("DELETE", "/api/ts/notebooks", { host, cookie, origin: "null" }), status: 403 },
  { name: "a change without Origin", request: facts("POST", "/api/ts/notebooks", { host, cookie }), status: 403 },
  {
    name: "an upgrade from another site",
    request: facts("GET", "/api/ts/notebook", { host, cookie, origin: "https://evil.example" }, true),
    status: 403,
  },
  { name: "an upgrade without Origin", request: facts("GET", "/api/ts/notebook", { host, cookie }, true), status: 403 },
  {
    name: "an upgrade with the token in the address",
    request: facts("GET", `/api/ts/notebook?token=${access.token}`, { host, origin: `http://${host}` }, true),
    status: 401,
  },
  {
    name: "a change with the token in the address",
    request: facts("POST", `/api/ts/notebooks?token=${access.token}`, { host, origin: `http://${host}` }),
    status: 401,
  },
  { name: "a target that is no path", request: facts("GET", "http://[", { host, cookie }), status: 400 },
  {
    name: "a bearer from another site",
    request: facts("POST", "/api/ts/calls", { host, authorization: `Bearer ${access.token}`, origin: "https://evil.example" }),
    status: 403,
  },
])("refuses: $name", ({ request, status }) => {
  const verdict = checkAccess(access, request);
  expect(verdict).toMatchObject({ ok: false, status, message: expect.stringMatching(/\.$/) });
  expect(JSON.stringify(verdict)).not.toContain(access.token);
});

it.each([
  ["/", "/"],
  ["/w/flights/n/late.nb.ts?view=read", "/w/flights/n/late.nb.ts?view=read"],
  ["//evil.example/x", "/evil.example/x"],
  ["//", "/"],
])("exchanges the token for a cookie and strips it: %s", (url, location) => {
  const verdict = checkAccess(access, facts("GET", `${url}${url.includes("?") ? "&" : "?"}token=${access.token}`, { host }));
  expect(verdict).toEqual({ ok: "exchange", location, cookie: expect.stringMatching(/; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+$/) });
  expect((verdict as { cookie: string }).cookie.startsWith(`${access.cookieName}=${access.cookieValue};`)).toBe(true);
});

it("lets models be called without the workbench's token, but not from another site", () => {
  const url = "/v1/models/x:predict";
  expect(checkServing(facts("POST", url, { host }))).toEqual({ ok: true });
  expect(checkServing(facts("POST", url, { host, origin: `http://${host}` }))).toEqual({ ok: true });
  expect(checkServing(facts("POST", url, { host, origin: "https://evil.example" }))).toMatchObject({ ok: false, status: 403 });
  expect(checkServing(facts("POST", url, { host: "evil.example" }))).toMatchObject({ ok: false, status: 403 });
});

const root = mkdtempSync(join(tmpdir(), "touchstone-access-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

it("keeps the token where only its owner reads it, and replaces what is none", () => {
  const first = loadAccess(root);
  expect(first.token).toMatch(/^[0-9a-f]{64}$/);
  expect(loadAccess(root)).toEqual(first);
  const file = join(root, ".touchstone", "token");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(join(root, ".touchstone")).mode & 0o777).toBe(0o700);
  writeFileSync(file, "short");
  chmodSync(file, 0o644);
  expect(loadAccess(root).token).toMatch(/^[0-9a-f]{64}$/);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});
