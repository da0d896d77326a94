/** One measured figure; `goal` is what an issue asks, `peer` what the value is a ratio to. */
export interface Figure {
  name: string;
  value: number;
  unit: string;
  goal?: string;
  peer?: string;
}

/** Linear interpolation between order statistics (type 7). */
export function quantile(values: number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = Math.floor(at);
  return sorted[low]! + (at - low) * ((sorted[low + 1] ?? sorted[low]!) - sorted[low]!);
}
