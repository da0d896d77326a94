/** One kernel process: started, spoken to, stopped, its death explained. Knows nothing of documents. */
import { spawn, type ChildProcess } from "node:child_process";
import { setPriority } from "node:os";
import type { KernelQuery } from "../../kernels/protocol/document.js";
import type { BulkMessage, FromControl, FromKernel, KernelConfig, ToControl, ToKernel } from "../../kernels/protocol/kernel.js";
import { kernelFlags } from "../../kernels/paths/flags.js";
import { entry } from "../../kernels/paths/paths.js";
import { explain, tooLate } from "./death.js";
import { listen, type Sockets } from "./sockets.js";

export interface Exit {
  /** we asked for it */
  expected: boolean;
  cause: string;
  code: number | null;
  signal: string | null;
}

export interface KernelEvents {
  ready(pid: number): void;
  message(message: Exclude<FromKernel, { type: "ready" | "reply" }>): void;
  outputs(messages: Extract<BulkMessage, { type: "output" }>[]): void;
  control(message: FromControl): void;
  exit(exit: Exit): void;
  /** what the process itself prints: natives and Node's own warnings */
  said?(text: string): void;
}

export interface QueryOptions {
  /** aborted: the query is stopped */
  signal?: AbortSignal;
  /** percent of a query that takes long */
  working?(percent: number): void;
}

/** The kernel that held what was asked for has ended. */
export class KernelGone extends Error {
  override name = "KernelGone";
}

/** What a session needs of a kernel; tests give one that lives in this process. */
export interface Kernel {
  readonly pid: number | null;
  /** takes it into use: events that came before are told now */
  attach(config: Omit<KernelConfig, "sockets">, events: KernelEvents): void;
  send(message: ToKernel): void;
  control(message: ToControl): void;
  query(query: KernelQuery, how?: QueryOptions): Promise<unknown>;
  stop(): Promise<void>;
  /** resolves when the process is gone, whoever ended it */
  readonly ended: Promise<void>;
}

export interface KernelOptions {
  heapLimit: number;
  /** ms until a process that has not said `ready` is given up; a busy machine needs some seconds */
  patience?: number;
  /** told what the process itself prints: natives and Node's own warnings */
  said?(text: string): void;
}

/** Names of the environment that a kernel gets; everything else may hold a secret. */
const passed =
  /^(PATH|HOME|USER|LANG|LC_\w+|TZ|TMPDIR|TEMP|TMP|NODE_EXTRA_CA_CERTS|CUDA_\w+|LD_LIBRARY_PATH|VK_\w+|NVIDIA_\w+|TF_\w+|TOUCHSTONE_(BACKEND|MEMORY))$/;
export const kernelEnvironment = (env: NodeJS.ProcessEnv) => Object.fromEntries(Object.entries(env).filter(([name]) => passed.test(name)));

