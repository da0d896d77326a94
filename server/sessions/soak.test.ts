/** 10,000 random operations of pages, other programs and kills: nothing is lost or doubled, and the file says what the pages show. */
import type * as Fs from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { Clock } from "../../test/support/clock.js";
import { killDisk } from "../../test/support/disk.js";
import { Soak } from "../../test/support/soak.js";
import { chance } from "../../test/support/soak-edits.js";

vi.mock("node:fs", async (original) => (await import("../../test/support/disk.js")).killable(await original<typeof Fs>()));
vi.mock("node:fs/promises", async () => (await import("../../test/support/disk.js")).instant());
vi.mock("chokidar", async () => (await import("../../test/support/disk.js")).fakeChokidar());

const seeds = process.env["SOAK_SEED"] ? [Number(process.env["SOAK_SEED"])] : Array.from({ length: 10 }, (_, i) => i + 1);
const operations = Number(process.env["SOAK_OPERATIONS"] ?? 1000);

let clock: Clock;
afterEach(() => {
  clock.uninstall();
  vi.restoreAllMocks();
});

it.each(seeds)("loses and doubles nothing, seed %i", async (seed) => {
  const fs = await vi.importActual<typeof Fs>("node:fs");
  const { tmpdir } = await vi.importActual<{ tmpdir(): string }>("node:os");
  const root = fs.mkdtempSync(join(tmpdir(), "touchstone-soak-"));
  fs.mkdirSync(join(root, "workspaces/demo"), { recursive: true });
  fs.writeFileSync(join(root, "workspaces/demo/package.json"), "{}");
  fs.writeFileSync(join(root, "workspaces/demo/a.nb.ts"), '// %% id="a"\nprint one\n\n// %% id="b"\nprint two\n');
  vi.spyOn(Math, "random").mockImplementation(chance(seed + 1e6));
  clock = new Clock();
  clock.install(() => !killDisk.gone());
  const soak = new Soak(root, seed, fs, clock);
  try {
    await soak.run(operations);
  } catch (error) {
    throw new Error(
      `seed ${seed}, operation ${soak.tally.operations}: ${(error as Error).message}\n${soak.story.slice(-40).join("\n")}\ndisk: ${killDisk.trace.slice(-20).join("; ")}`,
      {
        cause: error,
      },
    );
  } finally {
    fs.rmSync(root, { recursive: true, force: true });
  }
  expect(soak.tally.kills).toBeGreaterThan(operations / 200);
  expect(soak.tally.looked).toBeGreaterThan(operations / 4);
  expect(soak.tally.conflicts).toBeGreaterThan(operations / 200);
});
