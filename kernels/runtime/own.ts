/** Which frames of a stack are the kernel's, and how it touches what is not its own. */
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { packageRoot } from "../paths/paths.js";

/** The path that a frame of a stack names: modules are named by URL, in which a space is `%20`. */
export function pathOfFrame(file: string): string {
  if (!file.startsWith("file://")) return file;
  try {
    return fileURLToPath(file);
  } catch {
    return file;
  }
}

/** Frames of the kernel itself say nothing to the author of a cell. */
export function ownFile(file: string): boolean {
  const path = pathOfFrame(file);
  return path.startsWith("node:") || !relative(`${packageRoot()}/dist`, path).startsWith("..");
}

/** Values of cells may throw wherever they are touched. */
export function orElse<T>(make: () => T, otherwise: T): T {
  try {
    return make();
  } catch {
    return otherwise;
  }
}

/** What an error says, in one sentence. */
export function sentence(error: unknown): string {
  return orElse(() => (error instanceof Error ? error.message : String(error)), "an error that cannot be read");
}
