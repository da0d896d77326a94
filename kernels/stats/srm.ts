import { chiSquareFit } from "./chisquare.js";

/** Sample ratio mismatch: did the arms get the traffic that was planned? Flags at p < 0.001; arms of weight 0 are left out. */
export function srm(counts: number[], weights: number[]): { p: number; flagged: boolean; method: string } {
  const used = weights.map((w, i) => (w > 0 ? i : -1)).filter((i) => i >= 0);
  const { p } = chiSquareFit(
    used.map((i) => counts[i]!),
    used.map((i) => weights[i]!),
  );
  return { p, flagged: p < 0.001, method: "sample ratio, chi-square" };
}
