import type { HistoryLine } from "../../kernels/protocol/serving.js";

/** The champion before this one, where a roll back goes; null when there was none. The same fold as the server's; newest line first. */
export function previousChampion(history: HistoryLine[]): number | null {
  let champion: number | null = null;
  let previous: number | null = null;
  for (const line of [...history].reverse()) {
    const next =
      (line.type === "promote" || line.type === "alias") && line.alias === "champion" ? line.version : line.type === "rollback" ? line.to : undefined;
    if (line.type === "retire") champion = previous = null;
    if (next === undefined || next === champion) continue;
    if (next !== null) previous = champion;
    champion = next;
  }
  return previous;
}
