/** Who may come in: loopback only, a random token turned into a cookie, Host allow-list, Origin on every upgrade and change (design 10). */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Access {
  /** in the URL that `start` prints, and `Authorization: Bearer` of the command line */
  token: string;
  /** name of the cookie: one a server, since cookies know no ports */
  cookieName: string;
  cookieValue: string;
}

/** What access looks at; header names in lower case, absent = undefined. */
export interface RequestFacts {
  method: string;
  /** path with query */
  url: string;
  header(name: string): string | undefined;
  upgrade?: boolean;
}

export type Verdict =
  { ok: true } | { ok: false; status: 400 | 401 | 403; code: string; message: string } | { ok: "exchange"; location: string; cookie: string };

/** Reads ROOT/.touchstone/token, or makes one (0600, folder 0700). Throws when the folder cannot be written. */
export function loadAccess(root: string): Access {
  const folder = join(root, ".touchstone");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const file = join(folder, "token");
  let token = "";
  try {
    token = readFileSync(file, "utf8").trim();
  } catch {}
  if (!/^[0-9a-f]{64}$/.test(token)) {
    token = randomBytes(32).toString("hex");
    writeFileSync(file, `${token}\n`, { mode: 0o600 });
  }
  chmodSync(file, 0o600);
  return accessOf(token);
}

export function accessOf(token: string): Access {
  const hash = (text: string) => createHash("sha256").update(`${text}\0${token}`).digest("hex");
  return { token, cookieName: `touchstone-${hash("name").slice(0, 8)}`, cookieValue: hash("cookie") };
}

const local = new Set(["127.0.0.1", "localhost", "[::1]"]);
const changing = (method: string) => !["GET", "HEAD", "OPTIONS"].includes(method);

/** Host must be loopback by name (DNS rebinding), Origin must be this very host when a request changes something or upgrades. */
export function checkOrigin(request: RequestFacts, bearer = false): Verdict {
  const host = request.header("host") ?? "";
  const name = host.replace(/:\d+$/, "").toLowerCase();
  if (!local.has(name)) return refuse(403, "host", `Expected the Host header to be 127.0.0.1, localhost or [::1], got ${quote(host)}.`);
  if (!changing(request.method) && !request.upgrade) return { ok: true };
  const origin = request.header("origin");
  if (origin === undefined) {
    // browsers always send it here; a program that holds the token need not
    if (bearer) return { ok: true };
    return refuse(
      403,
      "origin",
      "Expected an Origin header: a request that changes something comes from the page, or carries the token as `Authorization: Bearer`.",
    );
  }
  if (origin.toLowerCase() !== `http://${host.toLowerCase()}`)
    return refuse(403, "origin", `Expected the Origin header to be http://${host}, got ${quote(origin)}.`);
  return { ok: true };
}

/** Serving endpoints: no token on loopback (keys are serving's own), but no foreign page may call them. */
export function checkServing(request: RequestFacts): Verdict {
  return checkOrigin(request, request.header("origin") === undefined);
}

/** A request's target as a URL; null when it is no path: `new URL` throws on "//" or takes its first part for a host. */
export function addressOf(target: string): URL | null {
  return target.startsWith("/") ? new URL(`http://localhost${target}`) : null;
}

/** The workbench: pages, /api/ts/ and upgrades. */
export function checkAccess(access: Access, request: RequestFacts): Verdict {
  const url = addressOf(request.url);
  if (url === null) return refuse(400, "path", `Expected the path of a page or call, got ${quote(request.url)}.`);
  const given = url.searchParams.get("token");
  // Jupyter's clients say `token`, and have no other way than the address for a WebSocket
  const jupyter = url.pathname.startsWith("/api/") && !url.pathname.startsWith("/api/ts/");
  const bearer = /^(?:Bearer|token) (\S+)$/i.exec(request.header("authorization") ?? "")?.[1] ?? (jupyter ? given : null);
  const byToken = bearer !== null && same(bearer, access.token);
  const origin = checkOrigin(request, byToken);
  if (origin.ok !== true) return origin;
  if (byToken) return { ok: true };
  if (given !== null && request.method === "GET" && !request.upgrade) {
    if (!same(given, access.token))
      return refuse(401, "token", "This link's token is not the one of this server. Open the address that `touchstone start` printed.");
    url.searchParams.delete("token");
    // one leading slash: "//host" would leave this server
    const location = url.pathname.replace(/^\/{2,}/, "/") + url.search;
    return { ok: "exchange", location, cookie: `${access.cookieName}=${access.cookieValue}; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000` };
  }
  if (cookies(request.header("cookie")).some(([name, value]) => name === access.cookieName && same(value, access.cookieValue))) return { ok: true };
  return refuse(401, "token", "Not signed in. Open the address with its token that `touchstone start` printed in the terminal.");
}

function refuse(status: 400 | 401 | 403, code: string, message: string): Verdict {
  return { ok: false, status, code, message };
}

function cookies(header = ""): [string, string][] {
  return header.split(";").flatMap((part) => {
    const at = part.indexOf("=");
    return at < 0 ? [] : [[part.slice(0, at).trim(), part.slice(at + 1).trim()] as [string, string]];
  });
}

/** Equal in constant time. */
function same(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

const quote = (text: string) => JSON.stringify(text.slice(0, 80));
