import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

const setup = { setupFiles: ["test/support/setup.ts"], globalSetup: ["test/support/build.ts"] };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          ...setup,
          include: ["{kernels,server,web,scripts}/**/*.test.ts", "test/{rules,cases}/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          pool: "forks",
          // much of a test is waiting for a kernel or a disk: vitest's own choice leaves one of two cores idle
          maxWorkers: Math.max(2, availableParallelism() - 1),
        },
      },
      {
        test: {
          name: "system",
          ...setup,
          include: ["test/system/**/*.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 120_000,
          pool: "forks",
          maxWorkers: 1,
        },
      },
      {
        test: {
          name: "browser",
          ...setup,
          include: ["test/browser/**/*.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          pool: "forks",
          maxWorkers: 1,
        },
      },
    ],
  },
});
