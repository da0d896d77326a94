/** How long one record takes, asked one at a time in this process. */
import type { RunContext } from "../../protocol/cells.js";
import type { Predictor } from "../../protocol/values.js";
import { quantileSorted } from "../../stats/quantile.js";

export interface Latency {
  p50: number;
  p99: number;
  /** requests a second, one after the other */
  throughput: number;
}

const WARM = 50;
const REQUESTS = 400;

/** Medians over 400 single requests after 50 to warm up; a wide 99th percentile on a busy machine is the machine's. In ms. */
export async function latencyOf(predictor: Predictor, records: object[], context: Pick<RunContext, "breathe">): Promise<Latency> {
  const times = new Float64Array(REQUESTS);
  for (let i = -WARM; i < REQUESTS; i++) {
    const record = records[(i + WARM) % records.length]!;
    const start = performance.now();
    await predictor.predict([record]);
    if (i >= 0) times[i] = performance.now() - start;
    if (i % 50 === 0) await context.breathe();
  }
  const sum = times.reduce((a, b) => a + b, 0);
  times.sort();
  return { p50: quantileSorted(times, 0.5), p99: quantileSorted(times, 0.99), throughput: (1000 * REQUESTS) / sum };
}
