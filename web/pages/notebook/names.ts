/** Names that the editor offers: variables, what cells will define, the library. */
import { definitions } from "../../../kernels/cells/definitions.js";
import type { NotebookState } from "../../../kernels/protocol/document.js";

const library = ["sql", "display", "view", "features", "f", "relation", "csv", "database", "file", "log", "tf", "cell"];

export function namesOf(state: NotebookState | null): { name: string; detail: string }[] {
  const variables = (state?.variables ?? []).map(({ name, type }) => ({ name, detail: type }));
  const known = new Set(variables.map((variable) => variable.name));
  const defined = Object.values(state?.cells ?? {})
    .flatMap((cell) => cell.defines)
    .filter((name) => !known.has(name))
    .map((name) => ({ name, detail: "not run" }));
  return [...variables, ...defined, ...[...definitions.map((d) => d.call), ...library].map((name) => ({ name, detail: "touchstone" }))];
}
