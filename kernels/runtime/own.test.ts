import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { packageRoot } from "../paths/paths.js";
import { ownFile, pathOfFrame } from "./own.js";

it("reads the path of a frame, also from a folder with a space", () => {
  expect(pathOfFrame(pathToFileURL("/tmp/my work/a#1.mjs").href)).toBe("/tmp/my work/a#1.mjs");
  expect(pathOfFrame("/tmp/my%20work/a.mjs")).toBe("/tmp/my%20work/a.mjs");
  expect(pathOfFrame("file://%")).toBe("file://%");
});

it("knows the kernel's own frames and Node's from the author's", () => {
  expect(ownFile(pathToFileURL(join(packageRoot(), "dist", "kernel.js")).href)).toBe(true);
  expect(ownFile("node:internal/timers")).toBe(true);
  expect(ownFile(pathToFileURL(join(packageRoot(), "workspaces", "a.ts")).href)).toBe(false);
});
