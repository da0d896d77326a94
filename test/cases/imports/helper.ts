import { sep } from "node:path";

export interface Unused {
  a: number;
}
export function double(n: number): number {
  return n * 2;
}
export const origin: string = sep.length === 1 ? "here" : "elsewhere";
export default double;
