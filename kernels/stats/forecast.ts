/** Forecasts that need no training. Formulas: Hyndman, Athanasopoulos, "Forecasting: principles and practice", 5.2. */
export type ForecastName = "naive" | "seasonal naive" | "drift" | "mean";
export const forecastNames: ForecastName[] = ["naive", "seasonal naive", "drift", "mean"];

/** No forecast looks further back than this many values, so that a caller can send what it needs. */
export const longestHistory = 1000;

/**
 * Forecast `ahead` >= 1 steps after `history`, oldest first. naive: the last value; seasonal naive: the last value of the same phase, y[T + h - m ceil(h / m)];
 * drift: y[T] + h (y[T] - y[1]) / (T - 1); mean: of the history. Too short a history falls back: seasonal naive and drift to naive. NaN on none.
 */
export function forecast(name: ForecastName, history: ArrayLike<number>, ahead: number, season: number): number {
  const n = history.length;
  if (n === 0) return NaN;
  const last = history[n - 1]!;
  if (name === "seasonal naive") return n < season ? last : history[n - 1 + ahead - season * Math.ceil(ahead / season)]!;
  const from = Math.max(0, n - longestHistory);
  if (name === "drift") return n - from < 2 ? last : last + (ahead * (last - history[from]!)) / (n - from - 1);
  if (name === "naive") return last;
  let sum = 0;
  for (let i = from; i < n; i++) sum += history[i]!;
  return sum / (n - from);
}

/** How many past values the forecast looks at. */
export function historyNeeded(name: ForecastName, season: number): number {
  return name === "naive" ? 1 : name === "seasonal naive" ? season : longestHistory;
}

/**
 * Rolling-origin evaluation: values from `start` on are forecast from those before the origin, `horizon` steps at a time, then the origin moves on by
 * `horizon`: each value is forecast once, 1 to `horizon` steps ahead. Returns predictions of y[start ...].
 */
export function rollingOrigin(name: ForecastName, y: Float64Array, start: number, horizon: number, season: number): Float64Array {
  const out = new Float64Array(y.length - start);
  for (let i = start; i < y.length; i++) {
    const origin = start + Math.floor((i - start) / horizon) * horizon;
    out[i - start] = forecast(name, y.subarray(Math.max(0, origin - longestHistory), origin), i - origin + 1, season);
  }
  return out;
}
