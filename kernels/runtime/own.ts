/** Which frames of a stack are the kernel's. */
import { relative } from "node:path";
import { packageRoot } from "../paths/paths.js";

/** Frames of the kernel itself say nothing to the author of a cell. */
export function ownFile(file: string): boolean {
  const path = file.replace(/^file:\/\//, "");
  return path.startsWith("node:") || !relative(`${packageRoot()}/dist`, path).startsWith("..");
}
