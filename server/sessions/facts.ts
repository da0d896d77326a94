/** What a report of a notebook was made of: by these hashes a reader knows whether the same is there to make it again. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../kernels/paths/paths.js";
import type { ReportFacts } from "../../kernels/protocol/http.js";
import type { NotebookPlace } from "./paths.js";

const hashOf = (file: string): string | null => {
  try {
    return createHash("sha256").update(readFileSync(file)).digest("hex");
  } catch {
    return null;
  }
};

/** The lock is the workspace's own, or that of the root whose packages it shares. */
export function factsOf(root: string, { file, workspace }: Pick<NotebookPlace, "file" | "workspace">, seed: number): ReportFacts {
  const { version } = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as { version: string };
  return {
    notebook: hashOf(file) ?? "",
    lock: hashOf(join(workspace, "package-lock.json")) ?? hashOf(join(root, "package-lock.json")),
    seed,
    touchstone: version,
    node: process.versions.node,
  };
}
