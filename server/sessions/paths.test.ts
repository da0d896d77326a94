import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { placeOf } from "./paths.js";

const root = mkdtempSync(join(tmpdir(), "touchstone-paths-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

it.each([
  ["a.nb.ts", "/w/~/n/a.nb.ts"],
  ["workspaces/flights/late.nb.ts", "/w/flights/n/late.nb.ts"],
  ["workspaces/flights/deep er/x.nb.ts", "/w/flights/n/deep%20er/x.nb.ts"],
  ["elsewhere/x.nb.ts", "/w/elsewhere/n/x.nb.ts"],
  ["~/x.nb.ts", "/w/.%2F~/n/x.nb.ts"],
])("gives %s an address that a browser keeps as it is", (path, href) => {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(join(dirname(file), "package.json"), "{}");
  if (path.includes("deep")) rmSync(join(dirname(file), "package.json"));
  writeFileSync(file, "");
  expect(placeOf(root, path).href).toBe(href);
  expect(new URL(href, "http://h").pathname).toBe(href);
});
