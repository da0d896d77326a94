import { expect, it } from "vitest";
import type { Cell, CellState } from "../../kernels/protocol/document.js";
import { blankCell } from "../../kernels/notebook/blank.js";
import { statusOf } from "./status.js";

const cell: Cell = { id: "c", kind: "code", source: "1", options: {} };
const words = (more: Partial<CellState>, of: Partial<Cell> = {}, place: number | null = null) => {
  const view = statusOf({ ...cell, ...of }, { ...blankCell, ...more }, 100_000, null, place);
  return `${view.name}: ${view.text}`;
};

it("has a word for every state", () => {
  expect(words({})).toBe("none: not run");
  expect(words({ result: "ok", elapsedMs: 210 })).toBe("ok: ok · 0.21 s");
  expect(words({ result: "ok", elapsedMs: 20, cached: { savedMs: 12_300, at: 1 } })).toBe("ok: from cache · saved 0:12");
  expect(words({ status: "queued" }, {}, 3)).toBe("queued: queued · 3rd");
  expect(words({ status: "running", startedAt: 59_000, progress: { label: "epoch 4 of 20", done: 4, total: 20, eta: 24 } })).toBe(
    "running: running 0:41 · 20 % · epoch 4 of 20 · about 0:24 left",
  );
  expect(words({ result: "ok", stale: true, causes: ["cutoff"] })).toBe("stale: stale: cutoff changed");
  expect(words({ result: "ok", stale: true, edited: true })).toBe("edited: edited");
  expect(words({ result: "interrupted", elapsedMs: 41_000 })).toBe("interrupted: interrupted at 0:41");
  expect(words({ result: "cancelled", blockedBy: "q1" })).toBe("cancelled: not run: q1 failed");
  expect(words({ status: "disabled" })).toBe("disabled: disabled");
  expect(words({ problems: [{ type: "clash", severity: "error", message: "`x` is also defined in cell b" }] })).toBe(
    "clash: `x` is also defined in cell b",
  );
  expect(words({ result: "error" }, { kind: "markdown" })).toBe("none: ");
});
