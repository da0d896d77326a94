/** `touchstone start`: the server, its address with the token, and a clean end on Ctrl-C. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, mkdirSync, watch } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import { packageRoot } from "../../kernels/paths/paths.js";
import { PortError, startServer } from "../main.js";
import { Failure } from "./failure.js";
import { findOwner } from "./root.js";

export interface StartOptions {
  root: string;
  port: number | null;
  open: boolean;
  dev: boolean;
  /** hours without use after which a kernel is shut down; 0: never; null: as the settings say */
  idle: number | null;
  say(text: string): void;
}

/** Runs until it is told to stop; the exit code. */
export async function start({ root, port, open, dev, idle, say }: StartOptions): Promise<number> {
  try {
    mkdirSync(join(root, ".touchstone"), { recursive: true, mode: 0o700 });
    accessSync(join(root, ".touchstone"), constants.W_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EACCES" || code === "EROFS" || code === "EPERM")
      throw new Failure(
        1,
        `${root} is read-only: Touchstone keeps notebooks, models and logs there. Make it writable, or set TOUCHSTONE_HOME to a folder that is.`,
      );
    if (code === "ENOTDIR" || code === "EEXIST") throw new Failure(1, `${root} is not a folder.`);
    throw error;
  }
  const owner = await findOwner(root);
  if (owner !== null) {
    throw new Failure(1, `Touchstone runs here already (process ${owner.pid}): ${owner.url}/?token=${owner.token}`);
  }
  const destination = pino.destination({ dest: join(root, ".touchstone", "server.log"), mkdir: true, sync: false, mode: 0o600 });
  // pino throws when the process ends before its file is open
  await once(destination, "ready");
  // an Error has no own fields: without its serializer the log would say {}
  const log = pino({ base: null, serializers: { error: pino.stdSerializers.err } }, destination);
  // heard from here on, so that one that comes while it starts ends it as cleanly
  const stopping = heardSignal();
  let server;
  try {
    server = await startServer({ root, port, log, dev, ...(idle !== null && { idleMs: idle * 3_600_000 }) });
  } catch (error) {
    if (error instanceof PortError) throw new Failure(1, `${error.message[0]!.toUpperCase()}${error.message.slice(1)}.`);
    throw error;
  }
  const address = `${server.url}/?token=${server.access.token}`;
  if (port === null && server.port !== 4747) say(`port 4747 is in use; this is ${server.port}`);
  say(`Touchstone is ready: ${address}`);
  say("Ctrl-C stops it, with every kernel and model host.");
  if (open && process.stdout.isTTY) openBrowser(address);
  const stopWatching = dev ? rebuild(say) : () => {};
  const signal = await stopping;
  say("stopping");
  stopWatching();
  try {
    await server.close();
  } catch {
    return 1;
  }
  return signal === "SIGINT" ? 130 : 0;
}

/** The first signal to stop; a second one ends the process at once. */
function heardSignal(): Promise<string> {
  return new Promise((resolve) => {
    let heard = false;
    const hear = (signal: string): void => {
      if (heard) process.exit(130);
      heard = true;
      resolve(signal);
    };
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => hear(signal));
    // npm passes SIGTERM to its shell only, which ends and leaves the server an orphan
    const parent = process.ppid;
    if (process.env["npm_lifecycle_event"] === undefined) return;
    const orphaned = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(orphaned);
      // Ctrl-C ends the shell as well: that is no second one
      if (!heard) hear("SIGTERM");
    }, 500);
    orphaned.unref();
  });
}

function openBrowser(address: string): void {
  const command = process.platform === "darwin" ? "open" : process.platform === "win32" ? "explorer" : "xdg-open";
  const child = spawn(command, [address], { stdio: "ignore", detached: true });
  child.on("error", () => {});
  child.unref();
}

/** --dev: the page is built again when its sources change; reload shows it. */
function rebuild(say: (text: string) => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const watcher = watch(join(packageRoot(), "web"), { recursive: true }, () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const child = spawn(process.execPath, [join(packageRoot(), "scripts/build.mjs")], { stdio: ["ignore", "ignore", "inherit"] });
      child.on("exit", (code) => say(code === 0 ? "page built" : "the page could not be built; the lines above say why"));
    }, 200);
  });
  return () => watcher.close();
}
