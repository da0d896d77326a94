/** A notebook named on the command line: found, inside its root, and readable; else one sentence and exit code 64. */
import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { relative, resolve, sep } from "node:path";
import type { NotebookSource } from "../../kernels/protocol/document.js";
import { parseBytes } from "../../kernels/notebook/decode.js";
import { notebookEnding } from "../sessions/paths.js";
import { Failure } from "./failure.js";
import { rootOfFile } from "./root.js";

export interface NamedNotebook {
  file: string;
  root: string;
  /** from root, forward slashes */
  path: string;
  source: NotebookSource;
}

export function findNotebook(given: string): NamedNotebook {
  let file = resolve(given);
  if (!existsSync(file) && existsSync(file + notebookEnding)) file += notebookEnding;
  if (!existsSync(file)) throw new Failure(64, `There is no file ${given}.`);
  if (!statSync(file).isFile() || !file.endsWith(notebookEnding))
    throw new Failure(64, `${given} is not a notebook: a notebook is a file whose name ends in ${notebookEnding}.`);
  file = realpathSync(file);
  const home = rootOfFile(file);
  let root = existsSync(home) ? realpathSync(home) : home;
  // TOUCHSTONE_HOME names another folder, or one that is not there: the file's own is meant
  if (!file.startsWith(root + sep)) root = rootOfFile(file, {});
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new Failure(64, `${given} cannot be read: ${(error as Error).message}.`);
  }
  const { source, broken } = parseBytes(bytes);
  if (broken !== null) throw new Failure(1, `${given} cannot be read as a notebook: ${broken}.`);
  return { file, root, path: relative(root, file).split(sep).join("/"), source };
}
