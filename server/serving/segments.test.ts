import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { createSegments } from "./segments.js";

const home = mkdtempSync(join(tmpdir(), "touchstone-segments-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const now = (): number => Date.UTC(2026, 10, 24);
const day = "day=2026-11-24";
const files = (folder: string): string[] => readdirSync(join(folder, "m", day)).sort();

it("writes lines in order, one segment until it is full", async () => {
  const folder = join(home, "order");
  const segments = createSegments({ folder, now, most: 40 });
  for (let i = 0; i < 3; i++) await segments.append("m", now(), `{"n":${i},"pad":"xxxxxxxx"}`, true);
  await segments.close();
  expect(files(folder)).toHaveLength(2);
  const text = files(folder)
    .map((file) => readFileSync(join(folder, "m", day, file), "utf8"))
    .join("");
  expect(
    text
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { n: number }).n)
      .sort(),
  ).toEqual([0, 1, 2]);
});

it("keeps serving when the disk is full, counts what it drops, and goes on in another segment", async () => {
  const folder = join(home, "full");
  let full = false;
  const step = (name: string): void => {
    if (full && name === "segment half written") throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
  };
  const segments = createSegments({ folder, now, step });
  await segments.append("m", now(), '{"n":0}', true);
  full = true;
  await expect(segments.append("m", now(), '{"n":1}', true)).rejects.toThrow("ENOSPC");
  void segments.append("m", now(), '{"n":2}', false);
  await segments.flush();
  expect(segments.dropped()).toBe(2);
  full = false;
  await segments.append("m", now(), '{"n":3}', true);
  await segments.close();
  // half a line ends its segment; the next line is in one of its own
  const whole = files(folder).flatMap((file) => {
    const lines = readFileSync(join(folder, "m", day, file), "utf8").split("\n");
    return lines.slice(0, -1);
  });
  expect(whole.sort()).toEqual(['{"n":0}', '{"n":3}']);
});

it("goes on when a new segment cannot be opened after a full one", async () => {
  const folder = join(home, "open");
  let full = false;
  const step = (name: string): void => {
    if (full && name === "open segment") throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
  };
  const segments = createSegments({ folder, now, most: 4, step });
  await segments.append("m", now(), '{"n":0}', true);
  full = true;
  for (let i = 1; i < 3; i++) await expect(segments.append("m", now(), `{"n":${i}}`, true)).rejects.toThrow("ENOSPC");
  full = false;
  await segments.append("m", now(), '{"n":3}', true);
  expect(segments.dropped()).toBe(2);
  await segments.close();
});
