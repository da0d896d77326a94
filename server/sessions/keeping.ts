/** When the outputs of a cell go to the disk: at the end of its run, and every two seconds while it goes on. */
import { sourceHash, type OutputStore } from "./outputs.js";
import type { SessionState } from "./state.js";

const every = 2000;
/** a run so young is not worth a writing yet */
const young = 1500;

export interface Keeping {
  keep(cell: string): void;
  /** a run has begun */
  running(): void;
  /** keeps what a run in progress has shown, and ends */
  close(): void;
}

export function createKeeping(store: OutputStore, state: () => SessionState, now: () => number): Keeping {
  let timer: NodeJS.Timeout | null = null;
  let closed = false;

  const keep = (id: string) => {
    const { doc, ran } = state();
    const run = doc.cells[id]?.run;
    const outputs = doc.outputs[id] ?? [];
    const more = doc.more[id];
    const of = ran.get(id);
    if (run == null || of === undefined || outputs.length === 0) return store.drop(id);
    store.keep({ cell: id, run, sourceHash: sourceHash(of.source), at: now(), outputs, ...(more !== undefined && { more }) });
  };
  const running = () => {
    if (timer !== null || closed) return;
    timer = setTimeout(() => {
      timer = null;
      const { running: run } = state();
      if (run === null) return;
      if (run.shown && now() - run.since > young) keep(run.cell);
      running();
    }, every);
    timer.unref();
  };
  return {
    keep,
    running,
    close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      const { running: run } = state();
      if (run !== null) keep(run.cell);
    },
  };
}
