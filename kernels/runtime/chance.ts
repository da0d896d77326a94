/** `Math.random` of cells: a stream of its own for each run, and Node's own for what is none of the cell's drawing. */
import type { Importer } from "./imports.js";
import { randomFrom } from "./random.js";

export interface Chance {
  /** a run is about to begin: Node's own until its code does */
  reset(): void;
  /** the run's code begins; the seed is made when it first draws */
  draw(seed: () => number): void;
  /** Packages draw when they load, which happens once: the cell's own draws must not depend on it. */
  aside(importer: Importer): Importer;
}

export function createChance(): Chance {
  /** Node's own, before any cell */
  const chance = Math.random;
  let random = chance;
  let imports = 0;
  return {
    reset() {
      Math.random = chance;
      imports = 0;
    },
    draw(seed) {
      let next: (() => number) | null = null;
      Math.random = random = () => (next ??= randomFrom(seed()))();
    },
    aside:
      (importer) =>
      async (...args) => {
        if (imports++ === 0) Math.random = chance;
        try {
          return await importer(...args);
        } finally {
          if (--imports === 0) Math.random = random;
        }
      },
  };
}
