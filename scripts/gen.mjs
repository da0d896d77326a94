// Writes the indexes of the built-in cells: kernels/cells/definitions.ts (pure) and kernels/cells/runs.ts (engines).
// A new cell is one new folder and `npm run gen`.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const cells = join(root, "kernels/cells");
/** the five steps, in their order: the insert menu shows them so */
const order = ["label", "baseline", "train", "promote", "ab-test", "diagnose", "distill", "drift", "review"];

export function generate() {
  const kinds = readdirSync(cells, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(cells, entry.name, "cell.ts")) && existsSync(join(cells, entry.name, "run.ts")))
    .map((entry) => entry.name)
    .sort((a, b) => order.indexOf(a) - order.indexOf(b));
  const name = (kind) => kind.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());
  const head = "// Written by scripts/gen.mjs (`npm run gen`); do not edit.\n";
  const definitions = `${head}${kinds.map((kind) => `import { cell as ${name(kind)} } from "./${kind}/cell.js";\n`).join("")}import type { CellDefinition } from "../protocol/cells.js";

/** Every built-in cell, in the order of the five steps. */
export const definitions: CellDefinition[] = [${kinds.map(name).join(", ")}];
`;
  const runs = `${head}${kinds.map((kind) => `import { run as ${name(kind)} } from "./${kind}/run.js";\n`).join("")}
/** The function behind each built-in call, by the call's name. */
export const runs = { ${kinds.map(name).join(", ")} };
`;
  return { "kernels/cells/definitions.ts": definitions, "kernels/cells/runs.ts": runs };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of Object.entries(generate())) {
    const file = join(root, path);
    if (!existsSync(file) || readFileSync(file, "utf8") !== text) writeFileSync(file, text);
  }
}
