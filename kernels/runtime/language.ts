/** Process entry: `node dist/language.js NOTEBOOK` prints the notebook's type problems as JSON. Apart from the server, because TypeScript needs 300 MB. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseNotebook } from "../notebook/parse.js";
import { checkTypes } from "./types.js";

const path = resolve(process.argv[2] ?? "");
const { source } = parseNotebook(readFileSync(path, "utf8"));
process.stdout.write(JSON.stringify(checkTypes(path, source.cells)));
