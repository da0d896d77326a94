/** Starts a real kernel process for a test and speaks its wire. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kernelFlags } from "../../kernels/paths/flags.js";
import { entry } from "../../kernels/paths/paths.js";
import type { CellKind, KernelQuery } from "../../kernels/protocol/document.js";
import { encodeFrame, frameDecoder } from "../../kernels/protocol/frames.js";
import type { BulkMessage, FromControl, FromKernel, KernelConfig, RunRequest, ToControl, ToKernel } from "../../kernels/protocol/kernel.js";
import type { MimeBundle, Output } from "../../kernels/protocol/output.js";

export type Done = Omit<Extract<FromKernel, { type: "done" }>, "outputs"> & {
  outputs: Output[];
  /** all stdout */ stdout: string;
  stderr: string;
  displays: MimeBundle[];
};

export interface RunOptions {
  id?: string;
  kind?: CellKind;
  uses?: string[];
  defines?: string[];
  mayCommit?: boolean;
  /** a request of a console */
  console?: true;
  /** the cell has the option `cache` */
  cache?: boolean;
  fresh?: true;
  /** what its controls hold */
  controls?: RunRequest["controls"];
}

export interface TestKernel {
  pid: number;
  process: ChildProcess;
  workspace: string;
  messages: FromKernel[];
  /** runs asked for so far; their ids are r1, r2 ... */
  readonly runs: number;
  controls: FromControl[];
  run(source: string, options?: RunOptions): Promise<Done>;
  /** sends the run and gives its id at once */
  start(source: string, options?: RunOptions): { run: string; cell: string; done: Promise<Done> };
  interrupt(run: string, soft?: boolean): void;
  query(query: KernelQuery): Promise<unknown>;
  send(message: ToKernel): void;
  control(message: ToControl): void;
  /** the first message, past or to come, that fits */
  until<M extends FromKernel | FromControl | Output>(fits: (message: FromKernel | FromControl | Output) => message is M): Promise<M>;
  until(fits: (message: FromKernel | FromControl | Output) => boolean): Promise<FromKernel | FromControl | Output>;
  /** answers the kernel's calls to the server */
  answer: (method: string, params: unknown) => unknown;
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** closes the server's side of every socket */
  disconnect(): void;
  close(): Promise<void>;
}

export interface KernelOptions extends Partial<Omit<KernelConfig, "sockets">> {
  env?: Record<string, string>;
  /** flags of Node, instead of kernelFlags */
  node?: string;
}

