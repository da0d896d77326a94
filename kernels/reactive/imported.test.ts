import { expect, it } from "vitest";
import { importedBy } from "./imported.js";

it.each([
  ['import x from "d3"', ["d3"]],
  ['import type { A } from "@types/a"\nimport "side"\nexport { b } from "b/sub"', ["@types/a", "side", "b/sub"]],
  ['const m = await import("late")\nconst r = require("old")', ["late", "old"]],
  ["const a = sql`select * from 'npm:vega-datasets/data/cars.json'`", ["vega-datasets"]],
  ["file('npm:@scope/name/x.csv')", ["@scope/name"]],
  ['// import x from "comment"\nconst s = `import x from "text"`', []],
  ["const m = await import(name)", []],
  ['import x from "d3', []],
  ["1 + 1", []],
])("%s", (source, names) => expect(importedBy(source)).toEqual(names));
