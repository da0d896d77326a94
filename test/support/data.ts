/** An engine in a workspace of its own. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createEngine, type Engine, type EngineOptions } from "../../kernels/data/engine.js";

export interface TestEngine {
  engine: Engine;
  /** the workspace's folder */
  folder: string;
  write(path: string, text: string): void;
  close(): Promise<void>;
}

export function testEngine(options: Partial<EngineOptions> = {}): TestEngine {
  const root = mkdtempSync(join(tmpdir(), "touchstone-data-"));
  const folder = join(root, "workspaces", "w");
  mkdirSync(folder, { recursive: true });
  const engine = createEngine({ memoryLimit: "1GB", threads: 2, spill: join(folder, ".touchstone", "spill"), workspace: folder, root, ...options });
  return {
    engine,
    folder,
    write(path, text) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    },
    async close() {
      await engine.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}