/** A kernel in a fresh workspace (or the one given), configured and ready. Close it at the end of the test. */
export async function startKernel(options: KernelOptions = {}): Promise<TestKernel> {
  const { env, node, ...given } = options;
  const folder = mkdtempSync(join(tmpdir(), "tk-"));
  const workspace = given.workspace ?? join(folder, "workspace");
  mkdirSync(workspace, { recursive: true });
  const config: KernelConfig = {
    notebook: join(workspace, "test.nb.ts"),
    root: workspace,
    seed: 42,
    backend: null,
    cache: true,
    memoryLimit: 4 * 2 ** 30,
    duckdb: { memoryLimit: "1GB", threads: 2, spill: join(workspace, ".touchstone", "spill") },
    ...given,
    workspace,
    sockets: { main: join(folder, "m"), control: join(folder, "c"), bulk: join(folder, "b") },
  };

  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  const listen = (path: string, onFrame: (head: unknown) => void) =>
    new Promise<{ socket: Promise<Socket> }>((resolve) => {
      let connected: (socket: Socket) => void;
      const socket = new Promise<Socket>((done) => (connected = done));
      const server = createServer((each) => {
        each.on("error", () => each.destroy());
        each.on(
          "data",
          frameDecoder(({ head }) => onFrame(head)),
        );
        sockets.add(each);
        connected(each);
      });
      servers.push(server);
      server.listen(path, () => resolve({ socket }));
    });

  const messages: FromKernel[] = [];
  const controls: FromControl[] = [];
  const outputs = new Map<string, Output[]>();
  const waiting = new Set<(message: FromKernel | FromControl | Output) => void>();
  const seen: (FromKernel | FromControl | Output)[] = [];
  const note = (message: FromKernel | FromControl | Output) => {
    seen.push(message);
    for (const each of [...waiting]) each(message);
  };
  const waits = new Map<string, (done: Done) => void>();
  const dones = new Map<string, Extract<FromKernel, { type: "done" }>>();
  const finish = (run: string) => {
    const done = dones.get(run);
    const own = outputs.get(run) ?? [];
    if (!done || own.length < done.outputs) return;
    const text = (name: string) => own.map((output) => (output.kind === "stream" && output.name === name ? output.text : "")).join("");
    const displays = new Map<string, MimeBundle>();
    for (const output of own) if (output.kind === "display") displays.set(output.id, output.data);
    waits.get(run)?.({ ...done, outputs: own, stdout: text("stdout"), stderr: text("stderr"), displays: [...displays.values()] });
    waits.delete(run);
  };
  const replies = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();

  const onMain = (head: unknown) => {
    const message = head as FromKernel;
    messages.push(message);
    if (message.type === "done") {
      dones.set(message.run, message);
      finish(message.run);
    } else if (message.type === "reply") {
      const waiter = replies.get(message.id);
      if (message.ok) waiter?.resolve(message.value);
      else waiter?.reject(new Error(message.message));
    } else if (message.type === "call") {
      void Promise.resolve()
        .then(() => kernel.answer(message.method, message.params))
        .then(
          (value) => kernel.send({ type: "answer", id: message.id, ok: true, value }),
          (error: Error) => kernel.send({ type: "answer", id: message.id, ok: false, message: error.message }),
        );
    }
    note(message);
  };
  const onBulk = (head: unknown) => {
    const message = head as BulkMessage;
    const own = outputs.get(message.run);
    if (own === undefined) outputs.set(message.run, [message.output]);
    else own.push(message.output);
    note(message.output);
    finish(message.run);
  };
  const [main, control] = await Promise.all([
    listen(config.sockets.main, onMain),
    listen(config.sockets.control, (head) => {
      controls.push(head as FromControl);
      note(head as FromControl);
    }),
    listen(config.sockets.bulk, onBulk),
  ]);

  const child = spawn(node ?? process.execPath, [...kernelFlags(process.version), entry("kernel")], {
    env: { ...process.env, ...env, TOUCHSTONE_KERNEL_SOCKETS: JSON.stringify(config.sockets) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let noise = "";
  child.stdout.on("data", (piece) => (noise += String(piece)));
  child.stderr.on("data", (piece) => (noise += String(piece)));
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.on("exit", (code, signal) => {
      resolve({ code, signal });
      const error = new Error(`the kernel ended (${code ?? signal}): ${noise}`);
      for (const run of waits.keys()) fail.get(run)?.(error);
      for (const { reject } of replies.values()) reject(error);
      for (const server of servers) server.close();
    });
  });
  const fail = new Map<string, (error: Error) => void>();
  const early = exited.then(() => {
    throw new Error(`the kernel ended before it was ready: ${noise}`);
  });
  const [mainSocket, controlSocket] = await Promise.race([Promise.all([main.socket, control.socket]), early]);
  early.catch(() => undefined);

  let runs = 0;
  let queries = 0;
  const kernel: TestKernel = {
    pid: child.pid!,
    process: child,
    workspace,
    messages,
    controls,
    get runs() {
      return runs;
    },
    exited,
    answer: (method) => {
      throw new Error(`no server here: ${method}`);
    },
    send: (message) => void mainSocket.write(encodeFrame(message)),
    control: (message) => void controlSocket.write(encodeFrame(message)),
    start(source, { id, kind = "code", uses = [], defines = [], mayCommit = false, console, cache, fresh, controls } = {}) {
      const run = `r${++runs}`;
      const cell = id ?? `c${runs}`;
      const done = new Promise<Done>((resolve, reject) => {
        waits.set(run, resolve);
        fail.set(run, reject);
      });
      done.catch(() => undefined);
      kernel.send({
        type: "run",
        request: {
          cell: { id: cell, kind, source, options: { ...(cache && { cache }) } },
          run,
          uses,
          defines,
          mayCommit,
          ...(console && { console }),
          ...(fresh && { fresh }),
          ...(controls && { controls }),
        },
      });
      return { run, cell, done };
    },
    run: (source, runOptions) => kernel.start(source, runOptions).done,
    interrupt: (run, soft) => kernel.control({ type: "interrupt", run, ...(soft && { soft }) }),
    query: (query) =>
      new Promise((resolve, reject) => {
        const id = ++queries;
        replies.set(id, { resolve, reject });
        kernel.send({ type: "query", id, query });
      }),
    until: ((fits: (message: FromKernel | FromControl | Output) => boolean) => {
      const found = seen.find(fits);
      if (found) return Promise.resolve(found);
      return new Promise((resolve) => {
        const look = (message: FromKernel | FromControl | Output) => {
          if (!fits(message)) return;
          waiting.delete(look);
          resolve(message);
        };
        waiting.add(look);
      });
    }) as TestKernel["until"],
    disconnect: () => sockets.forEach((each) => each.destroy()),
    async close() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
  kernel.send({ type: "configure", config });
  await Promise.race([kernel.until((message) => "type" in message && message.type === "ready"), early]);
  return kernel;
}
