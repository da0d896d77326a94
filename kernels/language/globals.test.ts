/** What is said of TensorFlow.js for speed against what TypeScript finds by itself. */
import { join } from "node:path";
import ts from "typescript";
import { expect, it } from "vitest";
import { packageRoot } from "../paths/paths.js";
import { globalsText } from "./globals.js";

const use = `
import type { Rank, Tensor, Tensor1D, Tensor2D, Variable } from "@tensorflow/tfjs";
declare const one: Tensor1D, two: Tensor2D, any: Tensor, variable: Variable<Rank.R2>;
export const wide: Tensor[] = [one, two, any, variable];
export const narrow: Tensor2D = any;
export const other: Tensor2D = one;
export const same: Tensor2D = variable;
export const wideVariable: Variable = variable;
export const made: Tensor = two.matMul(two);
`;

/** [line, code] of what the compiler says against the text; `said`: with the globals of cells. */
function complaints(said: boolean): [number, number][] {
  const root = packageRoot();
  const texts = new Map([[join(root, "use.ts"), use]]);
  if (said) texts.set(join(root, "globals.d.ts"), globalsText(root));
  const settings: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    types: [],
  };
  const host = ts.createCompilerHost(settings);
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (name, ...more) => {
    const text = texts.get(name);
    return text === undefined ? read(name, ...more) : ts.createSourceFile(name, text, ts.ScriptTarget.ES2023);
  };
  const program = ts.createProgram([...texts.keys()], settings, host);
  const source = program.getSourceFile(join(root, "use.ts"))!;
  return program.getSemanticDiagnostics(source).map((one) => [source.getLineAndCharacterOfPosition(one.start!).line, one.code]);
}

it("a tensor of one rank goes where a tensor of any does, and not the other way, as without the line that says so", () => {
  const found = complaints(true);
  expect(found).toEqual(complaints(false));
  expect(found.map(([line]) => line)).toEqual([4, 5]);
});
