/** A tiny npm registry on loopback that serves packages made of given files. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Registry {
  url: string;
  close(): void;
}

/** `packages`: name -> files, package.json among them; `wait`: holds the answer to a request for this path. */
export async function startRegistry(
  packages: Record<string, Record<string, string>>,
  wait: (path: string) => Promise<void> | undefined = () => undefined,
): Promise<Registry> {
  const folder = mkdtempSync(join(tmpdir(), "touchstone-registry-"));
  const made = Object.entries(packages).map(([name, files]) => {
    const own = join(folder, name, "package");
    mkdirSync(own, { recursive: true });
    for (const [file, content] of Object.entries(files)) writeFileSync(join(own, file), content);
    const tarball = join(folder, `${name}.tgz`);
    execFileSync("tar", ["-czf", tarball, "-C", join(folder, name), "package"]);
    return { name, manifest: JSON.parse(files["package.json"]!) as { version: string; scripts?: object }, bytes: readFileSync(tarball) };
  });
  const server = createServer(async (request, response) => {
    const path = (request.url ?? "").slice(1);
    await wait(path);
    const found = made.find(({ name }) => path === name || path === `${name}.tgz`);
    if (found === undefined) {
      response.writeHead(404, { "content-type": "application/json" }).end('{"error":"Not found"}');
      return;
    }
    if (path.endsWith(".tgz")) {
      response.end(found.bytes);
      return;
    }
    const { name, manifest, bytes } = found;
    const dist = { tarball: `${url}${name}.tgz`, integrity: `sha512-${createHash("sha512").update(bytes).digest("base64")}` };
    const version = { ...manifest, dist, ...(manifest.scripts !== undefined && { hasInstallScript: true }) };
    response
      .writeHead(200, { "content-type": "application/json" })
      .end(JSON.stringify({ name, "dist-tags": { latest: manifest.version }, versions: { [manifest.version]: version } }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return {
    url,
    close() {
      server.close();
      server.closeAllConnections();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
