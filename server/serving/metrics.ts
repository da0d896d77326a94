/** What is counted about serving, and its Prometheus text (exposition format 0.0.4). */

/** Upper bounds in seconds: 0.1 ms to 10 s. */
const bounds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

interface Series {
  labels: string;
  count: number;
  sum: number;
  buckets: number[];
}

interface Traffic {
  requests: number;
  errors: number;
  /** last 4,096 times, ms */
  recent: number[];
  next: number;
  /** second -> requests, last 60 */
  seconds: Map<number, number>;
}

export interface Counters {
  request(facts: { name: string; version: number | null; arm: string; status: number; ms: number; rows: number; warnings: number; at: number }): void;
  count(name: string, labels: Record<string, string>, by?: number): void;
  traffic(name: string, now: number): { requests: number; errors: number; p50: number | null; p99: number | null; perSecond: number[] };
  text(gauges: { name: string; help: string; values: { labels: Record<string, string>; value: number }[] }[]): string;
}

const escape = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
const labelsOf = (labels: Record<string, string>): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${escape(value)}"`)
    .join(",");

const help: Record<string, string> = {
  touchstone_predictions_total: "Rows answered.",
  touchstone_input_warnings_total: "Values outside the training range, unseen categories and extra columns.",
  touchstone_degraded_total: "Requests answered by the fallback version.",
  touchstone_host_deaths_total: "Model hosts that died while serving.",
  touchstone_log_dropped_total: "Log lines that could not be written.",
};

export function createCounters(): Counters {
  const latency = new Map<string, Series>();
  const counters = new Map<string, Map<string, number>>();
  const traffic = new Map<string, Traffic>();

  const count: Counters["count"] = (name, labels, by = 1) => {
    const own = counters.get(name) ?? new Map<string, number>();
    counters.set(name, own);
    const key = labelsOf(labels);
    own.set(key, (own.get(key) ?? 0) + by);
  };

  return {
    count,
    request({ name, version, arm, status, ms, rows, warnings, at }) {
      const labels = { model_name: name, version: version === null ? "" : String(version), arm, status: String(status) };
      const key = labelsOf(labels);
      const series = latency.get(key) ?? { labels: key, count: 0, sum: 0, buckets: bounds.map(() => 0) };
      latency.set(key, series);
      series.count++;
      series.sum += ms / 1000;
      const bucket = bounds.findIndex((bound) => ms / 1000 <= bound);
      if (bucket >= 0) series.buckets[bucket]!++;
      const model = { model_name: name, version: labels.version };
      if (rows > 0) count("touchstone_predictions_total", model, rows);
      if (warnings > 0) count("touchstone_input_warnings_total", model, warnings);
      const own = traffic.get(name) ?? { requests: 0, errors: 0, recent: [], next: 0, seconds: new Map() };
      traffic.set(name, own);
      own.requests++;
      if (status >= 500) own.errors++;
      if (status < 400) own.recent[own.next++ % 4096] = ms;
      const second = Math.floor(at / 1000);
      own.seconds.set(second, (own.seconds.get(second) ?? 0) + 1);
      if (own.seconds.size > 64) for (const old of own.seconds.keys()) if (old < second - 60) own.seconds.delete(old);
    },
    traffic(name, now) {
      const own = traffic.get(name);
      if (!own) return { requests: 0, errors: 0, p50: null, p99: null, perSecond: new Array<number>(60).fill(0) };
      const sorted = Float64Array.from(own.recent).sort();
      const at = (q: number): number | null => (sorted.length === 0 ? null : sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)]!);
      const second = Math.floor(now / 1000);
      const perSecond = Array.from({ length: 60 }, (_, i) => own.seconds.get(second - 60 + i) ?? 0);
      return { requests: own.requests, errors: own.errors, p50: at(0.5), p99: at(0.99), perSecond };
    },
    text(gauges) {
      const lines: string[] = [];
      const name = "touchstone_request_duration_seconds";
      lines.push(`# HELP ${name} Time from the request's arrival to its answer.`, `# TYPE ${name} histogram`);
      for (const { labels, count, sum, buckets } of latency.values()) {
        let total = 0;
        buckets.forEach((n, i) => lines.push(`${name}_bucket{${labels},le="${bounds[i]}"} ${(total += n)}`));
        lines.push(`${name}_bucket{${labels},le="+Inf"} ${count}`, `${name}_sum{${labels}} ${sum}`, `${name}_count{${labels}} ${count}`);
      }
      for (const [counter, series] of counters) {
        lines.push(`# HELP ${counter} ${help[counter] ?? counter}`, `# TYPE ${counter} counter`);
        for (const [labels, value] of series) lines.push(`${counter}{${labels}} ${value}`);
      }
      for (const gauge of gauges) {
        lines.push(`# HELP ${gauge.name} ${gauge.help}`, `# TYPE ${gauge.name} gauge`);
        for (const { labels, value } of gauge.values) lines.push(`${gauge.name}{${labelsOf(labels)}} ${value}`);
      }
      return `${lines.join("\n")}\n`;
    },
  };
}
