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
export function newId(cells: { id: string }[], random: () => number = Math.random): string {
  const taken = new Set(cells.map((cell) => cell.id));
  for (;;) {
    const id = `c${Math.floor(random() * 36 ** 4)
      .toString(36)
      .padStart(4, "0")}`;
    if (!taken.has(id)) return id;
  }
}
