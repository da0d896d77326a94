/** What belongs to a run goes with it: order of disposers, their errors, the signal, timers; when a cell runs again, is stopped, deleted, or its kernel ends. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { startKernel, type TestKernel } from "../../test/support/kernel.js";

let kernel: TestKernel;
beforeEach(async () => {
  kernel = await startKernel();
});
afterEach(() => kernel.close());

const log = () => join(kernel.workspace, "log");
/** what the cells have noted since the last look */
const noted = (): string => {
  const text = existsSync(log()) ? readFileSync(log(), "utf8") : "";
  rmSync(log(), { force: true });
  return text.trim();
};
const note = () => `import { appendFileSync } from "node:fs"; const _note = (text) => appendFileSync(${JSON.stringify(log())}, text + " ");\n`;

it("disposes the last first, before the cell runs again, after its signal; an error of one is shown and does not keep the others", async () => {
  const cell = (name: string) =>
    `${note()}_note("begin-${name}"); cell.signal.addEventListener("abort", () => _note("signal-${name}"))
    cell.onDispose(() => _note("first-${name}")); cell.onDispose(() => { throw new Error("broken disposer") }); cell.onDispose(() => _note("last-${name}"))`;
  await kernel.run(cell("a"), { id: "c" });
  expect(noted()).toBe("begin-a");
  const { result, warnings } = await kernel.run(cell("b"), { id: "c" });
  expect(noted()).toBe("signal-a last-a first-a begin-b");
  expect([result, warnings]).toEqual(["ok", ["a disposer of the run before failed: broken disposer"]]);
  // another cell disposes of nothing
  await kernel.run("1", { id: "other" });
  expect(noted()).toBe("");
});

it("a stop aborts the signal and ends the timers at once; what is to be disposed waits for the next run", async () => {
  const { run, done } = kernel.start(
    `${note()}cell.signal.addEventListener("abort", () => _note("signal-" + cell.signal.aborted)); cell.onDispose(() => _note("disposed"))
    let ticks = 0; setInterval(() => { if (++ticks === 3) _note("third") }, 1); await new Promise(() => {})`,
    { id: "c" },
  );
  await expect.poll(() => existsSync(log())).toBe(true);
  kernel.interrupt(run);
  expect((await done).result).toBe("interrupted");
  expect(noted()).toBe("third signal-true");
  // no timer of it fires any more
  const ticks = "const before = ticks; await new Promise((r) => setTimeout(r, 30)); ticks - before";
  expect((await kernel.run(ticks, { id: "look", uses: ["ticks"] })).displays).toEqual([{ "text/plain": "0" }]);
  await kernel.run("1", { id: "c" });
  expect(noted()).toBe("disposed");
});

it("a deleted cell is disposed of, and so is every cell when the kernel is shut down", async () => {
  for (const name of ["a", "b"])
    await kernel.run(
      `${note()}cell.onDispose(() => _note("disposed-${name}")); cell.signal.addEventListener("abort", () => _note("signal-${name}"))`,
      {
        id: name,
      },
    );
  kernel.send({ type: "forget", cells: ["a"] });
  await expect.poll(() => existsSync(log()) && readFileSync(log(), "utf8").trim()).toBe("signal-a disposed-a");
  noted();
  kernel.send({ type: "shutdown" });
  await kernel.exited;
  expect(noted()).toBe("signal-b disposed-b");
});

it("what is asked for after the run was stopped is none of the cell's any more", async () => {
  const { run, done } = kernel.start(
    `${note()}cell.signal.addEventListener("abort", () => { setTimeout(() => _note("late timer"), 1); setImmediate(() => _note("late immediate")) }); _note("go"); await new Promise(() => {})`,
    { id: "c" },
  );
  await expect.poll(() => existsSync(log())).toBe(true);
  noted();
  kernel.interrupt(run);
  await done;
  await kernel.run("await new Promise((r) => setTimeout(r, 30))", { id: "wait" });
  expect(noted()).toBe("");
});
