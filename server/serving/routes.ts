/** HTTP of serving: TF Serving v1, Open Inference Protocol v2, MLflow /invocations, feedback, Prometheus. Errors in each protocol's own shape. */
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Hono, type Context } from "hono";
import type { FeedbackRecord } from "../../kernels/protocol/serving.js";
import { datatypeOf } from "../registry/propose.js";
import { ServingError, type PredictRequest, type Route, type Serving, type Served } from "./types.js";

type Form = PredictRequest["form"];
/** Largest request body, bytes. */
const mostBytes = 32 << 20;
const namePattern = "[a-z][a-z0-9-]{0,62}";

export function servingRoutes(serving: Omit<Serving, "app">, root: string): Hono {
  const app = new Hono();
  const allowed = keyCheck(root);
  const fail = (c: Context, form: Form, status: number, message: string): Response => {
    const body =
      form === "mlflow"
        ? { error_code: status === 400 ? "BAD_REQUEST" : status < 500 ? "INVALID_PARAMETER_VALUE" : "INTERNAL_ERROR", message }
        : { error: message };
    return c.json(body, status as 400);
  };
  const guarded =
    (form: Form, work: (c: Context) => Promise<Response> | Response) =>
    async (c: Context): Promise<Response> => {
      if (!allowed(c.req.header("authorization")))
        return fail(c, form, 401, "this server has prediction keys: send one as `Authorization: Bearer KEY`");
      try {
        return await work(c);
      } catch (error) {
        if (error instanceof ServingError) return fail(c, form, error.status, error.message);
        return fail(c, form, 500, (error as Error).message);
      }
    };

  const predict = async (c: Context, form: Form, name: string, version?: PredictRequest["version"]): Promise<Response> => {
    const body = await readBody(c);
    if (body === null) return fail(c, form, 413, `the body is larger than ${mostBytes >> 20} MB`);
    const contentType = c.req.header("content-type") ?? "";
    if (form !== "mlflow" && contentType !== "" && !/json|octet-stream|x-www-form-urlencoded|text\/plain/i.test(contentType))
      return fail(c, form, 415, `the content type ${contentType} is not understood; send application/json`);
    const header = c.req.header("inference-header-content-length");
    if (header !== undefined && !/^\d{1,9}$/.test(header))
      return fail(c, form, 400, `Inference-Header-Content-Length: Expected a number of bytes, got ${JSON.stringify(header)}`);
    const id = c.req.header("x-request-id") ?? null;
    const key = c.req.header("x-touchstone-key") ?? null;
    for (const [field, value] of Object.entries({ "X-Request-Id": id, "X-Touchstone-Key": key }))
      if (value !== null && (value === "" || value.length > 200))
        return fail(c, form, 400, `${field}: Expected 1 to 200 characters, got ${value.length}`);
    const answer = await serving.predict({
      ...{
        name,
        form,
        body,
        contentType: form === "mlflow" ? contentType : "application/json",
        key,
        id,
        headerLength: header === undefined ? null : Number(header),
      },
      durable: c.req.header("x-touchstone-durable") === "true",
      ...(version === undefined ? {} : { version }),
    });
    const headers: Record<string, string> = {
      ...{
        "content-type": answer.contentType,
        "x-touchstone-version": String(answer.version),
        "x-touchstone-arm": answer.arm,
        "x-request-id": answer.id,
      },
      ...(answer.warnings > 0 ? { "x-touchstone-warnings": String(answer.warnings) } : {}),
      ...(answer.degraded ? { "x-touchstone-degraded": "true" } : {}),
      ...(answer.headerLength === null ? {} : { "inference-header-content-length": String(answer.headerLength) }),
    };
    return new Response(Buffer.from(answer.body), { status: answer.status, headers });
  };

  const routeOf = (name: string): Route => {
    const route = serving.routes().get(name);
    if (!route || route.retired) throw new ServingError(404, `Servable not found for request: Latest(${name})`);
    return route;
  };
  const servedOf = (route: Route, version: number | "champion" | "challenger"): Served => {
    const number = typeof version === "number" ? version : route[version];
    const served = number === null ? undefined : route.versions.get(number);
    if (!served)
      throw new ServingError(
        404,
        `Servable not found for request: ${typeof version === "number" ? `Specific(${route.name}, ${version})` : `${version} of ${route.name}`}`,
      );
    return served;
  };

  app.get(
    "/v1/models",
    guarded("v1", (c) => c.json({ models: serving.models().map((model) => model.name) })),
  );
  const v1 = new RegExp(`^/v1/models/(${namePattern})(?:/versions/(\\d{1,9})|/labels/(champion|challenger))?(/metadata|:predict|:feedback)?$`);
  app.all(
    "/v1/models/*",
    guarded("v1", (c) => {
      const match = v1.exec(decoded(c.req.path));
      if (!match) throw new ServingError(404, `no such path: ${c.req.path}. Expected /v1/models/NAME[/versions/N][:predict]`);
      const [, name, number, label, action] = match as unknown as [string, string, string?, ("champion" | "challenger")?, string?];
      const version = number !== undefined ? Number(number) : label;
      const posts = action === ":predict" || action === ":feedback";
      if (!(posts ? ["POST"] : ["GET", "HEAD"]).includes(c.req.method))
        return fail(c, "v1", 405, `${c.req.path}: Expected ${posts ? "POST" : "GET"}, got ${c.req.method}`);
      if (action === ":predict") return predict(c, "v1", name, version);
      if (action === ":feedback") return feedback(c, name);
      const route = routeOf(name);
      const shown = version === undefined ? [...route.versions.values()] : [servedOf(route, version)];
      if (action === "/metadata") {
        const served = version === undefined ? servedOf(route, "champion") : shown[0]!;
        return c.json({
          model_spec: { name, signature_name: "serving_default", version: String(served.version) },
          metadata: {
            signature_def: { signature_def: { serving_default: signatureDef(served) } },
            touchstone: { signature: served.signature, card: served.card },
          },
        });
      }
      const inUse = new Set([route.champion, route.challenger, route.previous]);
      return c.json({
        model_version_status: shown.map((served) => ({
          version: String(served.version),
          state: inUse.has(served.version) ? "AVAILABLE" : "END",
          status: { error_code: "OK", error_message: "" },
        })),
      });
    }),
  );

  const feedback = async (c: Context, name: string): Promise<Response> => {
    routeOf(name);
    const body = await readBody(c);
    if (body === null) return fail(c, "v1", 413, `the body is larger than ${mostBytes >> 20} MB`);
    const records = readFeedback(new TextDecoder().decode(body), name);
    await serving.feedback(records);
    return c.json({ accepted: records.length });
  };

  app.get("/v2", (c) => c.json({ name: "touchstone", version: "1", extensions: ["binary_tensor_data"] }));
  app.get("/v2/health/live", (c) => c.json({ live: true }));
  app.get("/v2/health/ready", async (c) => {
    await serving.ready;
    return c.json({ ready: true, live: true });
  });
  const v2 = new RegExp(`^/v2/models/(${namePattern})(?:/versions/(\\d{1,9}))?(/ready|/infer)?$`);
  app.all(
    "/v2/models/*",
    guarded("v2", (c) => {
      const match = v2.exec(decoded(c.req.path));
      if (!match) throw new ServingError(404, `no such path: ${c.req.path}. Expected /v2/models/NAME[/versions/N][/infer]`);
      const [, name, number, action] = match as unknown as [string, string, string?, string?];
      const posts = action === "/infer";
      if (!(posts ? ["POST"] : ["GET", "HEAD"]).includes(c.req.method))
        return fail(c, "v2", 405, `${c.req.path}: Expected ${posts ? "POST" : "GET"}, got ${c.req.method}`);
      const version = number === undefined ? undefined : Number(number);
      if (posts) return predict(c, "v2", name, version);
      const route = routeOf(name);
      const served = servedOf(route, version ?? "champion");
      if (action === "/ready") {
        const state = serving.model(name)?.hosts[served.version]?.state;
        return c.json({ name, ready: state === "ready" }, state === "ready" ? 200 : 503);
      }
      const wide = served.signature.output.kind === "probabilities";
      return c.json({
        ...{ name, versions: [...route.versions.keys()].map(String), platform: `touchstone_${served.manifest.kind}` },
        inputs: served.signature.inputs.map((field) => ({
          ...{ name: field.name, datatype: datatypeOf(field.type) },
          shape: field.type === "double[]" || field.type === "image" ? [-1, -1] : [-1],
        })),
        outputs: [{ name: served.signature.output.name, datatype: "FP64", shape: wide ? [-1, served.signature.output.classes?.length ?? -1] : [-1] }],
      });
    }),
  );

  app.all(
    "/invocations",
    guarded("mlflow", (c) => {
      if (c.req.method !== "POST") return fail(c, "mlflow", 405, `/invocations: Expected POST, got ${c.req.method}`);
      const models = serving.models();
      const name = c.req.query("model") ?? (models.length === 1 ? models[0]!.name : null);
      if (name === null)
        throw new ServingError(
          400,
          models.length === 0
            ? "nothing is promoted yet"
            : `several models are served: say which by ?model=, one of ${models.map((model) => model.name).join(", ")}`,
        );
      return predict(c, "mlflow", name);
    }),
  );
  app.get("/ping", (c) => c.text("\n"));
  app.get("/health", (c) => c.text("\n"));
  app.notFound((c) => c.json({ error: `there is no ${c.req.method} ${c.req.path}` }, 404));
  app.get("/metrics", (c) => c.text(serving.metrics(), 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" }));
  return app;
}

/** TF Serving's signature_def, as far as clients read it. */
function signatureDef(served: Served): object {
  const types: Record<string, string> = { FP64: "DT_DOUBLE", INT32: "DT_INT32", INT64: "DT_INT64", BOOL: "DT_BOOL", BYTES: "DT_STRING" };
  const tensor = (name: string, dtype: string, wide: boolean): object => ({
    ...{ dtype, name },
    tensor_shape: { dim: (wide ? ["-1", "-1"] : ["-1"]).map((size) => ({ size, name: "" })), unknown_rank: false },
  });
  const { inputs, output } = served.signature;
  return {
    inputs: Object.fromEntries(
      inputs.map((field) => [field.name, tensor(field.name, types[datatypeOf(field.type)]!, field.type === "double[]" || field.type === "image")]),
    ),
    outputs: { [output.name]: tensor(output.name, "DT_DOUBLE", output.kind === "probabilities") },
    method_name: "tensorflow/serving/predict",
  };
}

/** Null when it is too large. */
async function readBody(c: Context): Promise<Uint8Array | null> {
  if (Number(c.req.header("content-length") ?? 0) > mostBytes) return null;
  const stream = c.req.raw.body;
  if (!stream) return new Uint8Array(0);
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of stream as unknown as AsyncIterable<Uint8Array>) {
    length += piece.length;
    if (length > mostBytes) return null;
    pieces.push(piece);
  }
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}

/** Last moment of a Date, ms since 1970. */
const latest = 8.64e15;

/** Throws a ServingError on a path that is no UTF-8. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new ServingError(400, `the path ${path} cannot be read: its percent signs spell no UTF-8`);
  }
}

/** {id, outcome, value, row?, event_at?} or {feedback: [...]}. Throws a ServingError that names the field. */
function readFeedback(text: string, name: string): FeedbackRecord[] {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    throw new ServingError(400, `the body is not JSON: ${(error as Error).message}`);
  }
  const many = (body as { feedback?: unknown } | null)?.feedback;
  const items = Array.isArray(many) ? many : [body];
  if (items.length === 0 || items.length > 10_000) throw new ServingError(400, `\`feedback\`: Expected 1 to 10,000 items, got ${items.length}`);
  const now = Date.now();
  return items.map((item: unknown, i) => {
    const where = Array.isArray(many) ? `feedback[${i}].` : "";
    const wrong = (field: string, expected: string, got: unknown): never => {
      throw new ServingError(400, `\`${where}${field}\`: Expected ${expected}, got ${JSON.stringify(got) ?? "nothing"}`);
    };
    if (typeof item !== "object" || item === null) return wrong("", "an object", item);
    const { id, row = 0, outcome = "outcome", value, event_at } = item as Record<string, unknown>;
    if (typeof id !== "string" || id === "" || id.length > 200) return wrong("id", "the X-Request-Id of a prediction", id);
    if (!Number.isSafeInteger(row) || (row as number) < 0) return wrong("row", "a row number from 0", row);
    if (typeof outcome !== "string" || outcome === "" || outcome.length > 100) return wrong("outcome", "a name", outcome);
    // 1e999 is Infinity, which the log could only keep as null
    if (!["number", "string", "boolean"].includes(typeof value) || (typeof value === "number" && !Number.isFinite(value)))
      return wrong("value", "a number, string or boolean", value);
    const eventAt = event_at === undefined ? now : Math.round(typeof event_at === "number" ? event_at : Date.parse(String(event_at)));
    // micro- and nanoseconds would lie beyond all times that can be compared
    if (!(Math.abs(eventAt) <= latest)) return wrong("event_at", "a time in ISO 8601, or ms since 1970", event_at);
    return { id, row: row as number, name, outcome, value, eventAt, at: now };
  });
}

/** ROOT/.touchstone/prediction-keys: sha256 of a key in hex, one a line. Without the file no key is needed. */
function keyCheck(root: string): (header: string | undefined) => boolean {
  const path = join(root, ".touchstone", "prediction-keys");
  let seen = -1;
  let keys = new Set<string>();
  return (header) => {
    const mtime = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (mtime !== seen) {
      keys = new Set(
        mtime === 0
          ? []
          : readFileSync(path, "utf8")
              .split("\n")
              .filter((line) => /^[0-9a-f]{64}$/.test(line)),
      );
      seen = mtime;
    }
    if (keys.size === 0) return true;
    const key = /^Bearer (\S+)$/.exec(header ?? "")?.[1];
    return key !== undefined && keys.has(createHash("sha256").update(key).digest("hex"));
  };
}