/** Starts a process; resolves when its sockets listen, before it is ready. */
export async function startKernel(options: KernelOptions): Promise<Kernel> {
  let events: KernelEvents | null = null;
  let config: Omit<KernelConfig, "sockets"> | null = null;
  let readyPid: number | null = null;
  let late = false;
  let early: Exit | null = null;
  let stopping = false;
  let gone = false;
  let said = "";
  let rss = 0;
  /** as the process itself says it */
  let { heapLimit } = options;
  /** of the process, once it is known */
  let limit: number | null = null;
  let over: { rss: number; limit: number } | null = null;
  let nextQuery = 1;
  const queries = new Map<number, { resolve(value: unknown): void; reject(error: Error): void; working?: ((percent: number) => void) | undefined }>();
  /** outputs seen of the run, and a `done` that waits for the rest of them: however long a busy machine takes, they come, or the process ends */
  const seen = new Map<string, number>();
  const held = new Map<string, Extract<FromKernel, { type: "done" }>>();

  const release = (run: string) => {
    const waiting = held.get(run);
    if (waiting === undefined) return;
    held.delete(run);
    seen.delete(run);
    events?.message(waiting);
  };
  const complete = ({ run, outputs }: Extract<FromKernel, { type: "done" }>) => (seen.get(run) ?? 0) >= outputs;

  const answered = (message: Extract<FromKernel | FromControl, { type: "reply" }>) => {
    const waiting = queries.get(message.id);
    queries.delete(message.id);
    if (message.ok) waiting?.resolve(message.value);
    else waiting?.reject("gone" in message ? new KernelGone(message.message) : new Error(message.message));
  };
  const onMain = (message: FromKernel) => {
    if (message.type === "ready") {
      readyPid = message.pid;
      clearTimeout(starting);
      if (events !== null) begin();
    } else if (message.type === "reply") answered(message);
    else if (message.type === "done") {
      held.set(message.run, message);
      if (complete(message)) release(message.run);
    } else events?.message(message);
  };
  const onBulk = (messages: BulkMessage[]) => {
    for (const { run } of messages) seen.set(run, (seen.get(run) ?? 0) + 1);
    events?.outputs(messages);
    for (const [run, done] of [...held]) if (complete(done)) release(run);
  };

  const sockets: Sockets = await listen(
    (channel, messages) => {
      if (gone) return;
      if (channel === "main") for (const message of messages) onMain(message as FromKernel);
      else if (channel === "bulk") onBulk(messages as BulkMessage[]);
      else
        for (const message of messages as FromControl[]) {
          if (message.type === "size") ({ rss } = message);
          else if (message.type === "memory") ({ rss, heapLimit } = message);
          else if (message.type === "near-limit") rss = Math.max(rss, message.rss);
          else if (message.type === "over-limit") over = message;
          if (message.type === "reply") answered(message);
          else if (message.type === "working") queries.get(message.id)?.working?.(message.percent);
          else events?.control(message);
        }
    },
    () => {},
    (error) => {
      said += `\n${error.message}`;
      child.kill("SIGKILL");
    },
  );

  const child: ChildProcess = spawn(process.execPath, [...kernelFlags(process.version, options.heapLimit), entry("kernel")], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...kernelEnvironment(process.env), TOUCHSTONE_KERNEL_SOCKETS: JSON.stringify(sockets.paths) },
    windowsHide: true,
  });
  // a process that neither starts nor ends would be waited for silently
  const patience = options.patience ?? 60_000;
  const starting = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, patience);
  starting.unref();
  // the server answers people and models first
  if (child.pid !== undefined)
    try {
      setPriority(child.pid, 5);
    } catch {}
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-8192);
      options.said?.(text);
      events?.said?.(text);
    });

  const ended = new Promise<void>((resolve) => {
    const end = (code: number | null, signal: string | null, failure?: string) => {
      if (gone) return;
      gone = true;
      clearTimeout(starting);
      for (const run of [...held.keys()]) release(run);
      for (const { reject } of queries.values()) reject(new KernelGone("the kernel stopped before it answered"));
      queries.clear();
      sockets.close();
      const exit: Exit = {
        expected: stopping,
        cause:
          failure ??
          (late ? tooLate(patience, said) : null) ??
          explain({ code, signal, said, rss, heapLimit, memoryLimit: limit ?? options.heapLimit, over }),
        code,
        signal,
      };
      if (events !== null) events.exit(exit);
      else early = exit;
      resolve();
    };
    child.once("error", (error) => end(null, null, `The kernel could not be started: ${error.message}`));
    // "close" comes after its last words, but not while a process that a cell has started holds its pipes
    child.once("close", end);
    child.once("exit", (code, signal) => {
      setTimeout(() => end(code, signal), 500).unref();
    });
  });

  const begin = () => {
    sockets.send("main", { type: "configure", config: { ...config!, sockets: sockets.paths } } satisfies ToKernel);
    events!.ready(readyPid!);
  };

  return {
    ended,
    get pid() {
      return child.pid ?? null;
    },
    attach(given, on) {
      config = given;
      limit = given.memoryLimit;
      events = on;
      on.said?.(said);
      if (early !== null) on.exit(early);
      else if (readyPid !== null) begin();
    },
    send: (message) => void sockets.send("main", message),
    control(message) {
      if (message.type === "limit") limit = message.bytes;
      sockets.send("control", message);
    },
    query(query, { signal, working } = {}) {
      const id = nextQuery++;
      // tables are DuckDB's, which answers while a cell computes; variables are the main thread's
      const channel = query.query.startsWith("table.") ? "control" : "main";
      return new Promise((resolve, reject) => {
        // before `configure` nobody would answer
        if (gone || readyPid === null || config === null || !sockets.send(channel, { type: "query", id, query } satisfies ToKernel & ToControl))
          return reject(new KernelGone("the kernel is not running"));
        queries.set(id, { resolve, reject, working });
        signal?.addEventListener("abort", () => {
          if (queries.has(id)) sockets.send("control", { type: "cancel", id } satisfies ToControl);
        });
      });
    },
    async stop() {
      if (gone) return;
      stopping = true;
      // one that is still starting hears nothing, and has nothing to lose
      if (readyPid === null) child.kill("SIGKILL");
      sockets.send("main", { type: "shutdown" } satisfies ToKernel);
      sockets.send("control", { type: "exit" } satisfies ToControl);
      const kill = setTimeout(() => child.kill("SIGKILL"), 500);
      await ended;
      clearTimeout(kill);
    },
  };
}
