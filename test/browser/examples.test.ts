/** Journeys on the shipped examples, on training and on review: ui.md 9, numbers 1, 12, 13, 14, 19, 20. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openStage, Visitor, writeNotebook, type Stage } from "../support/journey.js";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

const flights = `// %% [sql] id="flights"
const flights = sql\`
  select file_row_number as id, date, delay, distance, origin, delay > 15 as late
  from read_parquet('npm:vega-datasets/data/flights-3m.parquet', file_row_number = true)
  where date < timestamp '2001-07-01' and file_row_number % 100 = 0\`

// %% id="split"
const parts = flights.split({ by: "time", key: "date", cut: ["2001-04-01", "2001-05-01"] })

// %% [baseline] id="floor"
const floor = await baseline({ split: parts, task: { kind: "binary", target: "late" }, metric: "log loss", using: ["prior"] })

// %% id="features"
const feats = features({
  input: { date: "timestamp", distance: "double" },
  fit: async (rows) => ({ distance: await f.stats(rows, "distance") }),
  row: (r, s) => [f.z(r.distance, s.distance), ...f.oneHot(f.hour(r.date), 24)],
})
`;

it("1. an example opens by one press and runs to the end", async () => {
  const v = await Visitor.enter(stage);
  const example = v.page
    .getByRole("listitem")
    .filter({ hasText: "Will my flight be late?" })
    .or(v.page.locator("tr, a, section li").filter({ hasText: "Will my flight be late?" }));
  await example
    .getByRole("button", { name: /Open/ })
    .or(example.getByRole("link", { name: /Open/ }))
    .first()
    .click();
  await v.cells().first().waitFor();
  const ids = await v
    .cells()
    .evaluateAll((cells) =>
      cells.filter((cell) => (cell as HTMLElement).dataset["kind"] !== "markdown").map((cell) => (cell as HTMLElement).dataset["cell"]!),
    );
  expect(ids).toContain("promote");
  // every cell but promote, which is a person's to run
  for (const id of ids) if (id !== "promote") await v.ok(v.cell(id), 170_000);
  await v.see("Same as a clean run");
  // a bar an hour: columns of a table are typed arrays
  await v.cell("chart").scrollIntoViewIfNeeded();
  await expect.poll(() => v.cell("chart").locator("touch-plot").first().locator(".bars .point path").count()).toBe(24);
  await v
    .cell("floor")
    .getByText(/The number to beat is/)
    .waitFor();
  await v.cell("model").getByText(/Beats/).first().waitFor();
  await v.cell("model").locator("touch-plot").first().waitFor();
  await v.cell("promote").getByRole("button", { name: /^Run/ }).click();
  await v
    .cell("promote")
    .getByRole("button", { name: /^Promote flights/ })
    .waitFor({ timeout: 60_000 });
  await v.leave();
});

it("12. a training shows its curve beside the baseline and is stopped with the best kept", async () => {
  const path = writeNotebook(stage, "t", "train", flights);
  const v = await Visitor.enter(stage, path);
  await v.cell("features").getByRole("button", { name: /^Run/ }).click();
  await v.ok(v.cell("features"), 60_000);
  await v.cell("floor").getByRole("button", { name: /^Run/ }).click();
  await v.ok(v.cell("floor"), 60_000);
  await v.cell("features").locator("article").first().focus();
  await v.page.keyboard.press("Escape");
  await v.page.keyboard.press("b");
  await v.page.keyboard.press("Escape");
  await v.page.keyboard.press("/");
  await v.page.keyboard.insertText("train");
  await v.page.keyboard.press("Enter");
  const cell = v.page.locator('touch-cell[data-kind="train"]');
  await cell.waitFor();
  const epochs = cell.getByLabel(/Epochs/i).first();
  await epochs.fill("400");
  await epochs.press("Tab");
  const patience = cell.getByLabel(/Patience|Early stop/i).first();
  if ((await patience.count()) > 0 && (await patience.isVisible())) {
    await patience.fill("400");
    await patience.press("Tab");
  }
  await cell.getByRole("button", { name: /^Run/ }).click();
  await cell.locator("touch-plot").first().waitFor({ timeout: 60_000 });
  await cell
    .getByText(/epoch \d+ of 400/)
    .first()
    .waitFor({ timeout: 60_000 });
  await cell.getByText(/left/).first().waitFor({ timeout: 60_000 });
  await cell.getByRole("button", { name: "Stop and keep best" }).first().click();
  await v.ok(cell, 60_000);
  await cell
    .getByText(/stopped at epoch \d+/)
    .first()
    .waitFor();
  expect(await cell.locator("touch-result .sentence").innerText()).toMatch(/against/);
  await v.leave();
});

it("13. a model trained on shuffled labels does not beat the baseline and is not promoted", async () => {
  const path = writeNotebook(
    stage,
    "t",
    "shuffled",
    `${flights.replace("delay > 15 as late", "hash(file_row_number * 31) % 5 = 0 as late")}
// %% [train] id="model"
const model = await train({ split: parts, task: { kind: "binary", target: "late" }, against: floor, features: feats, epochs: 3, batch: 256 })

// %% [promote] id="promote"
const live = await promote({ name: "shuffled", model, against: floor })
`,
  );
  const v = await Visitor.enter(stage, path);
  await v.cells().first().waitFor();
  await v.cell("promote").getByRole("button", { name: /^Run/ }).click();
  await v.state(v.cell("promote"), { status: "idle" }, 120_000);
  await v.ok(v.cell("promote"), 120_000);
  await v
    .cell("model")
    .getByText(/Does not beat/i)
    .first()
    .waitFor();
  await v
    .cell("promote")
    .getByText(/Not promoted/)
    .first()
    .waitFor();
  expect(
    await v
      .cell("promote")
      .getByRole("button", { name: /^Promote shuffled/ })
      .count(),
  ).toBe(0);
  const { models } = (await (await stage.server.fetch("/api/ts/models")).json()) as { models: { name: string }[] };
  expect(models.map((model) => model.name)).not.toContain("shuffled");
  await v.leave();
});

it("14. a student fits the budget that its teacher fails, and a promote cell is one press away", async () => {
  const path = writeNotebook(
    stage,
    "t",
    "student",
    `${flights}
// %% [train] id="teacher"
const teacher = await train({ split: parts, task: { kind: "binary", target: "late" }, against: floor, features: feats, model: "mlp", epochs: 3, batch: 256 })

// %% [distill] id="d"
const d = await distill({ teacher, split: parts, against: floor, students: [4], epochs: 3, batch: 256, budget: { bytes: 20_000 } })
`,
  );
  const v = await Visitor.enter(stage, path);
  await v.cells().first().waitFor();
  await v.cell("d").getByRole("button", { name: /^Run/ }).click();
  await v.ok(v.cell("d"), 120_000);
  await v.cell("d").locator("touch-plot").first().waitFor();
  await v.cell("d").locator("touch-plot").last().scrollIntoViewIfNeeded();
  for (const word of [/teacher/i, /student/i, /scratch/i, /prior/i])
    await expect.poll(() => v.cell("d").locator("touch-result").textContent(), { timeout: 20_000 }).toMatch(word);
  await v
    .cell("d")
    .getByRole("button", { name: /Promote/ })
    .first()
    .click();
  const promote = v.page.locator('touch-cell[data-kind="promote"]');
  await promote.waitFor();
  expect(await v.source((await promote.getAttribute("data-cell"))!)).toMatch(/model: d\.student/);
  await v.leave();
});

it("19. the drift of January against June, in pictures", async () => {
  const path = writeNotebook(
    stage,
    "t",
    "drift",
    `// %% [sql] id="jan"
const january = sql\`select date, delay, distance, origin from 'npm:vega-datasets/data/flights-3m.parquet' where month(date) = 1\`

// %% [sql] id="jun"
const june = sql\`select date, delay, distance, origin from 'npm:vega-datasets/data/flights-3m.parquet' where month(date) = 6\`

// %% [drift] id="drift"
const moved = await drift({ reference: january, current: june, columns: ["delay", "distance", "origin"] })
`,
  );
  const v = await Visitor.enter(stage, path);
  await v.cells().first().waitFor();
  await v.cell("drift").getByRole("button", { name: /^Run/ }).click();
  await v.ok(v.cell("drift"), 60_000);
  await v
    .cell("drift")
    .getByText(/of 3 columns/)
    .first()
    .waitFor();
  // ranked bars with own limits: a bar is reached by Tab, and Enter shows its two histograms, one over the other
  const ranked = v.cell("drift").locator("touch-plot").first();
  await ranked.scrollIntoViewIfNeeded();
  const bars = ranked.locator("[role=button][aria-label*='limit']");
  await bars.first().waitFor();
  expect(await bars.evaluateAll((all) => all.map((bar) => bar.getAttribute("aria-label")))).toEqual([
    expect.stringMatching(/^\w+: [\d.]+, limit [\d.]+, drifted$/),
    expect.stringMatching(/^\w+: [\d.]+, limit [\d.]+, drifted$/),
    expect.stringMatching(/^\w+: [\d.]+, limit [\d.]+, drifted$/),
  ]);
  expect(await ranked.locator("touch-plot").count()).toBe(0);
  await bars.first().focus();
  await v.page.keyboard.press("Enter");
  const histograms = ranked.locator("touch-plot");
  await expect.poll(() => histograms.locator(".barlayer .trace").count()).toBe(2);
  await expect.poll(() => v.page.locator("#polite").textContent()).toMatch(/Histograms of/);
  await v.page.keyboard.press("ArrowDown");
  await v.page.keyboard.press("Enter");
  await expect.poll(() => bars.evaluateAll((all) => all.map((bar) => bar.getAttribute("aria-pressed")))).toEqual(["false", "true", "false"]);
  // the queue grows by the number that the button names
  const send = v.cell("drift").getByRole("button", { name: /^Send drifted segment to review: \d+ of [\d,]+ rows with delay/ });
  const named = Number(/review: (\d+) of/.exec((await send.textContent())!)![1]);
  await send.click();
  await v.cell("drift").getByText(`${named} rows added to queue drift: ${named} rows wait`).waitFor();
  await v.cell("drift").getByRole("link", { name: "Open queue" }).click();
  await v.see(`0 of ${named}`);
  await v.page.keyboard.press("1");
  await v.see(`1 of ${named}`);
  await v.page.reload();
  await v.see(`1 of ${named}`);
  await v.leave();
});

it("20. a review queue of twenty rows by keys, with undo, a skip, an accepted guess, a note and a flag", async () => {
  const at = "2026-01-01T00:00:00.000Z";
  const choices = ["late", "on time"].map((label, i) => ({ key: String(i + 1), label, use: "use" }));
  const lines = [{ type: "queue", at, title: "late", choices }].concat(
    Array.from({ length: 20 }, (_, i) => ({
      ...{ type: "item", at, key: `k${i + 1}`, record: { delay: i }, reason: { kind: "random audit", text: "a random row" }, probability: 0.1 },
      ...{ guess: "on time", from: { notebook: "n", cell: "c", batch: "b" } },
    })) as never[],
  );
  const file = join(stage.root, "workspaces", "r", "data", "review", "late.ndjson");
  writeNotebook(stage, "r", "main", `// %% id="a"\n1\n`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const v = await Visitor.enter(stage, "/review/r/late");
  const item = v.page.locator(".review-item");
  await item.waitFor();
  expect(await item.textContent()).not.toContain("on time");
  // faster than any saving: each key is about the next item, and none is dropped
  for (let i = 1; i <= 10; i++) await v.page.keyboard.press("1");
  expect(await item.getAttribute("data-key")).toBe("k11");
  // the keys after an undo are about the item that it brings back
  await v.page.keyboard.press("u");
  expect(await item.getAttribute("data-key")).toBe("k10");
  await v.page.keyboard.press("2");
  await v.page.keyboard.press("s");
  await v.page.getByLabel("show guess").check();
  await v.page.getByRole("button", { name: /accept on time/ }).waitFor();
  expect(await item.getAttribute("data-key")).toBe("k12");
  await item.focus();
  await v.page.keyboard.press("Enter");
  await v.see("11 of 20, 1 skipped");
  await v.page.keyboard.press("n");
  await v.page.getByLabel("Note").fill("ask Ben");
  await v.page.keyboard.press("Enter");
  await v.see("Note: ask Ben");
  await v.page.keyboard.press("f");
  await v.see("1 flagged");
  await v.page.keyboard.press("i");
  await v.page.getByRole("heading", { name: "Guide" }).waitFor();
  const saved = (): unknown[] =>
    readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .slice(21)
      .map((line) => JSON.parse(line) as { type: string; key: string; label?: string })
      .map(({ type, key, label }) => [type, key, ...(label === undefined ? [] : [label])].join(" "));
  const ones = Array.from({ length: 10 }, (_, i) => `answer k${i + 1} late`);
  expect(saved()).toEqual([...ones, "undo k10", "answer k10 on time", "skip k11", "answer k12 on time", "note k13", "flag k13"]);
  // a skipped item is taken back too, and the answer before it
  await v.page.keyboard.press("u");
  await v.page.keyboard.press("u");
  expect(await item.getAttribute("data-key")).toBe("k11");
  await v.page.keyboard.press("s");
  await v.page.keyboard.press("2");
  await v.see("11 of 20, 1 skipped");
  await expect.poll(() => saved().slice(-4)).toEqual(["undo k12", "undo k11", "skip k11", "answer k12 on time"]);
  expect(await v.page.locator("touch-queue [role=alert]").count()).toBe(0);
  await v.page.reload();
  await v.see("11 of 20, 1 skipped");
  expect(await item.getAttribute("data-key")).toBe("k13");
  await v.leave();
});
