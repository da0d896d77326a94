/** Names in scope as forms and prefills see them: the kernel's variables, then what the cells will define. Pure. */
import type { CellDefinition, ScopeName } from "../../kernels/protocol/cells.js";
import type { Cell, CellState, NotebookState, Variable } from "../../kernels/protocol/document.js";

/** "Relation", "Split", "Predictor mlp 64-32" ... to the form's words. */
export function typeOf(variable: Variable): ScopeName["type"] {
  const word = variable.type
    .split(/[\s<[(]/)[0]!
    .toLowerCase()
    .replace(/^_?(?:table)?/, "");
  const found: Record<string, ScopeName["type"]> = {
    relation: "relation",
    split: "split",
    predictor: "predictor",
    evaluated: "predictor",
    finding: "finding",
    features: "features",
    plan: "plan",
    number: "number",
    string: "string",
  };
  return found[word] ?? "other";
}

const likely = (cell: Cell, name: string, definitions: CellDefinition[]): ScopeName["type"] => {
  const builtin = definitions.find((definition) => definition.kind === cell.kind);
  if (builtin !== undefined) return builtin.kind;
  if (cell.kind === "sql") return "relation";
  const value = new RegExp(`\\b${name.replace(/\$/g, "\\$")}\\s*(?::[^=]+)?=\\s*([^\\n]*)`).exec(cell.source)?.[1] ?? "";
  if (/\.split\(/.test(value)) return "split";
  if (/^(await\s+)?features\(/.test(value)) return "features";
  if (/^sql`|\.(where|sample|describe)\(|^(await\s+)?(relation|log)\(/.test(value)) return "relation";
  if (/^-?[\d_.]+$/.test(value)) return "number";
  if (/^["'`]/.test(value)) return "string";
  return "other";
};

/** In document order, newest last, only what stands above `before` when it is given. */
export function scopeOf(state: NotebookState, cells: Cell[], definitions: CellDefinition[], before: string | null = null): ScopeName[] {
  const known = new Map(state.variables.map((variable) => [variable.name, variable]));
  const out: ScopeName[] = [];
  for (const cell of cells) {
    if (cell.id === before) break;
    const s: CellState | undefined = state.cells[cell.id];
    for (const name of s?.defines ?? []) {
      const variable = known.get(name);
      const guess = likely(cell, name, definitions);
      const told = variable === undefined ? "other" : typeOf(variable);
      // a built-in's own kind says more than "finding"
      const builtin = definitions.some((definition) => definition.kind === guess);
      const type = builtin || told === "other" ? guess : told;
      const own = columnsOf(state, cell, variable);
      // a split or a sample has the columns of what it was made from
      const from = new RegExp(`\\b${name.replace(/\$/g, "\\$")}\\s*=\\s*(?:await\\s+)?([A-Za-z_$][\\w$]*)\\.`).exec(cell.source)?.[1];
      const made = from === undefined ? undefined : out.findLast((other) => other.name === from)?.columns;
      out.push({
        name,
        cell: cell.id,
        type,
        ...(own.columns === undefined && made !== undefined && (type === "split" || type === "relation") ? { columns: made } : own),
      });
    }
  }
  return out;
}

/** Columns of a relation that was shown, else those that its preview names. */
function columnsOf(state: NotebookState, cell: Cell, variable: Variable | undefined): { columns?: { name: string; type: string }[] } {
  for (const output of state.outputs[cell.id] ?? []) {
    if (output.kind !== "display") continue;
    const view = output.data["application/vnd.touchstone.table+json"] as { columns?: { name: string; type: string }[] } | undefined;
    if (view?.columns !== undefined) return { columns: view.columns };
  }
  const columns = (variable as { columns?: { name: string; type: string }[] } | undefined)?.columns;
  return columns === undefined ? {} : { columns };
}

/** Source of a new cell of a plain kind. */
export function plainSource(kind: "code" | "sql" | "markdown", scope: ScopeName[]): string {
  if (kind !== "sql") return "";
  const relation = scope.findLast((name) => name.type === "relation");
  const taken = new Set(scope.map((name) => name.name));
  let result = "query";
  for (let n = 2; taken.has(result); n++) result = `query${n}`;
  return `const ${result} = sql\`\n  select * from ${relation?.name ?? "'data/FILE.csv'"}\``;
}

/** Ids of new cells: short, and unlike any that is there. */
export function newId(cells: readonly { id: string }[], random: () => number = Math.random): string {
  const taken = new Set(cells.map((cell) => cell.id));
  for (;;) {
    const id = `c${Math.floor(random() * 36 ** 4)
      .toString(36)
      .padStart(4, "0")}`;
    if (!taken.has(id)) return id;
  }
}

/** The source of a new call with a result name that no cell defines: `const live` becomes `const live2`. */
export function freshResult(source: string, scope: { name: string }[]): string {
  const found = /^const ([A-Za-z_$][\w$]*)/.exec(source);
  if (found === null) return source;
  const taken = new Set(scope.map((name) => name.name));
  let name = found[1]!;
  for (let n = 2; taken.has(name); n++) name = `${found[1]!.replace(/\d+$/, "")}${n}`;
  return source.replace(found[0], `const ${name}`);
}

/**
 * Source of the cell that a result's next step inserts: the kind's own, with the result that asked put first among its equals.
 * A step to the same kind repeats the asking call; a student's width is halved, which is what that step says.
 */
export function stepSource(kind: string, asking: Cell, cells: Cell[], scope: ScopeName[], definitions: CellDefinition[]): string {
  const definition = definitions.find((other) => other.kind === kind);
  if (definition === undefined) return "";
  if (kind === asking.kind)
    return asking.source.replace(/(students:\s*\[)([\d\s,]+)(\])/, (_, open: string, list: string, close: string) => {
      const halves = list
        .split(",")
        .filter((part) => part.trim() !== "")
        .map((part) => Math.max(1, Math.round(Number(part) / 2)));
      return `${open}${halves.join(", ")}${close}`;
    });
  const at = cells.findIndex((cell) => cell.id === asking.id);
  const above = new Set(cells.slice(0, at + 1).map((cell) => cell.id));
  const models = new Set<string>(["train", "distill", "predictor"]);
  const near = scope.filter(
    (name) => above.has(name.cell) && name.cell !== asking.id && !(asking.kind === "baseline" && kind === "promote" && models.has(name.type)),
  );
  return definition.toSource([...near, ...scope.filter((name) => name.cell === asking.id)]);
}
