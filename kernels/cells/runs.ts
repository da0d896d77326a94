// Written by scripts/gen.mjs (`npm run gen`); do not edit.
import { run as baseline } from "./baseline/run.js";
import { run as train } from "./train/run.js";
import { run as promote } from "./promote/run.js";
import { run as abTest } from "./ab-test/run.js";
import { run as distill } from "./distill/run.js";
import { run as drift } from "./drift/run.js";

/** The function behind each built-in call, by the call's name. */
export const runs = { baseline, train, promote, abTest, distill, drift };
