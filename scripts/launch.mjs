// Install if needed, build if stale, then hand over to the command line in dist/cli.js.
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

export async function main(args) {
  if (!existsSync(join(root, "node_modules", "esbuild", "package.json"))) {
    try {
      accessSync(root, constants.W_OK);
    } catch {
      console.error(`touchstone cannot install its dependencies: ${root} is read-only. Make it writable, or install on another machine first.`);
      process.exit(1);
    }
    console.log("installing dependencies (once, about a minute)");
    const install = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"],
      shell: process.platform === "win32",
    });
    if (install.status !== 0) {
      console.error("touchstone could not install its dependencies; the lines above say why. Run `npm ci` in " + root + " and start again.");
      process.exit(1);
    }
  }
  try {
    const { buildServer, buildWeb } = await import("./build.mjs");
    await buildServer();
    if (args[0] === "start" || args.length === 0) await buildWeb((text) => console.log(text));
  } catch (error) {
    const readOnly = error && (error.code === "EROFS" || error.code === "EACCES");
    console.error(
      readOnly
        ? `touchstone cannot write its build to ${join(root, "dist")}: the folder is read-only. Make it writable, or build on another machine first.`
        : `touchstone could not be built: ${error?.message ?? error}`,
    );
    process.exit(1);
  }
  link();
  const cli = await import(pathToFileURL(join(root, "dist", "cli.js")).href);
  await cli.main(args.length === 0 ? ["start"] : args);
}

/** `import { baseline } from "touchstone"` in a script of a workspace: npm links the workspaces, not the package around them. */
function link() {
  const place = join(root, "node_modules", "touchstone");
  try {
    if (!existsSync(place)) symlinkSync(process.platform === "win32" ? root : "..", place, "junction");
  } catch {
    // a read-only folder: notebooks need no link
  }
}
