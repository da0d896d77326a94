/** Progress of a run: at most ten messages a second, with the time left once three steps are known. */
import type { Progress } from "../protocol/output.js";

export interface ProgressReporter {
  step(label: string, done: number, total: number | null): void;
  send(progress: Progress | null): void;
}

const every = 100;

/** `post` gets what the server shall hear. */
export function createProgress(post: (progress: Progress | null) => void, now: () => number = () => performance.now()): ProgressReporter {
  const started = now();
  let steps = 0;
  let sent = -Infinity;
  const send = (progress: Progress | null) => {
    const time = now();
    const last = progress === null || (progress.total !== null && progress.done >= progress.total);
    if (!last && time - sent < every) return;
    sent = time;
    post(progress);
  };
  return {
    step(label, done, total) {
      steps++;
      const eta = total !== null && steps > 2 && done > 0 ? Math.max(0, ((now() - started) / 1000 / done) * (total - done)) : null;
      send({ label, done, total, eta: eta === null ? null : Math.round(eta * 10) / 10 });
    },
    send,
  };
}
