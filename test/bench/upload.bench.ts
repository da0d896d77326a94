/** 2 GB into a workspace of `touchstone start` over HTTP, as the page uploads a file: how much the server's memory grows meanwhile. */
import { mkdtempSync, openSync, closeSync, ftruncateSync, createReadStream, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { packageRoot } from "../../kernels/paths/paths.js";
import { startChild, stop } from "./child.js";
import type { Figure } from "./figure.js";

const size = 2 * 2 ** 30;

/** MB of memory that a process has now; Linux alone tells. */
const resident = (pid: number): number => (Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * 4096) / 1e6;

export async function bench(): Promise<Figure[]> {
  const root = mkdtempSync(join(tmpdir(), "touchstone-bench-"));
  mkdirSync(join(root, "workspaces/b"), { recursive: true });
  writeFileSync(join(root, "workspaces/b/package.json"), "{}");
  // a sparse file: bytes that cost no room
  const file = join(root, "big.csv");
  const handle = openSync(file, "w");
  ftruncateSync(handle, size);
  closeSync(handle);
  const { child, url } = await startChild([join(packageRoot(), "touchstone.js"), "start", "--port", "0", "--no-open"], { TOUCHSTONE_HOME: root });
  try {
    const token = url.searchParams.get("token") ?? "";
    const before = resident(child.pid!);
    let most = before;
    const sampling = setInterval(() => (most = Math.max(most, resident(child.pid!))), 50);
    const at = performance.now();
    const status = await new Promise<number>((resolve, reject) => {
      const put = request(
        new URL("/api/ts/files?workspace=b&name=big.csv", url),
        { method: "PUT", headers: { authorization: `Bearer ${token}`, "content-length": size } },
        (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        },
      );
      put.on("error", reject);
      pipeline(createReadStream(file, { highWaterMark: 2 ** 20 }), put).catch(reject);
    });
    const seconds = (performance.now() - at) / 1000;
    clearInterval(sampling);
    const arrived = statSync(join(root, "workspaces/b/data/big.csv")).size;
    if (status !== 201 || arrived !== size) throw new Error(`the server answered ${status} and has ${arrived} bytes`);
    return [
      { name: "upload of 2 GB, growth of the server's memory", value: most - before, unit: "MB", goal: "<= 100" },
      { name: "upload of 2 GB", value: size / 1e6 / seconds, unit: "MB/s" },
    ];
  } finally {
    await stop(child);
    rmSync(root, { recursive: true, force: true });
  }
}
