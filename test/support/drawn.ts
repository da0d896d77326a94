/* eslint-disable @typescript-eslint/no-explicit-any -- ops and ranks are drawn, not known to TFJS's types */
/** Drawn inputs of operations: shapes (empty ones, broadcasting, up to rank 6), dtypes and special values. */
import type { Tensor } from "@tensorflow/tfjs";
import type { Generator } from "../../kernels/tensors/seeds.js";

export type DType = "float32" | "int32" | "bool";
export interface Given {
  shape: number[];
  dtype: DType;
  values: number[];
}
export interface Case {
  told: string;
  inputs: Given[];
  run: (...x: any[]) => Tensor | Tensor[];
  /** gradients by the float inputs are compared too */
  grads: boolean;
  tolerance?: number;
}

export class Draw {
  readonly random: Generator;
  constructor(random: Generator) {
    this.random = random;
  }
  int(from: number, to: number): number {
    return from + Math.floor(this.random() * (to - from + 1));
  }
  chance(p: number): boolean {
    return this.random() < p;
  }
  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.random() * list.length)]!;
  }
  shape(least: number, most: number, zero = 0.05): number[] {
    const rank = this.int(least, most);
    const top = rank > 4 ? 3 : 5;
    return Array.from({ length: rank }, () => (this.chance(zero / Math.max(1, rank)) ? 0 : this.int(1, top)));
  }
  /** a shape that broadcasts with this one */
  against(shape: number[]): number[] {
    const cut = this.chance(0.4) ? this.int(0, shape.length) : 0;
    return shape.slice(cut).map((n) => (this.chance(0.3) ? 1 : n));
  }
  values(n: number, dtype: DType, kind: "plain" | "special" | "positive" | "wide"): number[] {
    return Array.from({ length: n }, () => {
      if (dtype === "bool") return this.int(0, 1);
      if (dtype === "int32") return kind === "positive" ? this.int(1, 9) : this.chance(0.1) ? this.int(-100000, 100000) : this.int(-6, 6);
      if (kind === "special" && this.chance(0.25)) return this.pick([NaN, Infinity, -Infinity, 0, -0, 1e38, -1e38, 1e-37, 88.9, -88.9, 1e9]);
      if (kind === "wide") return (this.random() * 2 - 1) * 10 ** this.int(-6, 6);
      const v = this.random() * 4 - 2;
      return kind === "positive" ? Math.abs(v) + 0.1 : v;
    });
  }
  given(shape: number[], dtype: DType = "float32", kind: "plain" | "special" | "positive" | "wide" = "plain"): Given {
    return {
      shape,
      dtype,
      values: this.values(
        shape.reduce((a, b) => a * b, 1),
        dtype,
        kind,
      ),
    };
  }
}

export type Maker = (d: Draw) => Case;
