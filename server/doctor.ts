/** What works on this machine: one check a line, with the reason and what to do. Engines are looked at in a process of their own. */
import { execFile } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { DoctorCheck } from "../kernels/protocol/http.js";
import { entry } from "../kernels/paths/paths.js";

const run = promisify(execFile);

export async function doctor(root: string): Promise<DoctorCheck[]> {
  return [node(), machine(), ...(await backends()), await duckdb(), folder(root), await disk(root), await port()];
}

function node(): DoctorCheck {
  return { name: "Node", state: "ok", found: `${process.version} on ${process.platform} ${process.arch}` };
}

function machine(): DoctorCheck {
  return { name: "Machine", state: "ok", found: `${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(1)} GB of memory` };
}

/** A line's worth of what dist/probe.js prints. */
interface Probe {
  name: string;
  loads: boolean;
  why?: string;
  device?: string;
}

/** dist/probe.js prints which back ends of TFJS load. */
async function backends(): Promise<DoctorCheck[]> {
  try {
    const { stdout } = await run(process.execPath, ["--no-warnings", entry("probe")], { timeout: 60_000, maxBuffer: 2 ** 20 });
    return readProbe(stdout, process.env["TOUCHSTONE_BACKEND"] || null);
  } catch (error) {
    return [{ name: "TFJS", state: "error", found: "back ends could not be tried", why: (error as Error).message.split("\n").slice(0, 3).join(" ") }];
  }
}

/** `forced`: the back end that TOUCHSTONE_BACKEND names; without one the first that loads is in use. */
export function readProbe(stdout: string, forced: string | null): DoctorCheck[] {
  const list = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Probe[];
  const used = forced ?? list.find(({ loads }) => loads)?.name;
  const checks = list.map(({ name, loads, device, why = "does not load" }): DoctorCheck => {
    const title = `TFJS ${name}`;
    const use = name !== used ? "" : forced === null ? "; used" : "; used: TOUCHSTONE_BACKEND asks for it";
    if (loads) return { name: title, state: "ok", found: `loads${device === undefined ? "" : ` (${device})`}${use}` };
    const install = name === "cuda" ? { fix: "npm run setup:gpu" } : {};
    if (name === forced) return { name: title, state: "error", found: "does not load, and TOUCHSTONE_BACKEND asks for it", why, ...install };
    return { name: title, state: "missing", found: "not used", why, ...install };
  });
  if (forced === null || list.some(({ name }) => name === forced)) return checks;
  const names = list.map(({ name }) => name).join(", ");
  return [
    ...checks,
    {
      name: "TFJS",
      state: "error",
      found: `TOUCHSTONE_BACKEND asks for ${JSON.stringify(forced)}`,
      why: `it is one of ${names}`,
      fix: "unset TOUCHSTONE_BACKEND",
    },
  ];
}

async function duckdb(): Promise<DoctorCheck> {
  // in a process of its own: the server loads no engine
  const code = `import(process.argv[1]).then(async (d) => { const c = await (await d.DuckDBInstance.create(":memory:")).connect(); const r = await c.runAndReadAll("select version()"); console.log(r.getRows()[0][0]); process.exit(0); }, (e) => { console.error(e.message); process.exit(1); })`;
  try {
    const { stdout } = await run(process.execPath, ["--input-type=module", "-e", code, "@duckdb/node-api"], {
      cwd: join(entry("kernel"), "../.."),
      timeout: 30_000,
    });
    return { name: "DuckDB", state: "ok", found: stdout.trim() };
  } catch (error) {
    return {
      name: "DuckDB",
      state: "error",
      found: "does not load",
      why: String((error as { stderr?: string }).stderr ?? (error as Error).message).slice(0, 300),
      fix: "npm ci",
    };
  }
}

function folder(root: string): DoctorCheck {
  try {
    accessSync(existsSync(join(root, ".touchstone")) ? join(root, ".touchstone") : root, constants.W_OK);
    return { name: "Folder", state: "ok", found: root };
  } catch {
    return {
      name: "Folder",
      state: "error",
      found: `${root} cannot be written`,
      why: "notebooks, models and logs are kept here",
      fix: `chmod u+w ${root}`,
    };
  }
}

async function disk(root: string): Promise<DoctorCheck> {
  const { bavail, bsize } = await statfs(root);
  const free = (Number(bavail) * Number(bsize)) / 2 ** 30;
  return {
    name: "Disk",
    state: free < 1 ? "warning" : "ok",
    found: `${free.toFixed(1)} GB free`,
    ...(free < 1 && { why: "training, spilling and logs need more" }),
  };
}

async function port(): Promise<DoctorCheck> {
  const free = await new Promise<boolean>((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(4747, "127.0.0.1", () => server.close(() => resolve(true)));
  });
  return { name: "Port 4747", state: "ok", found: free ? "free" : "in use (by this server, or the next free one is taken)" };
}
