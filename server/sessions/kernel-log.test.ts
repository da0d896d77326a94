import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { KernelLog } from "./kernel-log.js";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "touchstone-log-"));
  file = join(folder, "logs", "a.log");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const open = (at: string | null = file) => new KernelLog({ now: () => 0, redact: (text) => text.replaceAll("hunter22", "***"), file: at });

it("goes on where the last server's ended, on lines of their own, readable by its owner only", () => {
  const first = open();
  first.note("kernel 1 is ready");
  first.said("a native warn");
  first.said("ing");
  first.note("the kernel ended");
  first.flush();
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const second = open();
  second.note("kernel 2 is ready");
  expect(second.text).toBe(
    "1970-01-01T00:00:00.000Z kernel 1 is ready\na native warning\n1970-01-01T00:00:00.000Z the kernel ended\n1970-01-01T00:00:00.000Z kernel 2 is ready\n",
  );
});

it("masks a secret that came in two parts, on the page and on the disk", () => {
  const log = open();
  log.said("the password is hunt");
  log.said("er22\n");
  log.flush();
  expect(log.text).toBe("the password is ***\n");
  expect(readFileSync(file, "utf8")).toBe(log.text);
});

it("keeps the newest lines whole, and needs no disk", () => {
  const log = open(null);
  for (let i = 0; i < 20_000; i++) log.said(`line ${i} ${"x".repeat(40)}\n`);
  expect(log.text.length).toBeLessThanOrEqual(512 * 1024);
  expect(log.text).toMatch(/^line \d+ x+\n/);
  expect(log.text).toMatch(/line 19999 x+\n$/);
  log.flush();
  const nowhere = open("/dev/null/no/a.log");
  nowhere.note("said");
  nowhere.flush();
  expect(nowhere.text).toContain("said");
});
