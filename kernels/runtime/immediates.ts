/**
 * `setImmediate` for a cell's code, which may be struck. Node takes its own immediates in batches: one that is cut takes the rest of its batch along,
 * and their count, which is never right again, keeps the event loop from resting. Messages of a port come one by one.
 */
import { MessageChannel, type MessagePort } from "node:worker_threads";

let port: MessagePort | null = null;
const waiting = new Set<() => void>();

/** Calls `work` in the next turn of the event loop. Returns how to prevent it. */
export function immediate(work: () => void): () => void {
  if (port === null) {
    const { port1, port2 } = new MessageChannel();
    port2.on("message", () => {
      const [next] = waiting;
      if (next === undefined) return;
      waiting.delete(next);
      next();
    });
    port2.unref();
    port = port1;
  }
  // a function of its own: the same one may wait twice
  const mine = () => work();
  waiting.add(mine);
  port.postMessage(null);
  return () => void waiting.delete(mine);
}
