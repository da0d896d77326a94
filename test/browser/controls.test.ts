/** `view(input)` in the page: controls below the cell, by pointer and keys, on every page that is connected. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { openStage, Visitor, writeNotebook, type Stage } from "../support/journey.js";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

const shot = async (v: Visitor, name: string) => {
  if (process.env["SHOT"]) await v.page.screenshot({ path: `${process.env["SHOT"]}-${name}.png`, fullPage: true });
};

it("a slider runs what reads it, keeps the focus while its cell runs, is the same in a second window, and is set back", async () => {
  const source = [
    "console.log('before')",
    "const alpha = view(input.range({ min: 0, max: 1, step: 0.1, value: 0.5 }))",
    "await new Promise((done) => setTimeout(done, 50))",
  ];
  const path = writeNotebook(
    stage,
    "t",
    "slider",
    `// %% id="a"\n${source.join("\n")}\n\n// %% id="b"\nconst twice = alpha * 2\nmd\`twice is \${twice.toFixed(1)}\`\n`,
  );
  const v = await Visitor.enter(stage, path);
  const other = await Visitor.enter(stage, path, { width: 390, dark: true });
  const [a, b] = [v.cell("a"), v.cell("b")];
  await v.page.getByRole("button", { name: "Run all" }).click();
  await b.getByText("twice is 1.0").waitFor();
  await v.see("Same as a clean run");
  const slider = a.getByRole("slider", { name: "alpha" });
  const there = other.cell("a").getByRole("slider", { name: "alpha" });
  await there.waitFor();
  expect([await slider.inputValue(), await there.inputValue(), await there.isDisabled()]).toEqual(["0.5", "0.5", true]);

  // keys, one after the other, without a pause for the runs
  await slider.evaluate((element) => ((element as HTMLElement & { mark?: number }).mark = 1));
  await slider.focus();
  for (let i = 0; i < 4; i++) await v.page.keyboard.press("ArrowRight");
  expect(await slider.inputValue()).toBe("0.9");
  await b.getByText("twice is 1.8").waitFor();
  await other.cell("b").getByText("twice is 1.8").waitFor();
  expect(await there.inputValue()).toBe("0.9");
  expect(await slider.evaluate((element) => [(element as HTMLElement & { mark?: number }).mark, element === document.activeElement])).toEqual([
    1,
    true,
  ]);

  // the pointer drags it while the cell runs again and again
  const box = (await slider.boundingBox())!;
  const at = (share: number) => [box.x + 8 + (box.width - 16) * share, box.y + box.height / 2] as const;
  await v.page.mouse.move(...at(0.9));
  await v.page.mouse.down();
  // where it stands in each frame, as its cell runs
  await slider.evaluate((element) => {
    const tops = ((element as HTMLElement & { tops?: Set<number> }).tops = new Set());
    const look = () => {
      tops.add(element.getBoundingClientRect().top);
      if (element.isConnected) requestAnimationFrame(look);
    };
    look();
  });
  for (let i = 1; i <= 40; i++) await v.page.mouse.move(...at(0.9 - 0.02 * i));
  expect(await slider.inputValue()).toBe("0.1");
  await b.getByText("twice is 0.2").waitFor();
  await v.ok(b);
  expect(await slider.inputValue()).toBe("0.1");
  await v.page.mouse.up();
  expect(await slider.evaluate((element) => (element as HTMLElement & { tops?: Set<number> }).tops!.size)).toBe(1);

  // the number beside it; what it does not take is said and changes nothing
  const number = a.getByRole("spinbutton", { name: "alpha, as a number" });
  await number.fill("0.35");
  await a.getByText("Give a number from 0 to 1, in steps of 0.1").waitFor();
  await number.fill("0.3");
  await b.getByText("twice is 0.6").waitFor();

  const badge = v.page.locator("details.badge");
  await badge.locator("summary").click();
  await badge.getByText("alpha is 0.3, not 0.5: a clean run of the file would differ").waitFor();
  await shot(v, "light");
  await shot(other, "narrow-dark");
  await badge.getByRole("button", { name: "Reset controls" }).click();
  await b.getByText("twice is 1.0").waitFor();
  await v.see("Same as a clean run");
  expect(await slider.inputValue()).toBe("0.5");

  // by its own button, and after a restart of the kernel
  await slider.focus();
  await v.page.keyboard.press("End");
  await b.getByText("twice is 2.0").waitFor();
  await v.page.keyboard.press("Control+k");
  await v.page.keyboard.type("Reset controls");
  await v.page.keyboard.press("Enter");
  await b.getByText("twice is 1.0").waitFor();
  await slider.fill("0.7");
  await b.getByText("twice is 1.4").waitFor();
  await a.getByRole("button", { name: "Reset alpha to 0.5" }).click();
  await b.getByText("twice is 1.0").waitFor();
  await other.leave();
  await v.leave();
});

it("every kind of control, by its label", async () => {
  const source = `const n = view(input.number({ label: "trees", min: 1, max: 500, value: 100 }))
const name = view(input.text({ label: "station", placeholder: "a name" }))
const notes = view(input.textarea({ label: "notes", rows: 2 }))
const log = view(input.checkbox({ label: "log scale" }))
const on = view(input.toggle({ label: "smooth", value: true }))
const kind = view(input.select({ label: "kernel", options: { Gaussian: "g", Triangular: "t" } }))
const months = view(input.select({ label: "months", options: ["January", "February", "March"], multiple: true }))
const years = view(input.select({ label: "years", options: Array.from({ length: 16 }, (_, i) => 2001 + i), multiple: true }))
const side = view(input.radio({ label: "side", options: ["left", "right"] }))
const day = view(input.date({ label: "from", value: "2016-01-31" }))
const again = view(input.button({ label: "Draw again" }))
console.log(JSON.stringify([n, name, notes, log, on, kind, months, years, side, day, again]))`;
  const path = writeNotebook(stage, "t", "kinds", `// %% id="a"\n${source}\n`);
  const v = await Visitor.enter(stage, path, { dark: true });
  const a = v.cell("a");
  await a.getByRole("button", { name: /^Run/ }).click();
  await v.ok(a);
  const shown = async (values: unknown[]) => {
    await a.locator("touch-text").getByText(JSON.stringify(values), { exact: true }).waitFor();
  };
  const day = "2016-01-31T00:00:00.000Z";
  await shown([100, "", "", false, true, "g", [], [], null, day, 0]);
  await a.getByLabel("trees", { exact: true }).fill("250");
  await a.getByLabel("station", { exact: true }).fill("Clark");
  await a.getByLabel("station", { exact: true }).press("Enter");
  await a.getByLabel("notes", { exact: true }).fill("two\nlines");
  await a.getByLabel("log scale", { exact: true }).check();
  await a.getByRole("switch", { name: "smooth" }).uncheck();
  await a.getByLabel("kernel", { exact: true }).selectOption("Triangular");
  await a.getByRole("group", { name: "months" }).getByLabel("March").check();
  await a.getByLabel("years", { exact: true }).selectOption(["2001", "2003"]);
  await a.getByRole("group", { name: "side" }).getByLabel("right").check();
  await a.getByLabel("from", { exact: true }).fill("2016-02-29");
  await a.getByRole("button", { name: "Draw again", exact: true }).click();
  await shown([250, "Clark", "two\nlines", true, false, "t", ["March"], [2001, 2003], "right", "2016-02-29T00:00:00.000Z", 1]);
  await shot(v, "kinds");
  // what does not count yet is taken back by Escape, and the focus stays
  const station = a.getByLabel("station", { exact: true });
  await station.fill("Clark and");
  await station.press("Escape");
  expect([await station.inputValue(), await station.evaluate((element) => element === document.activeElement)]).toEqual(["Clark", true]);
  await a.getByLabel("More for cell 1").click();
  await a.getByRole("button", { name: "Disable" }).click();
  await expect.poll(() => station.isDisabled()).toBe(true);
  await v.page.setViewportSize({ width: 390, height: 900 });
  await shot(v, "kinds-narrow");
  await v.leave();
});
