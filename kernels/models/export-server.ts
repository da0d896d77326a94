/**
 * The exported server: one version, one process, node:http only. `serve()` is bundled with the back end inlined into the server.mjs of `touchstone export`;
 * `--test` proves parity on the sample instead. Answers as the workbench does and logs in the same format, so that `touchstone import-log` brings it home.
 */
import { randomUUID } from "node:crypto";
import { appendFile, mkdirSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { createAnswerer } from "./answer.js";
import { errorBody, type FormName } from "./forms.js";
import { loadPredictor } from "./load.js";
import { proveParity } from "./parity.js";
import { readSample } from "./version.js";

export interface ServeOptions {
  /** folder of server.mjs; the version lies in its `version` */
  home: string;
  name: string;
  version: number;
  wasmBinary: Uint8Array;
  argv: string[];
  env: Record<string, string | undefined>;
  say(line: string): void;
}

const mostBytes = 32 << 20;

/** Serves until the process ends; with `--test` resolves with the exit code after the proof. Rejects when the version is damaged. */
export async function serve(options: ServeOptions): Promise<number | null> {
  const { home, name, say, env } = options;
  const dir = join(home, "version");
  const predictor = await loadPredictor(dir, { wasmBinary: options.wasmBinary });
  const parity = await proveParity(predictor, readSample(dir));
  const proof = `${parity.rows} records, ${parity.vectorsDiffer} vectors differ, largest difference ${parity.largest.toPrecision(2)} of ${parity.tolerance} (${predictor.backend})`;
  if (options.argv.includes("--test")) {
    say(parity.ok ? `parity holds: ${proof}` : `parity does not hold: ${parity.why}; ${proof}`);
    return parity.ok ? 0 : 1;
  }
  if (!parity.ok) throw new Error(`parity does not hold: ${parity.why}`);
  const answerer = createAnswerer(predictor);
  const version = String(options.version);
  const log = logger(home, env["LOG_DIR"], name, options.version);
  const paths: [RegExp, FormName][] = [
    [new RegExp(`^/v1/models/${name}(/versions/${version})?:predict$`), "v1"],
    [new RegExp(`^/v2/models/${name}(/versions/${version})?/infer$`), "v2"],
    [/^\/invocations$/, "mlflow"],
  ];
  const json = (response: ServerResponse, status: number, body: unknown): void => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
  const server = createServer((request, response) => {
    void handle(request, response).catch((error: Error) => json(response, 500, { error: error.message }));
  });
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = pathOf(request.url ?? "/");
    if (path === null) return json(response, 400, { error: "the address is not a path that can be read" });
    const form = paths.find(([pattern]) => pattern.test(path))?.[1];
    if (form && request.method === "POST") {
      const body = await readAll(request);
      if (body === null) return json(response, 413, errorBody(form, 413, `the body is larger than ${mostBytes >> 20} MB`));
      const id = String(request.headers["x-request-id"] ?? randomUUID());
      const header = request.headers["inference-header-content-length"];
      const type = request.headers["content-type"] ?? "";
      const started = performance.now();
      const answer = await answerer.answer({
        form,
        body,
        type: form === "mlflow" ? type : "application/json",
        headerLength: header ? Number(header) : null,
        name,
        version,
      });
      response.writeHead(answer.status, {
        "content-type": answer.type,
        "x-touchstone-version": version,
        "x-touchstone-arm": "champion",
        "x-request-id": id,
        ...(answer.headerLength === undefined ? {} : { "inference-header-content-length": String(answer.headerLength) }),
      });
      response.end(answer.body);
      const key = request.headers["x-touchstone-key"];
      if (answer.rows > 0) log(id, typeof key === "string" ? key : null, performance.now() - started, answer.log);
      return;
    }
    if (request.method === "GET" || request.method === "HEAD") {
      if (path === "/ping" || path === "/health") return void response.end("\n");
      if (path === "/v2/health/live" || path === "/v2/health/ready") return json(response, 200, { live: true, ready: true });
      if (path === `/v1/models/${name}`)
        return json(response, 200, { model_version_status: [{ version, state: "AVAILABLE", status: { error_code: "OK", error_message: "" } }] });
      if (path === `/v1/models/${name}/metadata`)
        return json(response, 200, {
          model_spec: { name, version },
          metadata: { touchstone: { signature: predictor.signature, card: predictor.card } },
        });
    }
    json(response, 404, { error: `no such path: ${request.method} ${path}. Expected POST /v1/models/${name}:predict` });
  };
  const port = Number(env["PORT"] ?? 8080);
  const host = env["HOST"] ?? "127.0.0.1";
  await new Promise<void>((done, failed) => server.on("error", failed).listen(port, host, done));
  const bound = server.address();
  say(
    `${name} version ${version} on http://${host}:${typeof bound === "object" && bound ? bound.port : port}/v1/models/${name}:predict; parity: ${proof}`,
  );
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => server.close(() => process.exit(0)));
  return null;
}

/** The request's path, decoded; null for an address that is none. */
function pathOf(url: string): string | null {
  try {
    return decodeURIComponent(new URL(url, "http://localhost").pathname);
  } catch {
    return null;
  }
}

async function readAll(request: IncomingMessage): Promise<Uint8Array | null> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of request) {
    length += (piece as Buffer).length;
    if (length > mostBytes) return null;
    pieces.push(piece as Buffer);
  }
  return Buffer.concat(pieces);
}

/** Appends lines in the workbench's format, 20 ms at a time. "off" = no log. */
function logger(
  home: string,
  folder: string | undefined,
  name: string,
  version: number,
): (id: string, key: string | null, ms: number, rows: string[]) => void {
  if (folder === "off") return () => undefined;
  const base = join(folder ?? join(home, "log"), name);
  const session = `${Date.now().toString(36)}-${process.pid.toString(36)}`;
  let waiting: string[] = [];
  const flush = (): void => {
    const text = waiting.join("");
    waiting = [];
    const day = join(base, `day=${new Date().toISOString().slice(0, 10)}`);
    mkdirSync(day, { recursive: true });
    // a full disk must not stop answers
    appendFile(join(day, `${session}.ndjson`), text, () => undefined);
  };
  return (id, key, ms, rows) => {
    if (waiting.length === 0) setTimeout(flush, 20);
    const rest = JSON.stringify({
      at: Date.now(),
      v: version,
      arm: "champion",
      key,
      p: 1,
      step: null,
      ms: Math.round(ms * 1000) / 1000,
      st: "ok",
    }).slice(1, -1);
    rows.forEach((row, i) => waiting.push(`{"id":${JSON.stringify(id)},"row":${i},${rest},${row}}\n`));
  };
}
