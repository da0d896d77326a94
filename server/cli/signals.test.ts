/** However it is stopped, the server ends with every process that it began. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { packageRoot } from "../../kernels/paths/paths.js";

const root = mkdtempSync(join(tmpdir(), "touchstone-signals-"));
let child: ChildProcess | null = null;
afterEach(() => {
  try {
    if (child?.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // gone, as it should be
  }
  rmSync(root, { recursive: true, force: true });
});

/** Processes of a group that live; a zombie is one that nobody has counted yet. */
function living(group: number): string[] {
  const { stdout } = spawnSync("ps", ["-eo", "pgid=,stat=,args="], { encoding: "utf8" });
  return stdout.split("\n").filter((line) => new RegExp(`^\\s*${group}\\s+[^Z]`).test(line));
}

/** Starts a server in a group of its own; resolved once it has printed its address. */
async function start(command: string, args: string[], env: NodeJS.ProcessEnv): Promise<{ group: number; closed: Promise<number | null> }> {
  const made = spawn(command, args, {
    cwd: packageRoot(),
    detached: true,
    env: { ...process.env, ...env, TOUCHSTONE_HOME: root },
    stdio: ["ignore", "pipe", "pipe"],
  });
  child = made;
  // closed: also no process that was left holds its output
  const closed = new Promise<number | null>((resolve) => made.on("close", resolve));
  let said = "";
  await new Promise<void>((resolve, reject) => {
    const hear = (bytes: Buffer): void => {
      said += bytes.toString();
      if (said.includes("Touchstone is ready: ")) resolve();
    };
    made.stdout.on("data", hear);
    made.stderr.on("data", hear);
    void closed.then((code) => reject(new Error(`ended with ${code}: ${said}`)));
  });
  return { group: made.pid!, closed };
}

const argv = [join(packageRoot(), "touchstone.js"), "start", "--no-open", "--port", "0"];

it.skipIf(process.platform === "win32").each([
  ["SIGINT", 130],
  ["SIGTERM", 0],
  ["SIGHUP", 0],
] as const)("%s ends it with exit code %i", async (signal, code) => {
  const { group, closed } = await start(process.execPath, argv, { npm_lifecycle_event: undefined });
  process.kill(group, signal);
  expect(await closed).toBe(code);
  expect(living(group)).toEqual([]);
});

it.skipIf(process.platform === "win32")("ends when npm's shell was ended without it, and once when both are told", async () => {
  const quoted = [process.execPath, ...argv].map((part) => `'${part}'`).join(" ");
  const shell = ["-c", `${quoted}; exit $?`];
  for (const whole of [false, true]) {
    const { group, closed } = await start("sh", shell, { npm_lifecycle_event: "start" });
    expect(living(group).length).toBeGreaterThanOrEqual(2);
    process.kill(whole ? -group : group, "SIGTERM");
    await closed;
    expect(living(group)).toEqual([]);
  }
});
