/** The queue as a person sees it: what waits, in which order, and the ways out. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { openStage, Visitor, writeNotebook, type Stage } from "../support/journey.js";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
}, 120_000);
afterAll(() => stage?.close());

const text = `// %% id="slow"
const slow = await new Promise<number>((resolve) => cell.signal.addEventListener("abort", () => resolve(1)))

// %% id="b"
const b = 2

// %% id="c"
const c = b + 1

// %% id="d"
const d = 4
`;

it("lists the cells that wait, cancels one with what depends on it, and all", async () => {
  const v = await Visitor.enter(stage, writeNotebook(stage, "queue", "queue", text));
  await v.page.getByRole("button", { name: "Run all" }).first().click();
  await v.state(v.cell("slow"), { status: "running" }, 60_000);
  const menu = v.page.locator("details.queue");
  await menu.locator("summary").getByText("3 queued").waitFor();
  expect(await v.cell("c").getByText("queued · 2nd").count()).toBe(1);
  await menu.locator("summary").click();
  const list = menu.getByRole("list", { name: "Cells that wait" });
  expect(await list.getByRole("listitem").locator("code").allTextContents()).toEqual(["b", "c", "d"]);
  await menu.getByRole("button", { name: "Cancel cell 2 and what depends on it" }).click();
  await menu.locator("summary").getByText("1 queued").waitFor();
  expect(await list.getByRole("listitem").locator("code").allTextContents()).toEqual(["d"]);
  await v.page.getByRole("button", { name: "Cancel it", exact: true }).click();
  await menu.waitFor({ state: "detached" });
  await v.state(v.cell("d"), { status: "idle" });
  await v.page.getByRole("button", { name: "Stop", exact: true }).first().click();
  await v.state(v.cell("slow"), { status: "idle" }, 60_000);
  await v.leave();
});
