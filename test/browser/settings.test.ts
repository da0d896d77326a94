/** The settings page: limits of kernels are kept and hold for the next kernel, also where a spare one waits; what cannot be is said at the field. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { openStage, Visitor, writeNotebook, type Stage } from "../support/journey.js";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

it("sets hours and memory of kernels by keyboard, says what cannot be, and a new kernel has that room", async () => {
  const source = `import { getHeapStatistics } from "node:v8"\nMath.round(getHeapStatistics().heap_size_limit / 2 ** 20)`;
  const path = writeNotebook(stage, "t", "room", `// %% id="a"\n${source}\n`);
  const v = await Visitor.enter(stage, "/settings", { width: 390, dark: true });
  const hours = v.page.getByRole("spinbutton", { name: /hours without use/ });
  const memory = v.page.getByRole("spinbutton", { name: /Memory that a kernel may take/ });
  await expect.poll(() => hours.inputValue()).toBe("24");
  await hours.fill("9999");
  await v.page.keyboard.press("Tab");
  await v.page.getByRole("alert").filter({ hasText: "8760" }).waitFor();
  await hours.fill("2.5");
  await v.page.keyboard.press("Tab");
  await v.page.getByRole("status").filter({ hasText: "Saved" }).waitFor();
  await memory.fill("1");
  await v.page.keyboard.press("Tab");
  await expect.poll(() => stage.server.server.sessions.memoryLimit).toBe(2 ** 30);
  const disk = v.page.getByRole("spinbutton", { name: /Disk that results/ });
  await expect.poll(() => disk.inputValue()).toBe("4");
  await disk.fill("0.5");
  await v.page.keyboard.press("Tab");
  await v.page.locator(".setting", { has: disk }).getByText("Saved").waitFor();
  await v.page.reload();
  await expect.poll(async () => [await hours.inputValue(), await memory.inputValue(), await disk.inputValue()]).toEqual(["2.5", "1", "0.5"]);
  await v.page.getByText("TFJS wasm").waitFor();
  expect(await v.axe()).toEqual([]);
  await v.goto(path);
  await v.cell("a").getByRole("button", { name: /^Run/ }).click();
  await v.ok(v.cell("a"));
  const heap = Number(await v.cell("a").locator("touch-output").innerText());
  expect(heap).toBeGreaterThan(850);
  expect(heap).toBeLessThan(1024);
  await v.leave();
});
