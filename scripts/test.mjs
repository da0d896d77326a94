// The whole suite: every vitest project in turn, one summed closing line `N passed, N failed`.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "touchstone-test-"));
const only = process.argv.slice(2);
let passed = 0;
let failed = 0;
let broken = false;
for (const project of only.length > 0 ? only : ["unit", "system", "browser"]) {
  const report = join(folder, `${project}.json`);
  const run = spawnSync(
    process.execPath,
    [
      "node_modules/vitest/vitest.mjs",
      "run",
      "--project",
      project,
      "--passWithNoTests",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${report}`,
    ],
    { stdio: ["ignore", "inherit", "inherit"] },
  );
  try {
    const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, "utf8"));
    passed += numPassedTests;
    failed += numFailedTests;
    // a file that does not load has no tests, and must not pass
    failed += testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0).length;
  } catch {
    broken = true;
  }
  if (run.status !== 0) broken = true;
}
rmSync(folder, { recursive: true, force: true });
if (broken && failed === 0) failed = 1;
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
