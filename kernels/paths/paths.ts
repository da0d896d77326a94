/** Where the built process entries lie. The same from source (tests) and from dist/. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The package's root: the nearest folder upward that holds touchstone.js. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "touchstone.js"))) {
    const up = dirname(folder);
    if (up === folder) throw new Error(`touchstone.js not found above ${fileURLToPath(import.meta.url)}`);
    folder = up;
  }
  return folder;
}

/** Absolute path of a built entry: "kernel", "model-host" ... (scripts/build.mjs lists them). */
export function entry(name: string): string {
  return join(packageRoot(), "dist", `${name}.js`);
}
