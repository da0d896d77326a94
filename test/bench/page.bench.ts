/** The page while a cell prints a megabyte a second, and while a notebook of 200 cells opens: long tasks, frames, heap; and the same where nothing prints, or one cell opens, in the same run. */
import type { CDPSession, Page } from "playwright-core";
import { openStage, Visitor, writeNotebook } from "../support/journey.js";
import { quantile, type Figure } from "./figure.js";
import { largeCells } from "./language.bench.js";

const seconds = 20;

/** Begins to note tasks over 50 ms and the gaps between frames. */
function watch(): void {
  const seen = { tasks: [] as number[], gaps: [] as number[] };
  (window as unknown as { seen: typeof seen }).seen = seen;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) seen.tasks.push(entry.duration);
  }).observe({ entryTypes: ["longtask"] });
  let before = performance.now();
  const frame = (now: number): void => {
    seen.gaps.push(now - before);
    before = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}
const seen = (page: Page) => page.evaluate(() => (window as unknown as { seen: { tasks: number[]; gaps: number[] } }).seen);

async function heap(session: CDPSession): Promise<number> {
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  return usedSize;
}

export async function bench(): Promise<Figure[]> {
  const stage = await openStage();
  try {
    const source = (text: string) => `const end = Date.now() + ${seconds * 1000}
while (Date.now() < end) {
  ${text}
  await new Promise((done) => setTimeout(done, 10))
}`;
    const measure = async (name: string, text: string) => {
      const v = await Visitor.enter(stage, writeNotebook(stage, "bench", name, `// %% id="a"\n${source(text)}\n`));
      const cell = v.cell("a");
      await cell.waitFor();
      const session = await v.context.newCDPSession(v.page);
      const before = await heap(session);
      await v.page.evaluate(watch);
      await cell.getByRole("button", { name: /^Run/ }).click();
      await v.ok(cell, (seconds + 60) * 1000);
      const { tasks, gaps } = await seen(v.page);
      const grown = (await heap(session)) - before;
      await v.context.close();
      return { longest: Math.max(0, ...tasks), over: tasks.filter((task) => task > 100).length, gap: quantile(gaps, 0.95), grown };
    };
    /** longest task from the address to three seconds after the last cell, by the best of some openings: the others met something else */
    const opening = async (name: string, text: string, last: string): Promise<number> => {
      const longest: number[] = [];
      const address = writeNotebook(stage, "bench", name, text);
      for (let round = 0; round < 4; round++) {
        const v = await Visitor.enter(stage);
        await v.page.addInitScript(watch);
        await v.goto(address);
        await v.cell(last).locator("article").waitFor({ state: "attached" });
        await v.page.waitForTimeout(3000);
        longest.push(Math.max(0, ...(await seen(v.page)).tasks));
        await v.context.close();
      }
      return Math.min(...longest);
    };
    const one = await opening("one", `// %% id="a"\n1\n`, "a");
    const many = await opening("many", largeCells.join("\n"), `c${largeCells.length - 1}`);
    const quiet = await measure("quiet", "");
    // ten kilobytes a hundred times a second
    const loud = await measure("loud", "console.log(('x'.repeat(99) + '\\n').repeat(100))");
    const peer = "a cell that prints nothing";
    return [
      { name: "longest task of the page, 200 cells open", value: many, unit: "ms", goal: "< 200" },
      { name: "longest task of the page, 200 cells open", value: many / Math.max(50, one), unit: "times as long", peer: "a notebook of one cell" },
      { name: "longest task of the page, a cell prints 1 MB/s", value: loud.longest, unit: "ms", goal: "<= 100" },
      { name: "tasks over 100 ms, a cell prints 1 MB/s", value: loud.over, unit: `in ${seconds} s`, goal: "<= 0" },
      { name: "longest task of the page, a cell prints 1 MB/s", value: loud.longest / Math.max(50, quiet.longest), unit: "times as long", peer },
      { name: "p95 between frames, a cell prints 1 MB/s", value: loud.gap, unit: "ms" },
      { name: "p95 between frames, a cell prints 1 MB/s", value: loud.gap / quiet.gap, unit: "times as long", peer },
      { name: "heap of the page after 20 MB of text", value: (loud.grown - quiet.grown) / 2 ** 20, unit: "MB more", goal: "<= 20", peer },
    ];
  } finally {
    await stage.close();
  }
}
