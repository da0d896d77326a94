import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { view } from "../../kernels/cells/promote/run.js";
import { duck, stageTiny, tinyRows } from "../../test/support/version.js";
import { createServing } from "../serving/serving.js";

it("shows the score by slice, and refuses a column that the test rows lack", async () => {
  const root = mkdtempSync(join(tmpdir(), "touchstone-slices-"));
  const serving = createServing({ root, log: { info: () => undefined, error: () => undefined }, compactEvery: 0 });
  const staged = await stageTiny(root, "tiny", {}, { slices: ["part"] });
  const testRows = staged.testRows.replace("test.parquet", "parted.parquet");
  await duck(
    `copy (select *, case when x < 25 then 'low' else 'high' end as part from '${staged.testRows}' order by __key) to '${testRows}' (format parquet)`,
  );
  const proposal = await serving.propose({ ...staged, testRows });
  const mae = (rows: { x: number; y: number }[], guess: (x: number) => number): number =>
    rows.reduce((sum, { x, y }) => sum + Math.abs(y - guess(x)), 0) / rows.length;
  const parts = [tinyRows().filter(({ x }) => x >= 25), tinyRows().filter(({ x }) => x < 25)];
  const expected = parts.map((rows, i) => ["part", ["high", "low"][i], rows.length, mae(rows, (x) => x / 2 + 3), mae(rows, () => 28)]);
  const shown = view(proposal, { x: 1 }, 1).tables!.find((table) => table.title === "Slices")!;
  expect(shown.columns).toEqual(["column", "value", "rows", "MAE", "mean"]);
  shown.rows.forEach((row, i) =>
    row.forEach((cell, j) =>
      typeof cell === "number" ? expect(cell).toBeCloseTo(expected[i]![j] as number, 6) : expect(cell).toBe(expected[i]![j]),
    ),
  );
  expect(shown.rows).toHaveLength(2);
  await expect(serving.propose({ ...staged, slices: ["nobody"] })).rejects.toThrow("slices: the test rows have no column `nobody`");
  await serving.close();
  rmSync(root, { recursive: true, force: true });
}, 60_000);
