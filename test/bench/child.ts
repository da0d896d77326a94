/** Servers in processes of their own. */
import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";

/** A child that prints its address, and that address. */
export async function startChild(args: string[], env: NodeJS.ProcessEnv = {}): Promise<{ child: ChildProcess; url: URL }> {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, ...env } });
  for await (const line of createInterface({ input: child.stdout })) {
    const address = /ready: (\S+)/.exec(line)?.[1];
    if (address !== undefined) {
      child.stdout.resume();
      return { child, url: new URL(address) };
    }
  }
  throw new Error("the server ended before it was ready");
}

export async function stop(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await ended;
}
