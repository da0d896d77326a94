/** Arrow IPC files (`.arrow .arrows .feather .ipc`), in file or stream format, as relations: read into a table, as DuckDB itself has no reader for them. */
import type { Row } from "../protocol/values.js";
import type { Engine } from "./engine.js";
import { contentHash, filesOf } from "./hash.js";
import { sha } from "./recipe.js";
import { TableRelation } from "./relation.js";

export const isArrow = (path: string): boolean => /\.(arrow|arrows|feather|ipc)$/i.test(path);

/** `path` is absolute, and may be a pattern: files of one schema, one after the other. */
export function arrowFile<R extends object = Row>(engine: Engine, path: string): TableRelation<R> {
  return new TableRelation<R>(engine, {
    upstream: [],
    build: () => ({
      make: async (name) => {
        const paths = await filesOf(engine, path);
        if (paths.length === 0) throw new Error(`no file matches ${JSON.stringify(path)}`);
        await engine.request({ do: "arrow", name, paths });
      },
    }),
    hash: async () => sha("arrow", await contentHash(engine, path)),
    steady: true,
  });
}
