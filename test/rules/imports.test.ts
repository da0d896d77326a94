/** Imports go one way (design 2). Any other arrow fails here. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, it } from "vitest";
import { packageRoot } from "../../kernels/paths/paths.js";

const root = packageRoot();
const engines = ["@duckdb/node-api", "@tensorflow/"];

/** layer -> layers that it may import */
const allowed: Record<string, string[]> = {
  protocol: [],
  stats: [],
  paths: ["protocol"],
  notebook: ["protocol"],
  reactive: ["notebook", "protocol"],
  data: ["protocol", "stats", "paths", "notebook", "reactive"],
  tensors: ["protocol", "stats", "paths"],
  models: ["protocol", "stats", "paths", "notebook", "reactive", "data", "tensors"],
  "cell-definition": ["protocol"],
  "cell-index": ["protocol", "cell-definition"],
  "cell-run": ["protocol", "stats", "data", "tensors", "models", "cell-definition", "cell-run"],
  "cell-view": ["protocol", "web"],
  language: ["protocol", "paths", "notebook", "reactive", "data"],
  runtime: ["protocol", "stats", "paths", "notebook", "reactive", "data", "tensors", "models", "cell-run", "cell-index", "cell-definition"],
  server: ["protocol", "notebook", "reactive", "stats", "paths", "cell-index", "cell-definition"],
  web: ["protocol", "notebook", "cell-index", "cell-definition", "cell-view"],
};

function layer(path: string): string {
  const parts = path.split("/");
  if (parts[0] === "server" || parts[0] === "web") return parts[0];
  if (parts[1] !== "cells") return parts[1]!;
  if (parts.length === 3) return parts[2] === "runs.ts" ? "cell-run" : "cell-index";
  if (parts[3] === "cell.ts") return "cell-definition";
  return parts[3] === "view.ts" ? "cell-view" : "cell-run";
}

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return sources(path);
    return /\.ts$/.test(entry.name) && !/\.test\.ts$|\.d\.ts$/.test(entry.name) ? [path] : [];
  });
}

function importsOf(path: string): { spec: string; typeOnly: boolean }[] {
  const text = readFileSync(join(root, path), "utf8");
  const found: { spec: string; typeOnly: boolean }[] = [];
  for (const match of text.matchAll(/^\s*(?:import|export)\s+(type\s)?(?:[^"'`;]*?\sfrom\s+)?["']([^"']+)["']/gm))
    found.push({ spec: match[2]!, typeOnly: match[1] !== undefined });
  for (const match of text.matchAll(/(?<!typeof )import\(\s*["']([^"']+)["']\s*\)/g))
    found.push({ spec: match[1]!, typeOnly: /:\s*$|<\s*$|\|\s*$|typeof\s*$/.test(text.slice(Math.max(0, match.index - 12), match.index)) });
  return found;
}

it("lets no import go against the design's direction", () => {
  const wrong: string[] = [];
  for (const path of ["kernels", "server", "web"].flatMap(sources)) {
    const from = layer(path);
    for (const { spec, typeOnly } of importsOf(path)) {
      if (!spec.startsWith(".")) {
        if (
          !typeOnly &&
          ["server", "web", "protocol", "stats", "notebook", "reactive", "cell-definition"].includes(from) &&
          engines.some((name) => spec.startsWith(name))
        )
          wrong.push(`${path} imports the engine ${spec}`);
        continue;
      }
      const target = relative(root, resolve(root, dirname(path), spec))
        .replaceAll("\\", "/")
        .replace(/\.js$/, ".ts");
      if (!/^(kernels|server|web)\//.test(target)) continue;
      const to = layer(target);
      if (to !== from && !allowed[from]?.includes(to)) wrong.push(`${path} (${from}) imports ${target} (${to})`);
    }
  }
  expect(wrong).toEqual([]);
});

it("knows every layer", () => {
  const unknown = ["kernels", "server", "web"]
    .flatMap(sources)
    .map(layer)
    .filter((name) => !(name in allowed));
  expect([...new Set(unknown)]).toEqual([]);
});

it("keeps the generated indexes up to date", async () => {
  const { generate } = (await import("../../scripts/gen.mjs" as string)) as { generate(): Record<string, string> };
  for (const [path, text] of Object.entries(generate())) expect(readFileSync(join(root, path), "utf8"), `${path}: run npm run gen`).toBe(text);
});
