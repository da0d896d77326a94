// Written by scripts/gen.mjs (`npm run gen`); do not edit.
import type { CellDefinition } from "../protocol/cells.js";

/** Every built-in cell, in the order of the five steps. */
export const definitions: CellDefinition[] = [];
