/** Kernel processes as the server starts them: slow ones, silent ones, ones that leave a child behind. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { FromControl, FromKernel } from "../../kernels/protocol/kernel.js";
import type { Output } from "../../kernels/protocol/output.js";
import { startKernel, type Exit, type Kernel } from "./kernel.js";

let folder: string;
let kernel: Kernel | null = null;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "touchstone-kernel-"));
});
afterEach(async () => {
  await kernel?.stop();
  kernel = null;
  rmSync(folder, { recursive: true, force: true });
});

const config = () => ({
  notebook: join(folder, "a.nb.ts"),
  workspace: folder,
  root: folder,
  seed: 1,
  backend: null,
  cache: false,
  memoryLimit: 2 ** 31,
  duckdb: { memoryLimit: "500MB", threads: 1, spill: join(folder, "spill") },
});

/** Attaches and keeps what is told. */
function listenTo(given: Kernel) {
  const told: (FromKernel | FromControl)[] = [];
  const outputs: Output[] = [];
  const waiting = new Set<() => void>();
  const look = () => waiting.forEach((each) => each());
  let exit: Exit | null = null;
  let ready = false;
  given.attach(config(), {
    ready: () => ((ready = true), look()),
    message: (message) => (told.push(message), look()),
    outputs: (messages) => (outputs.push(...messages.map((message) => message.output)), look()),
    control: (message) => (told.push(message), look()),
    exit: (given) => ((exit = given), look()),
  });
  const until = (fits: () => boolean) =>
    new Promise<void>((resolve) => {
      const each = () => {
        if (!fits()) return;
        waiting.delete(each);
        resolve();
      };
      waiting.add(each);
      each();
    });
  return {
    outputs,
    until,
    done: async (run: string) => {
      const find = () => told.find((message) => message.type === "done" && message.run === run);
      await until(() => find() !== undefined || exit !== null);
      return find() as Extract<FromKernel, { type: "done" }>;
    },
    ready: () => until(() => ready),
    ended: async () => (await until(() => exit !== null), exit!),
  };
}
const run = (given: Kernel, name: string, source: string) =>
  given.send({ type: "run", request: { cell: { id: name, kind: "code", source, options: {} }, run: name, uses: [], defines: [], mayCommit: false } });

it("gives up a process that does not start, and says so", async () => {
  kernel = await startKernel({ heapLimit: 2 ** 30, patience: 1 });
  const exit = await listenTo(kernel).ended();
  expect(exit.expected).toBe(false);
  expect(exit.cause).toMatch(/^The kernel did not start within 0 s and was ended/);
});

it("hears a stop that was sent before the control worker had connected", async () => {
  kernel = await startKernel({ heapLimit: 2 ** 30 });
  const heard = listenTo(kernel);
  // nothing is connected yet
  kernel.control({ type: "interrupt", run: "early" });
  await heard.ready();
  run(kernel, "early", "for (;;) {}");
  expect((await heard.done("early")).result).toBe("interrupted");
  run(kernel, "next", "1 + 1");
  expect((await heard.done("next")).result).toBe("ok");
});

it("hears each stop that overtakes its run", async () => {
  kernel = await startKernel({ heapLimit: 2 ** 30 });
  const heard = listenTo(kernel);
  await heard.ready();
  for (let i = 0; i < 20; i++) {
    kernel.control({ type: "interrupt", run: `r${i}` });
    run(kernel, `r${i}`, "await new Promise(() => {})");
    expect((await heard.done(`r${i}`)).result).toBe("interrupted");
  }
});

it("is known to be dead although a child of a cell holds its pipes", async () => {
  kernel = await startKernel({ heapLimit: 2 ** 30 });
  const heard = listenTo(kernel);
  await heard.ready();
  const child = join(folder, "child.sh");
  writeFileSync(child, "#!/bin/sh\nexec sleep 60\n");
  chmodSync(child, 0o700);
  run(
    kernel,
    "spawn",
    `import { spawn } from "node:child_process"\nconst child = spawn(${JSON.stringify(child)}, { stdio: "inherit", detached: true }); console.log("pid", child.pid)`,
  );
  await heard.done("spawn");
  const pid = Number(/pid (\d+)/.exec(heard.outputs.map((output) => (output.kind === "stream" ? output.text : "")).join(""))![1]);
  try {
    process.kill(kernel.pid!, "SIGKILL");
    expect((await heard.ended()).signal).toBe("SIGKILL");
    // it lives
    process.kill(pid, 0);
  } finally {
    process.kill(pid, "SIGKILL");
  }
});
