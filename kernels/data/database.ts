/** `database(path)`: tables of another DuckDB file of the workspace, opened for reading only, so that several kernels may. */
import { statSync } from "node:fs";
import type { Database } from "../protocol/library.js";
import type { Row } from "../protocol/values.js";
import type { Engine } from "./engine.js";
import { near } from "./near.js";
import { quote } from "./names.js";
import { expected } from "./expected.js";
import { sha } from "./recipe.js";
import { TableRelation } from "./relation.js";
import { fileHash } from "./hash.js";

/** What the worker says of an attached file. */
export interface Attached {
  /** its name in SQL */
  name: string;
  /** "orders", or "schema.orders" outside of main */
  tables: string[];
}

export function database(engine: Engine, path: string): Database {
  const full = engine.files.resolve(path);
  const open = (): Promise<Attached> => {
    const { size, mtimeMs, ino } = statSync(full);
    return engine.request<Attached>({ do: "attach", path: full, stamp: `${size} ${mtimeMs} ${ino}` });
  };
  return {
    tables: async () => (await open()).tables,
    table<R extends object = Row>(name: string) {
      if (typeof name !== "string" || name === "") throw expected("name", "the name of a table", name);
      return new TableRelation<R>(engine, {
        upstream: [],
        build: async () => {
          const { name: base, tables } = await open();
          if (!tables.includes(name)) throw new Error(`no table \`${name}\` in ${JSON.stringify(path)}${near(name, tables)}`);
          const parts = name.includes(".") && tables.includes(name) ? name.split(".") : ["main", name];
          return { sql: `from ${[base, ...parts].map(quote).join(".")}`, table: false };
        },
        hash: async () => sha("database", name, await fileHash(full)),
      });
    },
  };
}
