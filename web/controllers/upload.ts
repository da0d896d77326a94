/** Files on their way into a workspace, with their progress; and the cell that reads one. */
import { plainName } from "./names.js";

export interface Upload {
  name: string;
  bytes: number;
  sent: number;
  /** what went wrong; null while it goes on */
  failure: string | null;
  cancel(): void;
}

/** What is used of XMLHttpRequest, which tells how much is sent; `fetch` does not. */
export type Request = Pick<XMLHttpRequest, "open" | "send" | "abort" | "status" | "responseText"> & {
  upload: { onprogress: ((event: ProgressEvent) => void) | null };
  onload: ((event: ProgressEvent) => void) | null;
  onerror: ((event: ProgressEvent) => void) | null;
  onabort: ((event: ProgressEvent) => void) | null;
};

export class Uploads {
  list: Upload[] = [];
  readonly #changed: () => void;
  readonly #request: () => Request;
  constructor(changed: () => void, request: () => Request = () => new XMLHttpRequest() as Request) {
    this.#changed = changed;
    this.#request = request;
  }

  /** Sends one file to `data/` of the workspace; resolves with its path there, or null when it was cancelled or refused. */
  add(file: File, workspace: string): Promise<string | null> {
    const request = this.#request();
    const upload: Upload = { name: file.name, bytes: file.size, sent: 0, failure: null, cancel: () => request.abort() };
    this.list = [...this.list, upload];
    this.#changed();
    return new Promise((resolve) => {
      const end = (failure: string | null, path: string | null): void => {
        upload.failure = failure;
        if (failure === null) this.forget(upload);
        else this.#changed();
        resolve(path);
      };
      request.upload.onprogress = ({ loaded }) => {
        upload.sent = loaded;
        this.#changed();
      };
      request.onload = () => {
        const answer = parse(request.responseText);
        if (request.status === 201 && typeof answer?.path === "string") end(null, answer.path);
        else end(answer?.error?.message ?? `The server refused ${file.name} (${request.status}).`, null);
      };
      request.onerror = () => end(`${file.name} was not uploaded: the connection was lost. Drop it again.`, null);
      request.onabort = () => end(null, null);
      request.open("PUT", `/api/ts/files?${new URLSearchParams({ workspace, name: file.name })}`);
      request.send(file);
    });
  }

  /** Takes one off the list. */
  forget(upload: Upload): void {
    this.list = this.list.filter((other) => other !== upload);
    this.#changed();
  }
}

function parse(text: string): { path?: string; error?: { message?: string } } | null {
  try {
    return JSON.parse(text) as { path?: string; error?: { message?: string } };
  } catch {
    return null;
  }
}

/** The cell that reads an uploaded file, under a name that is free. */
export function cellFor(path: string, taken: ReadonlySet<string>): { kind: "sql" | "code"; source: string } {
  const name = plainName(path, taken);
  const quoted = path.replaceAll("'", "''").replaceAll("\\", "\\\\").replaceAll("`", "\\`").replaceAll("${", "\\${");
  if (/\.(duckdb|db)$/i.test(path)) return { kind: "code", source: `const ${name} = database(${JSON.stringify(path)})\nawait ${name}.tables()` };
  return { kind: "sql", source: `const ${name} = sql\`\n  select * from '${quoted}'\`` };
}
