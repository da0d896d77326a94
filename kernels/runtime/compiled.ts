/** The cells' code as it was compiled, and with it the way from an error's stack back to the lines that a person wrote. */
import type { CellError } from "../protocol/output.js";
import type { Awaits } from "./awaits.js";
import { position, toCellError, type ErrorContext, type Place } from "./errors.js";
import type { Imports } from "./imports.js";
import { orElse } from "./own.js";
import type { Run } from "./run.js";
import { translate, type Translation } from "./translate.js";

export interface Compiled {
  /** `live`: names that a console's request reads where they stand */
  compile(run: Run, live: (name: string) => boolean): Promise<Translation & { file: string }>;
  describe(error: unknown, run: Run): CellError;
  forget(cell: string): void;
}

export interface CompiledOptions {
  imports: Pick<Imports, "file">;
  awaits: Pick<Awaits, "place">;
  /** a frame's file when it is not a cell's: null hides it */
  filePlace(file: string, line: number, column: number): Place | null;
  sourceOf(cell: string): string | undefined;
  /** names in scope of a run */
  names(run: Run): string[];
  owner(name: string, run: Run): string | undefined;
}

/** translations of a cell that are kept: stale cells hold old functions */
const versions = 8;

export function createCompiled(options: CompiledOptions): Compiled {
  /** by the file name in stacks */
  const files = new Map<string, { cell: string; source: string; translation: Translation }>();
  /** the newest of these files by cell */
  const filesOf = new Map<string, string[]>();

  const place = (file: string, line: number, column: number): Place | null => {
    const known = files.get(file);
    if (known) {
      const at = known.translation.locate(line, column);
      return at && { cell: known.cell, ...at };
    }
    const imported = options.imports.file(file);
    if (imported) {
      const at = imported.translation?.locate(line, column);
      return at ? { file, ...at } : null;
    }
    return options.filePlace(file, line, column);
  };
  const awaitedAt = (thrown: object): Place | null => {
    const at = options.awaits.place(thrown);
    const cell = at && files.get(at.file);
    if (cell) return { cell: cell.cell, ...position(cell.source, at.offset) };
    const file = at && options.imports.file(at.file);
    return file ? { file: at.file, ...position(file.source, at.offset) } : null;
  };
  const context = (run: Run): ErrorContext => ({
    cell: run.cell.id,
    source: run.cell.source,
    place,
    awaitedAt,
    sourceOf: (at) => (at.cell === undefined ? undefined : at.cell === run.cell.id ? run.cell.source : options.sourceOf(at.cell)),
    names: () => options.names(run),
    owner: (name) => options.owner(name, run),
  });

  return {
    async compile(run, live) {
      const { id, source } = run.cell;
      const file = `cell:${encodeURIComponent(id)}#${run.number}`;
      const translation = await translate(source, run.request.console ? { live } : "cell");
      files.set(file, { cell: id, source, translation });
      const own = [...(filesOf.get(id) ?? []), file];
      for (const old of own.splice(0, own.length - versions)) files.delete(old);
      filesOf.set(id, own);
      return { ...translation, file };
    },
    describe: (error, run) =>
      orElse(
        () => {
          const described = toCellError(error, context(run));
          return run.request.console ? unwritten(described) : described;
        },
        // a proxy, for one, may throw wherever it is touched
        { name: "Error", message: "The cell threw a value that cannot be read.", cell: run.cell.id, frames: [] },
      ),
    forget(cell) {
      for (const file of filesOf.get(cell) ?? []) files.delete(file);
      filesOf.delete(cell);
    },
  };
}

/** The compiler's own way of writing a console's names, out of V8's messages. */
function unwritten(error: CellError): CellError {
  const message = error.message.replace(/\(0 ?, ?\$\$n\.([\w$]+)\)|\$\$n\.([\w$]+)/g, (_, called?: string, read?: string) => called ?? read ?? "");
  return { ...error, message };
}
