/** What it costs a run to be told which values of other cells it changed: processor time of looking before and after, beside cloning the value once. */
import { createSnapshot } from "../../kernels/runtime/snapshot.js";
import { quantile, type Figure } from "./figure.js";

const values: [string, () => unknown][] = [
  ["20 settings", () => Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`k${i}`, i]))],
  ["1,000 rows of 5 fields", () => Array.from({ length: 1000 }, (_, i) => ({ a: i, b: "x", c: i / 2, d: null, e: true }))],
  ["a million numbers", () => Array.from({ length: 1_000_000 }, (_, i) => i)],
  ["a Float32Array of 4 MB", () => new Float32Array(2 ** 20)],
];

const rounds = 20;
/** ms of the processor of one call, the median of some rounds */
function cost(work: () => void, times: number): number {
  const each = Array.from({ length: rounds }, () => {
    const before = process.cpuUsage();
    for (let i = 0; i < times; i++) work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000 / times;
  });
  return quantile(each, 0.5);
}

export function bench(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [name, make] of values) {
    const value = make();
    const watch = () => {
      const snapshot = createSnapshot({ own: () => false });
      snapshot.add([{ name: "value", value }]);
      if (snapshot.changed(() => value).size > 0) throw new Error(`${name} did not change`);
    };
    const watched = cost(watch, 20);
    const cloned = cost(() => void structuredClone(value), 1);
    figures.push({ name: `watching ${name}`, value: watched, unit: "ms", goal: "< 1" });
    figures.push({ name: `watching ${name}, of one clone`, value: watched / cloned, unit: "x", peer: "structuredClone" });
  }
  return Promise.resolve(figures);
}
