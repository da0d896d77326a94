/** Latency of a candidate host, alone: 200 warm-up and 2,000 requests at batch 1 over its socket, with the machine's own jitter measured beside it. */
import type { SampleLine } from "../../kernels/protocol/values.js";
import type { Host } from "../host/process.js";

export interface Latency {
  n: number;
  p50: number;
  p99: number;
  /** 95 % interval of the p99 from order statistics (binomial) */
  p99ci: [number, number];
  /** p99 minus p50 of an empty round trip, measured in between: what the machine adds by itself */
  jitter: number;
}

export interface LatencyOptions {
  warmUp?: number;
  requests?: number;
  /** ms after which a slow candidate is judged on what it has answered */
  limit?: number;
}

/** Measures in ms. Throws when the host answers with an error or dies. */
export async function measureLatency(host: Host, sample: SampleLine[], options: LatencyOptions = {}): Promise<Latency> {
  const { warmUp = 200, requests = 2000, limit = 20_000 } = options;
  const bodies = sample.map((line) => Buffer.from(JSON.stringify({ instances: [line.record] })));
  const head = { form: "v1", contentType: "application/json", headerLength: null, name: "candidate", version: "0" } as const;
  const one = async (i: number): Promise<number> => {
    const started = performance.now();
    const answer = await host.request(head, bodies[i % bodies.length]!);
    if (answer.status !== 200) throw new Error(`the candidate answered ${answer.status}: ${Buffer.from(answer.body).toString().slice(0, 300)}`);
    return performance.now() - started;
  };
  const began = performance.now();
  for (let i = 0; i < warmUp && performance.now() - began < limit / 4; i++) await one(i);
  const times: number[] = [];
  const pings: number[] = [];
  for (let i = 0; i < requests && (times.length < 200 || performance.now() - began < limit); i++) {
    times.push(await one(i));
    if (i % 4 === 0) pings.push(await host.ping());
  }
  return summarise(times, pings);
}

/** Quantiles of measured times. */
export function summarise(times: number[], pings: number[]): Latency {
  const sorted = Float64Array.from(times).sort();
  const n = sorted.length;
  const rank = (k: number): number => sorted[Math.min(n - 1, Math.max(0, Math.ceil(k) - 1))]!;
  const spread = 1.96 * Math.sqrt(n * 0.99 * 0.01);
  const empty = Float64Array.from(pings).sort();
  const at = (q: number): number => empty[Math.min(empty.length - 1, Math.max(0, Math.ceil(q * empty.length) - 1))] ?? 0;
  return { n, p50: rank(n * 0.5), p99: rank(n * 0.99), p99ci: [rank(n * 0.99 - spread), rank(n * 0.99 + spread)], jitter: at(0.99) - at(0.5) };
}
