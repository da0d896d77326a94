/** The page: its shell for every page address, and its files, compressed once and cached. */
import { readFile, stat } from "node:fs/promises";
import { extname, join, normalize, sep } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { Hono } from "hono";

const types: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".ttf": "font/ttf",
  ".wasm": "application/wasm",
};

/** Scripts from here only; frames of foreign output are sandboxed by their own policy. `style` attributes are what Lit, Monaco and Plotly write. */
export const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "frame-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

/** A frame for foreign HTML: an origin of its own, no network, no cookie, no way to the page but a message. */
export const framePolicy =
  "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; media-src data: blob:; frame-ancestors 'self'";

/** Gets `{html}` by message once, writes it, and tells its height as `{height}`. */
const frame = `<!doctype html><meta charset="utf-8"><body><script>
addEventListener("message", (event) => {
  if (event.source !== parent || typeof event.data?.html !== "string") return;
  document.open();
  document.write(event.data.html);
  document.close();
  const tell = () => parent.postMessage({ height: document.documentElement.scrollHeight }, "*");
  new ResizeObserver(tell).observe(document.documentElement);
  tell();
}, { once: true });
parent.postMessage({ ready: true }, "*");
</script>`;

interface Asset {
  type: string;
  etag: string;
  raw: Buffer;
  packed: Map<"br" | "gzip", Buffer>;
}

const brotli = promisify(brotliCompress);
const zip = promisify(gzip);

/** `web`: absolute folder of the built page. */
export function pageRoutes(web: string, options: { cache: boolean }): Hono {
  const assets = new Map<string, Promise<Asset | null>>();
  const load = async (name: string): Promise<Asset | null> => {
    const path = join(web, name);
    try {
      const { mtimeMs, size } = await stat(path);
      const raw = await readFile(path);
      return {
        type: types[extname(name)] ?? "application/octet-stream",
        etag: `"${size.toString(36)}-${Math.floor(mtimeMs).toString(36)}"`,
        raw,
        packed: new Map(),
      };
    } catch {
      return null;
    }
  };
  const asset = async (name: string) => {
    let found = options.cache ? assets.get(name) : undefined;
    if (found === undefined) {
      found = load(name);
      if (options.cache) assets.set(name, found);
      // a page that is built later is found then
      if ((await found) === null) assets.delete(name);
    }
    return found;
  };
  const answer = async (name: string, accept: string, ifNone: string | undefined, extra: Record<string, string>): Promise<Response | null> => {
    const found = await asset(name);
    if (found === null) return null;
    const headers: Record<string, string> = {
      "content-type": found.type,
      etag: found.etag,
      vary: "accept-encoding",
      "x-content-type-options": "nosniff",
      ...extra,
    };
    if (ifNone === found.etag) return new Response(null, { status: 304, headers });
    if (found.raw.length < 1024 || !/text|json|svg|wasm|font/.test(found.type) || name.endsWith(".woff2"))
      return new Response(found.raw as Uint8Array<ArrayBuffer>, { headers });
    const coding = /\bbr\b/.test(accept) ? "br" : /\bgzip\b/.test(accept) ? "gzip" : null;
    if (coding === null) return new Response(found.raw as Uint8Array<ArrayBuffer>, { headers });
    let packed = found.packed.get(coding);
    if (packed === undefined) {
      packed = coding === "br" ? await brotli(found.raw, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }) : await zip(found.raw, { level: 6 });
      found.packed.set(coding, packed);
    }
    return new Response(packed as Uint8Array<ArrayBuffer>, { headers: { ...headers, "content-encoding": coding } });
  };

  const app = new Hono();
  app.get("/api/ts/frame", (c) =>
    c.body(frame, 200, { "content-type": "text/html; charset=utf-8", "content-security-policy": framePolicy, "cache-control": "no-store" }),
  );
  app.get("*", async (c) => {
    let path: string;
    try {
      path = decodeURI(c.req.path);
    } catch {
      return c.json({ error: { code: "bad-request", message: "The address cannot be read." } }, 400);
    }
    const name = normalize(path).split(sep).join("/").replace(/^\/+/, "");
    const accept = c.req.header("accept-encoding") ?? "";
    const ifNone = c.req.header("if-none-match");
    if (name !== "" && name !== "index.html" && !name.startsWith("..") && !name.startsWith(".") && extname(name) !== "" && !name.startsWith("w/")) {
      const hashed = name.startsWith("assets/");
      const file = await answer(name, accept, ifNone, {
        "cache-control": hashed && options.cache ? "public, max-age=31536000, immutable" : "no-cache",
      });
      if (file !== null) return file;
      return c.json({ error: { code: "not-found", message: `There is no file ${name}.` } }, 404);
    }
    const shell = await answer("index.html", accept, ifNone, {
      "cache-control": "no-cache",
      "content-security-policy": pagePolicy,
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin",
      "x-frame-options": "DENY",
    });
    return shell ?? c.text("The page has not been built. Run `npm run build` in Touchstone's folder, then reload.", 503);
  });
  return app;
}
