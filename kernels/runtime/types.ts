/**
 * Types across cells: each cell is a virtual module beside the notebook, with one prologue line that imports every other cell's names
 * and one line after it that exports its own, so that an offset in the cell is an offset in the module less a constant (prototypes 2).
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import ts from "typescript";
import type { Cell } from "../protocol/document.js";
import { analyse, libraryNames, type Analysis } from "../reactive/references.js";
import { packageRoot } from "../paths/paths.js";

/** A type error in a cell's own coordinates, both from 1. */
export interface TypeProblem {
  cell: string;
  line: number;
  column: number;
  code: number;
  message: string;
}

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  lib: ["lib.es2023.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts", "lib.esnext.disposable.d.ts"],
  strict: true,
  // people explore: a parameter without a type is no error
  noImplicitAny: false,
  skipLibCheck: true,
  noEmit: true,
  allowImportingTsExtensions: true,
  esModuleInterop: true,
  types: ["node"],
};

/** Names in every cell, as globals; a cell's own name shadows them. */
function globalsText(root: string): string {
  const library = join(root, "kernels/protocol/library.js").replaceAll("\\", "/");
  const values = join(root, "kernels/protocol/values.js").replaceAll("\\", "/");
  // `sql` has no schema before it has run: its rows are open records. `f` has many small helpers, all of which give numbers or lists of them.
  const own = libraryNames.filter((name) => !["sql", "f", "console"].includes(name));
  return [
    `import type { Library } from ${JSON.stringify(library)};`,
    `import type { Relation } from ${JSON.stringify(values)};`,
    `import type * as tensorflow from "@tensorflow/tfjs";`,
    "declare global {",
    "  // eslint-disable-next-line",
    "  const sql: <R extends object = Record<string, any>>(text: TemplateStringsArray, ...values: unknown[]) => Relation<R>;",
    `  const f: typeof import(${JSON.stringify(join(root, "kernels/models/f.js").replaceAll("\\", "/"))});`,
    "  const tf: typeof tensorflow;",
    ...own.filter((name) => name !== "tf").map((name) => `  const ${name}: Library extends { ${name}: infer T } ? T : any;`),
    "}",
    "export {};",
  ].join("\n");
}

/** Checks the types of a notebook's cells. `path` is the notebook's absolute path: imports are resolved from there. */
export function checkTypes(path: string, cells: Cell[]): TypeProblem[] {
  const root = packageRoot();
  const code = cells.filter((cell) => cell.kind !== "markdown");
  const analyses = new Map<string, Analysis>(code.map((cell) => [cell.id, analyse(cell)]));
  const fileOf = (index: number): string => `${path}.cell${index}.ts`;
  const globals = join(dirname(path), ".touchstone-globals.d.ts");
  const files = new Map<string, { text: string; prologue: number; cell: Cell | null }>();
  files.set(globals, { text: globalsText(root), prologue: 0, cell: null });
  code.forEach((cell, index) => {
    const own = new Set(analyses.get(cell.id)!.defines);
    const imports = code.flatMap((other, at) => {
      const names = at === index ? [] : analyses.get(other.id)!.defines.filter((name) => !own.has(name));
      return names.length > 0 ? [`import { ${names.join(", ")} } from "./${fileOf(at).split("/").pop()!}";`] : [];
    });
    const prologue = `${imports.join(" ")}\n`;
    files.set(fileOf(index), { text: `${prologue}${cell.source}\nexport { ${[...own].join(", ")} };\n`, prologue: prologue.length, cell });
  });

  const host: ts.LanguageServiceHost = {
    getCompilationSettings: () => ({ ...options, typeRoots: [join(root, "node_modules/@types")] }),
    getScriptFileNames: () => [...files.keys()],
    getScriptVersion: () => "1",
    getScriptSnapshot: (name) => {
      const text = files.get(name)?.text ?? (existsSync(name) ? readFileSync(name, "utf8") : undefined);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => dirname(path),
    getDefaultLibFileName: (settings) => ts.getDefaultLibFilePath(settings),
    fileExists: (name) => files.has(name) || ts.sys.fileExists(name),
    readFile: (name) => files.get(name)?.text ?? ts.sys.readFile(name),
    directoryExists: (name) => ts.sys.directoryExists(name),
    getDirectories: (name) => ts.sys.getDirectories(name),
    realpath: (name) => (files.has(name) ? name : (ts.sys.realpath?.(name) ?? name)),
    // the library's own packages serve a workspace that lies elsewhere
    resolveModuleNameLiterals: (literals, containing, _redirected, settings) =>
      literals.map(({ text }) => {
        const found = ts.resolveModuleName(text, containing, settings, host as ts.ModuleResolutionHost);
        if (found.resolvedModule || text.startsWith(".")) return found;
        return ts.resolveModuleName(
          text === "touchstone" ? join(root, "kernels/runtime/module.js") : text,
          join(root, "touchstone.ts"),
          settings,
          host as ts.ModuleResolutionHost,
        );
      }),
  };
  const service = ts.createLanguageService(host);
  const problems: TypeProblem[] = [];
  for (const [name, file] of files) {
    if (!file.cell) continue;
    const syntax = service.getSyntacticDiagnostics(name);
    for (const found of syntax.length > 0 ? syntax : service.getSemanticDiagnostics(name)) {
      // an unfinished cell is noticed at the export line after it: that is its end
      const at = Math.min((found.start ?? 0) - file.prologue, syntax.length > 0 ? file.cell.source.length : Infinity);
      // an import of a name that its own cell fails to define is reported there, not in every reader's prologue
      if (at < 0 || at > file.cell.source.length) continue;
      const before = file.cell.source.slice(0, at).split("\n");
      problems.push({
        cell: file.cell.id,
        line: before.length,
        column: before.at(-1)!.length + 1,
        code: found.code,
        message: ts.flattenDiagnosticMessageText(found.messageText, "\n"),
      });
    }
  }
  service.dispose();
  return problems;
}
