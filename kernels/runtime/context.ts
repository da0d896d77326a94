/** What a built-in call gets of the runtime. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Drawn, RunContext } from "../protocol/cells.js";
import type { KernelConfig } from "../protocol/kernel.js";
import { mime, type Progress } from "../protocol/output.js";
import type { Hash, Relation } from "../protocol/values.js";
import type { Calls } from "./calls.js";
import type { Run } from "./run.js";
import { createProgress } from "./progress.js";
import type { Staging } from "./staging.js";

export interface ContextOptions {
  config: Pick<KernelConfig, "notebook" | "workspace" | "root">;
  calls: Calls;
  staging: Staging;
  seed(cell: string, purpose: string): number;
  /** source of the cell and of those it reads, for the provenance */
  sources(run: Run): string[];
  backend(): string;
  sql(text: string): Promise<Relation>;
  draw(relation: Relation, condition: string, n: number, seed: number): Promise<Drawn>;
  capture(feature: unknown, run: Run): Promise<{ code: string; hash: Hash }>;
  progress(run: Run, progress: Progress | null): void;
}

/** Thrown in library code whose run was stopped. */
export class Interrupted extends Error {
  override name = "Interrupted";
}

export function createContext(run: Run, options: ContextOptions): RunContext {
  const { notebook, workspace, root } = options.config;
  const progress = createProgress((each) => options.progress(run, each));
  return {
    cell: run.cell.id,
    run: run.id,
    notebook,
    workspace,
    root,
    mayCommit: run.request.mayCommit,
    signal: run.scope.ended,
    seed: (purpose) => options.seed(run.cell.id, purpose),
    progress: (each) => progress.send(each),
    show: (view, id = "finding") => {
      run.displayed++;
      run.emit({ kind: "display", id, data: { [mime.finding]: view, [mime.text]: view.sentence } });
    },
    async provenance({ data, split }) {
      return {
        cell: run.cell.id,
        sources: hashOf(options.sources(run)),
        data,
        ...(split !== undefined && { split }),
        seed: options.seed(run.cell.id, "run"),
        backend: options.backend(),
        packages: await packagesHash(workspace),
      };
    },
    staging: () => options.staging.make(),
    async call(method, params) {
      run.volatile ??= "it asks the server for what may change";
      const result = await options.calls.call(method, params);
      if (method === "registry.propose") await options.staging.handedOver((params as { dir: string }).dir);
      return result;
    },
    sql: options.sql,
    draw(...asked) {
      run.volatile ??= "it offers rows to be reviewed, which only this kernel has";
      return options.draw(...asked);
    },
    capture: (feature) => options.capture(feature, run),
    async breathe() {
      await new Promise((resolve) => setImmediate(resolve));
      if (run.stopped) throw new Interrupted("the cell was interrupted");
    },
    onDispose: (dispose) => run.scope.onDispose(dispose),
  };
}

function hashOf(parts: string[]): Hash {
  const sum = createHash("sha256");
  for (const part of parts) sum.update(part).update("\0");
  return sum.digest("hex").slice(0, 32);
}

/** Of the workspace's lock files: which versions of its packages were there. */
export async function packagesHash(workspace: string): Promise<Hash> {
  const read = (name: string) => readFile(join(workspace, name), "utf8").catch(() => "");
  return hashOf(await Promise.all(["package-lock.json", "package.json"].map(read)));
}
