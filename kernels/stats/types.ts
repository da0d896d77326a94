/** Shapes of the spine (protocol/values.ts) as far as statistics need them; stats imports nothing of ours, and TypeScript matches them by structure. */

/** regression and forecast: a number; binary: probability of the positive class; multiclass: probabilities by class index. */
export type Prediction = number | Float32Array;

export interface Metric {
  name: string;
  better: "lower" | "higher";
  /** score of one row (a loss, or 1 for a right answer of `accuracy`) */
  row?(y: number, p: Prediction): number;
  /** set metrics such as AUC */
  all?(ys: ArrayLike<number>, ps: ArrayLike<Prediction>): number;
  /** the value is the square root of the mean of the rows (RMSE); else it is their mean */
  root?: boolean;
}

export interface Evaluation {
  split: string;
  metric: Metric;
  value: number;
  /** 95 % interval */
  ci: [number, number];
  n: number;
  losses: Float64Array;
  keys: string;
  by?: Record<string, Evaluation>;
  /** how the interval was made */
  method?: string;
}

export interface Paired {
  diff: number;
  ci: [number, number];
  p: number;
  method: string;
  n: number;
}

/** Which rows belong together: rows of one cluster are drawn together, never apart. */
export interface Clusters {
  /** cluster number of each row, 0 ... count - 1 */
  ids: Int32Array;
  count: number;
  /** what a cluster is: "day", "key" */
  unit: string;
}

/** How rows depend on each other: not at all, within clusters, or along time. */
export interface Dependence {
  clusters?: Clusters | null;
  /** rows are one time series in order; blocks of this many rows are drawn together */
  block?: number | null;
}
