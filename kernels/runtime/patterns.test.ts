import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { matching, patternOf } from "./patterns.js";

const root = mkdtempSync(join(tmpdir(), "touchstone-patterns-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
for (const path of [
  "a.csv",
  "b.csv",
  "data/a.csv",
  "data/b.parquet",
  "data/year=2001/m=1/x.parquet",
  "data/year=2002/x.parquet",
  "data/node_modules/x.parquet",
  "data/(1).csv",
  ".hidden/a.csv",
]) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), "");
}

it.each([
  ["*.csv", ["a.csv", "b.csv"]],
  ["data/?.csv", ["data/a.csv"]],
  ["data/[!b].csv", ["data/a.csv"]],
  ["data/{a,b}.*", ["data/a.csv", "data/b.parquet"]],
  ["data/(?).csv", ["data/(1).csv"]],
  ["data/year=*/*.parquet", ["data/year=2002/x.parquet"]],
  ["data/**/*.parquet", ["data/b.parquet", "data/year=2001/m=1/x.parquet", "data/year=2002/x.parquet"]],
  ["data/**/m=1/*", ["data/year=2001/m=1/x.parquet"]],
  ["nowhere/*.csv", []],
])("%s", async (pattern, files) => {
  const found = patternOf(join(root, pattern));
  expect(await matching(found)).toEqual(files.map((file) => join(root, file)));
  for (const file of files) expect(found.matches(join(root, file))).toBe(true);
});

it("knows which folders lead to a match", () => {
  const leads = (pattern: string, folder: string) => patternOf(join(root, pattern)).leads(join(root, folder));
  expect([leads("*.csv", "data"), leads("*.csv", "."), leads("data/y*/*.x", "data/year"), leads("data/y*/*.x", "data/z")]).toEqual([
    false,
    true,
    true,
    false,
  ]);
  expect([leads("**/*.x", "a/b"), leads("**/*.x", "node_modules"), leads("data/*.x", "other")]).toEqual([true, false, false]);
});
