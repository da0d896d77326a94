/** The Jupyter kernels and sessions of this server. An open notebook with a running kernel is a session too, so that clients can connect to it. */
import { randomUUID } from "node:crypto";
import { basename, dirname } from "node:path";
import { notebookEnding, PathError } from "../sessions/paths.js";
import type { Session } from "../sessions/session.js";
import type { Sessions } from "../sessions/sessions.js";
import { JupyterKernel } from "./kernel.js";

export interface JupyterSession {
  id: string;
  path: string;
  name: string;
  type: string;
  kernel: JupyterKernel;
}

export class JupyterKernels {
  readonly kernels = new Map<string, JupyterKernel>();
  readonly sessions = new Map<string, JupyterSession>();
  readonly #sessions: Sessions;
  readonly started: Date;

  /** A kernel of its own ends as one of a notebook does: when nobody has used it for the hours that Settings hold. One that somebody is connected to stays. */
  constructor(sessions: Sessions) {
    this.#sessions = sessions;
    this.started = new Date(sessions.now());
    sessions.onCull((idleMs) => {
      const before = sessions.now() - idleMs;
      for (const kernel of this.kernels.values())
        if (!kernel.notebook && kernel.connections === 0 && kernel.state !== "busy" && kernel.lastActivity.getTime() < before)
          void this.remove(kernel);
    });
  }

  /** Kernels of notebooks that run already are taken up. */
  refresh(): void {
    for (const session of this.#sessions.all()) {
      const { state } = session.state.kernel;
      if (state === "none" || state === "dead" || [...this.sessions.values()].some((each) => each.kernel.session === session)) continue;
      this.#add(session.place.path, basename(session.place.path), "notebook", this.#keep(new JupyterKernel(session, null, this.#sessions.now)));
    }
  }

  start(path: string): JupyterKernel {
    const notebook = this.#notebook(path);
    const known = notebook && [...this.kernels.values()].find((kernel) => kernel.session === notebook);
    if (known) return known;
    if (notebook) return this.#keep(new JupyterKernel(notebook, null, this.#sessions.now));
    const { session, letGo } = this.#sessions.bare(dirname(path));
    return this.#keep(new JupyterKernel(session, letGo, this.#sessions.now));
  }

  /** The session of this path, or a new one. */
  open(path: string, name: string, type: string, kernel?: JupyterKernel): JupyterSession {
    this.refresh();
    const known = [...this.sessions.values()].find((session) => session.path === path);
    return known ?? this.#add(path, name, type, kernel ?? this.start(path));
  }

  async remove(kernel: JupyterKernel): Promise<void> {
    this.kernels.delete(kernel.id);
    for (const session of this.sessions.values()) if (session.kernel === kernel) this.sessions.delete(session.id);
    await kernel.close();
  }

  async close(): Promise<void> {
    await Promise.all([...this.kernels.values()].map((kernel) => this.remove(kernel)));
  }

  /** Null: not one of our notebooks, for example an .ipynb of the client's own. */
  #notebook(path: string): Session | null {
    if (!path.endsWith(notebookEnding)) return null;
    try {
      return this.#sessions.open(path);
    } catch (error) {
      if (error instanceof PathError && error.code === "not-found") return null;
      throw error;
    }
  }

  #keep(kernel: JupyterKernel): JupyterKernel {
    this.kernels.set(kernel.id, kernel);
    kernel.onShutdown = () => this.remove(kernel);
    return kernel;
  }

  #add(path: string, name: string, type: string, kernel: JupyterKernel): JupyterSession {
    const session = { id: randomUUID(), path, name, type, kernel };
    this.sessions.set(session.id, session);
    return session;
  }
}
