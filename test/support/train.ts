/** What a training needs to run outside of a kernel: an engine, SQL, and a context that captures closed row functions. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { draw } from "../../kernels/data/draw.js";
import { sqlTag } from "../../kernels/data/sql.js";
import { relationOfValues } from "../../kernels/data/values.js";
import { buildBundle } from "../../kernels/models/features-bundle.js";
import { derive } from "../../kernels/tensors/seeds.js";
import type { RunContext } from "../../kernels/protocol/cells.js";
import type { FindingView, Progress } from "../../kernels/protocol/output.js";
import { settle, type Relation, type Row, type Split, type SplitOptions } from "../../kernels/protocol/values.js";
import { testEngine } from "./data.js";

export interface TrainBench {
  context: RunContext;
  shown: FindingView[];
  progress: (Progress | null)[];
  /** a relation of a query, settled */
  rows(query: string): Promise<Relation>;
  /** a relation of columns, settled */
  make(columns: Record<string, ArrayLike<unknown>>): Promise<Relation>;
  split(query: string, options: SplitOptions<Row>): Promise<Split>;
  /** an empty folder for a version */
  folder(): string;
  /** "stop and keep best" */
  stop(): void;
  /** the next run is not stopped */
  renew(): void;
  close(): Promise<void>;
}

export function trainBench(): TrainBench {
  const t = testEngine();
  const sql = sqlTag(t.engine);
  const shown: FindingView[] = [];
  const progress: (Progress | null)[] = [];
  const made: string[] = [];
  const folder = () => {
    const dir = mkdtempSync(join(tmpdir(), "touchstone-train-"));
    made.push(dir);
    return dir;
  };
  let stop = new AbortController();
  let names = 0;
  const rows = async (query: string): Promise<Relation> => {
    const relation = sql(Object.assign([query], { raw: [query] }) as unknown as TemplateStringsArray);
    await relation[settle](`t${++names}`);
    return relation as unknown as Relation;
  };
  const context: RunContext = {
    ...{ cell: "c1", run: "r1", notebook: join(t.folder, "test.nb.ts"), workspace: t.folder, root: t.folder, mayCommit: false },
    get signal() {
      return stop.signal;
    },
    seed: (purpose) => derive(7, purpose),
    progress: (one) => void progress.push(one),
    show: (view) => void shown.push(structuredClone(view)),
    provenance: async ({ data, split }) => ({ cell: "c1", sources: "s", data, ...(split ? { split } : {}), seed: 1, backend: "wasm", packages: "p" }),
    staging: async () => folder(),
    call: async (method) => {
      throw new Error(`no answer for ${method}`);
    },
    sql: async (text) => rows(text),
    draw,
    capture: async (feature) => {
      const { input, row } = feature as { input: Record<string, string>; row: (...values: never[]) => unknown };
      return buildBundle({ input, modules: { row: `const row = ${row.toString()}; export { row as $$row };` }, folder: t.folder });
    },
    breathe: async () => new Promise((resolve) => setImmediate(resolve)),
    onDispose: () => undefined,
  };
  return {
    context,
    shown,
    progress,
    rows,
    async make(columns) {
      const relation = relationOfValues(t.engine, columns as never);
      await relation[settle](`t${++names}`);
      return relation as unknown as Relation;
    },
    async split(query, options) {
      const split = (await rows(query)).split(options);
      await split[settle]?.();
      return split;
    },
    folder,
    stop: () => stop.abort(),
    renew: () => void (stop = new AbortController()),
    async close() {
      await t.close();
      for (const dir of made) rmSync(dir, { recursive: true, force: true });
    },
  };
}
