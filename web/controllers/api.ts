/** HTTP of the workbench (`/api/ts/`). Errors carry the server's sentence. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
  }
}

async function request<T>(method: string, path: string, body?: unknown): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(path, {
      method,
      headers: body === undefined ? {} : { "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  } catch {
    throw new ApiError(0, "offline", "The server does not answer. Is it still running?");
  }
  const text = await answer.text();
  let value: unknown;
  try {
    value = text === "" ? null : JSON.parse(text);
  } catch {
    value = text;
  }
  if (!answer.ok) {
    const error = (value as { error?: string | { code?: string; message?: string }; message?: string } | null) ?? {};
    const inner = typeof error === "object" && typeof error.error === "object" ? error.error : null;
    const message =
      inner?.message ??
      (typeof error === "object" && typeof error.error === "string" ? error.error : undefined) ??
      `The server answered ${answer.status}.`;
    throw new ApiError(answer.status, inner?.code ?? "http", message);
  }
  return value as T;
}

export const api = {
  get: <T>(path: string): Promise<T> => request<T>("GET", path),
  delete: <T>(path: string): Promise<T> => request<T>("DELETE", path),
  post: <T>(path: string, body: unknown = {}): Promise<T> => request<T>("POST", path, body),
};
