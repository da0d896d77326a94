/** A kernel in this process that obeys its cells' text: "print x", "wait", "fail", "die"; everything else is ok. */
import type { KernelQuery } from "../../kernels/protocol/document.js";
import type { RunRequest, ToControl, ToKernel } from "../../kernels/protocol/kernel.js";
import type { Kernel, KernelEvents } from "../../server/sessions/kernel.js";

export interface FakeKernel extends Kernel {
  readonly stopped: boolean;
  /** what it was given at its start */
  readonly config: Parameters<Kernel["attach"]>[0] | null;
  /** ends runs that wait */
  release(): void;
}

export function fakeKernels(): { take(): Promise<FakeKernel>; all: FakeKernel[] } {
  const all: FakeKernel[] = [];
  return {
    all,
    async take() {
      const kernel = fakeKernel(all.length + 1);
      all.push(kernel);
      return kernel;
    },
  };
}

function fakeKernel(pid: number): FakeKernel {
  let events: KernelEvents | null = null;
  let waiting: RunRequest | null = null;
  let stopped = false;
  let config: FakeKernel["config"] = null;
  /** told to stop, perhaps before it began */
  let interrupted = "";
  const done = ({ run, cell }: RunRequest, result: "ok" | "error" | "interrupted") =>
    events?.message({ type: "done", run, cell: cell.id, result, elapsedMs: 1, warnings: [], outputs: 0, reads: [] });
  const run = (request: RunRequest) => {
    const { source, id } = request.cell;
    const print = (text: string) =>
      events?.outputs([{ type: "output", run: request.run, cell: id, n: 0, output: { kind: "stream", name: "stdout", text } }]);
    for (const [, text] of source.matchAll(/^print (.*)$/gm)) print(`${text}\n`);
    const [, many] = /^flood (\d+)$/m.exec(source) ?? [];
    for (let i = 0; i < Number(many ?? 0); i++) print("x".repeat(10_000));
    if (/^die$/m.test(source)) return events?.exit({ expected: false, cause: "killed from outside (signal 9)", code: null, signal: "SIGKILL" });
    if (request.run === interrupted) done(request, "interrupted");
    else if (/^wait$/m.test(source)) waiting = request;
    else done(request, /^fail$/m.test(source) ? "error" : "ok");
  };
  return {
    ended: new Promise(() => {}),
    pid,
    get stopped() {
      return stopped;
    },
    get config() {
      return config;
    },
    attach(given, on) {
      config = given;
      events = on;
      setImmediate(() => !stopped && on.ready(pid));
    },
    send(message: ToKernel) {
      if (message.type === "run") setImmediate(() => !stopped && run(message.request));
    },
    control(message: ToControl) {
      if (message.type !== "interrupt") return;
      interrupted = message.run;
      if (waiting?.run === message.run) {
        const request = waiting;
        waiting = null;
        setImmediate(() => done(request, "interrupted"));
      }
    },
    query: async (query: KernelQuery) =>
      query.query === "table.count" ? 10_000_000 : Promise.reject(new Error("this relation is gone; run the cell again")),
    release() {
      const request = waiting;
      waiting = null;
      if (request !== null) done(request, "ok");
    },
    async stop() {
      stopped = true;
      events = null;
    },
  };
}
