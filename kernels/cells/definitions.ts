// Written by scripts/gen.mjs (`npm run gen`); do not edit.
import { cell as baseline } from "./baseline/cell.js";
import { cell as train } from "./train/cell.js";
import { cell as promote } from "./promote/cell.js";
import { cell as abTest } from "./ab-test/cell.js";
import { cell as distill } from "./distill/cell.js";
import { cell as drift } from "./drift/cell.js";
import type { CellDefinition } from "../protocol/cells.js";

/** Every built-in cell, in the order of the five steps. */
export const definitions: CellDefinition[] = [baseline, train, promote, abTest, distill, drift];
