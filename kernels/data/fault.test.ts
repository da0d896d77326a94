import { expect, it } from "vitest";
import { sentenceOf } from "./fault.js";

const fault = (message: string) => ({ type: "IO", message, position: null, candidates: [], missing: null });

it("names the file of an extension that could not be downloaded, and of one that is of another version", () => {
  expect(
    sentenceOf(
      fault(
        'Failed to download extension "postgres_scanner" at URL "http://extensions.duckdb.org/v1.5.6/linux_amd64/postgres_scanner.duckdb_extension.gz"\nExtension "postgres_scanner" is an existing extension.',
      ),
    ),
  ).toMatch(
    /extension `postgres_scanner`, .* check the network and run again, or put it there yourself as ~\/.duckdb\/extensions\/v1.5.6\/linux_amd64\/postgres_scanner.duckdb_extension \(docs\/extensions.md\)/,
  );
  expect(
    sentenceOf(
      fault(
        "Failed to load '/home/a/httpfs.duckdb_extension', The file was built specifically for DuckDB version 'v1.5.5' and can only be loaded with that version of DuckDB. (this version of DuckDB is 'v1.5.6')",
      ),
    ),
  ).toBe(
    "The extension file httpfs.duckdb_extension is of DuckDB v1.5.5, and this is DuckDB v1.5.6, which loads files of its own version alone: put that one in its place (docs/extensions.md).",
  );
});
