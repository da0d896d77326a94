/** Errors as answers: what a person can cause has a status and a sentence; the rest is logged and says that it is our fault. */
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Log } from "../log.js";
import { PathError } from "../sessions/paths.js";

export class RequestError extends Error {
  readonly status: ContentfulStatusCode;
  readonly code: string;
  constructor(status: ContentfulStatusCode, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export function problem(c: Context, error: Error, log: Log): Response {
  const answer = (status: ContentfulStatusCode, code: string, message: string) => c.json({ error: { code, message } }, status);
  if (error instanceof RequestError) return answer(error.status, error.code, error.message);
  if (error instanceof PathError) return answer(error.code === "not-found" ? 404 : 400, error.code, error.message);
  if (error instanceof HTTPException) return answer(error.status as ContentfulStatusCode, "bad-request", error.message);
  const { code } = error as NodeJS.ErrnoException;
  if (code === "EACCES" || code === "EROFS" || code === "EPERM") return answer(409, "read-only", `The folder cannot be written: ${error.message}`);
  if (code === "ENOSPC") return answer(507, "full", "The disk is full.");
  log.error({ error, path: c.req.path }, "request failed");
  return answer(500, "internal", `The server could not do this: ${error.message}`);
}

/** Longest body that is read. */
const most = 32 * 2 ** 20;

/** The JSON body of a request as an object. Its length is told before it is read. */
export async function body(c: Context): Promise<Record<string, unknown>> {
  if (c.req.header("transfer-encoding") !== undefined) throw new RequestError(411, "length", "Expected a Content-Length header.");
  if (Number(c.req.header("content-length") ?? 0) > most) throw new RequestError(413, "too-large", "Expected a body of at most 32 MB.");
  let json: unknown;
  try {
    json = await c.req.json();
  } catch {
    throw new RequestError(400, "bad-request", "Expected a JSON body.");
  }
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw new RequestError(400, "bad-request", "Expected the body to be a JSON object.");
  return json as Record<string, unknown>;
}

/** A required string of a body or query. */
export function text(from: Record<string, unknown>, name: string): string {
  const value = from[name];
  if (typeof value !== "string" || value === "")
    throw new RequestError(400, "bad-request", `Expected \`${name}\` to be a string, got ${JSON.stringify(value) ?? "nothing"}.`);
  return value;
}
