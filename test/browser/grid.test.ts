/** The grid: ten thousand columns, search, the columns in numbers, a long sort that is stopped, by keyboard and for readers. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openStage, Visitor, writeNotebook, type Stage } from "../support/journey.js";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

async function run(name: string, source: string, kind = ""): Promise<{ v: Visitor; cell: ReturnType<Visitor["cell"]> }> {
  const v = await Visitor.enter(stage, writeNotebook(stage, "t", name, `// %% ${kind}id="a"\n${source}\n`));
  const cell = v.cell("a");
  await cell.getByRole("button", { name: /^Run/ }).click();
  await v.ok(cell, 60_000);
  return { v, cell };
}

it("shows some columns of ten thousand, and goes to any by name, by key and by button", async () => {
  const { v, cell } = await run(
    "wide",
    "relation(Array.from({ length: 20 }, (_, r) => Object.fromEntries(Array.from({ length: 10_000 }, (_, c) => [`c${c}`, r * 10_000 + c]))))",
  );
  const grid = cell.getByRole("grid");
  const foot = cell.locator(".grid-foot");
  await grid.getByRole("columnheader", { name: /^c29/ }).waitFor();
  expect(await grid.getByRole("columnheader").count()).toBeLessThan(35);
  expect(await grid.getAttribute("aria-colcount")).toBe("10001");
  await foot.getByText("20 rows · 10,000 columns").waitFor();
  await cell.getByLabel("Go to column").fill("c9000");
  await cell.getByLabel("Go to column").press("Enter");
  const head = grid.getByRole("columnheader", { name: /^c9000/ });
  await head.waitFor();
  expect(await head.getAttribute("aria-colindex")).toBe("9002");
  const value = grid.getByRole("gridcell", { name: "9000", exact: true });
  await value.waitFor();
  expect(await grid.getAttribute("aria-activedescendant")).toBe(await value.getAttribute("id"));
  // the keys know all columns
  await grid.focus();
  await v.page.keyboard.press("ArrowDown");
  await v.page.keyboard.press("End");
  await grid.getByRole("gridcell", { name: "19999", exact: true }).waitFor();
  await v.page.keyboard.press("Home");
  await grid.getByRole("gridcell", { name: "10000", exact: true }).waitFor();
  await cell.getByRole("button", { name: "Columns after" }).click();
  await cell.getByText("columns 31 to 60 of 10,000").waitFor();
  await grid.getByRole("gridcell", { name: "10059", exact: true }).waitFor();
  // a sort by a column that is far away, and the values of the columns on show
  await cell.getByLabel("Go to column").fill("c5000");
  await cell.getByLabel("Go to column").press("Enter");
  await grid.focus();
  await v.page.keyboard.press("s");
  await v.page.keyboard.press("s");
  await foot.getByText("sorted by c5000 down").waitFor();
  await grid.getByRole("gridcell", { name: "195000", exact: true }).waitFor();
  await cell.getByPlaceholder("Search all columns").fill("159999");
  await foot.getByText("1 row · 10,000 columns").waitFor();
  const [file] = await Promise.all([v.page.waitForEvent("download"), cell.getByRole("button", { name: "Download CSV" }).click()]);
  const lines = readFileSync(await file.path(), "utf8")
    .trim()
    .split("\n");
  expect([lines.length, lines[0]!.split(",").length, lines[1]!.split(",").at(-1)]).toEqual([2, 10_000, "159999"]);
  await v.leave();
});

it("searches all columns, tells the columns in numbers, and gives the rows as Parquet", async () => {
  const { v, cell } = await run(
    "search",
    "const t = sql`select i as id, case when i % 4 = 0 then null else 'word ' || i % 50 end as w, i / 8 as x, date '2001-01-01' + (i % 90)::integer as day from range(5000) r(i)`",
    "[sql] ",
  );
  const grid = cell.getByRole("grid");
  const foot = cell.locator(".grid-foot");
  await grid.focus();
  await v.page.keyboard.press("/");
  await v.page.keyboard.type("WORD 49");
  await v.page.keyboard.press("Enter");
  await foot.getByText("100 rows · 4 columns").waitFor();
  await grid.getByRole("gridcell", { name: "word 49" }).first().waitFor();
  await cell.getByRole("button", { name: "Summary" }).click();
  const summary = cell.getByRole("region", { name: "Summary of columns" });
  const row = (name: RegExp) => summary.getByRole("row", { name });
  await row(/^id bigint/).waitFor();
  await expect
    .poll(async () => (await row(/^w varchar/).innerText()).replace(/\s+/g, " "))
    .toMatch(/^w varchar .*none 1 word 49 word 49 100 % word 49$/);
  await v.page.keyboard.press("Escape");
  await cell.getByPlaceholder("Search all columns").fill("");
  await foot.getByText("5,000 rows · 4 columns").waitFor();
  await expect.poll(async () => (await row(/^w varchar/).innerText()).replace(/\s+/g, " ")).toContain("1,250 (25 %)");
  expect((await row(/^id bigint/).innerText()).replace(/\s+/g, " ")).toMatch(/none .*5,000 0 249\.95 1249\.8 2499\.5 3749\.3 4749\.1 4999/);
  expect((await row(/^day date/).innerText()).replace(/\s+/g, " ")).toContain("2001-01-01");
  const [file] = await Promise.all([v.page.waitForEvent("download"), cell.getByRole("button", { name: "Parquet" }).click()]);
  expect(
    readFileSync(await file.path())
      .subarray(0, 4)
      .toString(),
  ).toBe("PAR1");
  // what cannot be searched so is told, and the rows stay
  await cell.getByRole("button", { name: "Filter w" }).click();
  await cell.getByLabel("contains").fill("(");
  await cell.getByRole("checkbox", { name: "regular expression" }).check();
  await cell.getByRole("button", { name: "Apply" }).click();
  await cell.getByRole("alert").filter({ hasText: "missing )" }).waitFor();
  await foot.getByText("5,000 rows · 4 columns").waitFor();
  await v.leave();
});

it("a long sort says how far it is; stopped, the rows are as they were", async () => {
  const { v, cell } = await run("long", "const long = sql`select i as id, md5(i::varchar) as m from range(30000000) t(i)`", "[sql] ");
  const grid = cell.getByRole("grid");
  await grid.getByRole("gridcell", { name: "0", exact: true }).waitFor();
  await grid.getByRole("columnheader", { name: /^m/ }).click();
  const bar = cell.getByRole("progressbar", { name: "sorting" });
  await bar.waitFor();
  await cell.getByText(/sorting, \d+ %/).waitFor();
  // the rows before it are still there
  expect(await grid.getByRole("gridcell", { name: "0", exact: true }).count()).toBe(1);
  await cell.getByRole("button", { name: "Stop", exact: true }).click();
  await bar.waitFor({ state: "detached" });
  expect(await grid.getByRole("columnheader", { name: /^m/ }).getAttribute("aria-sort")).toBe("none");
  await cell.getByLabel("Go to row").fill("500");
  await cell.getByLabel("Go to row").press("Enter");
  await grid.getByRole("gridcell", { name: "500", exact: true }).waitFor();
  await v.leave();
});

it("keeps its rows when the kernel ends, and says calmly how to get the table back", async () => {
  const text = `// %% [sql] id="a"\nconst t = sql\`select i as id from range(5000) r(i)\`\n\n// %% id="boom"\nprocess.kill(process.pid, "SIGKILL")\n`;
  const v = await Visitor.enter(stage, writeNotebook(stage, "t", "ended", text));
  const cell = v.cell("a");
  await cell.getByRole("button", { name: /^Run/ }).click();
  await v.ok(cell, 60_000);
  await cell.getByText("5,000 rows · 1 column").waitFor();
  await v.cell("boom").getByRole("button", { name: /^Run/ }).click();
  await v.see(/The kernel stopped in cell/);
  await cell.getByLabel("Go to row").fill("4000");
  await cell.getByLabel("Go to row").press("Enter");
  const hint = cell.getByText(/The kernel that held this table has ended/);
  await hint.waitFor();
  expect(await cell.getByRole("alert").count()).toBe(0);
  expect(await cell.getByText(/counting rows/).count()).toBe(0);
  await cell.getByLabel("Go to row").fill("0");
  await cell.getByLabel("Go to row").press("Enter");
  await cell.getByRole("grid").getByRole("gridcell", { name: "0", exact: true }).waitFor();
  await cell.getByRole("button", { name: /^Run/ }).click();
  await hint.waitFor({ state: "detached" });
  await v.leave();
});

it("selects cells by keys and by the pointer, and copies them as a spreadsheet reads them", async () => {
  const { v, cell } = await run("range", "relation(Array.from({ length: 60 }, (_, i) => ({ n: i, s: i === 1 ? 'a\\tb' : `s${i}`, x: i / 2 })))");
  await v.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const clip = () => v.page.evaluate(() => navigator.clipboard.readText());
  const grid = cell.getByRole("grid");
  const said = cell.locator("touch-grid [role=status]");
  await grid.getByRole("gridcell", { name: "s0", exact: true }).waitFor();
  await grid.focus();
  await v.page.keyboard.press("Shift+ArrowDown");
  await v.page.keyboard.press("Shift+ArrowRight");
  await said.getByText("2 rows by 2 columns selected").waitFor({ state: "attached" });
  expect(await grid.locator("td[aria-selected=true]").allInnerTexts()).toEqual(["0", "s0", "1", "a b"]);
  await v.page.keyboard.press("Control+c");
  await said.getByText("copied: 2 rows by 2 columns").waitFor({ state: "attached" });
  expect(await clip()).toBe('0\ts0\n1\t"a\tb"');
  // rows that are not in the window come from the kernel, in the order on show
  await v.page.keyboard.press("Escape");
  expect(await grid.locator("td[aria-selected=true]").count()).toBe(1);
  await v.page.keyboard.press("Home");
  await v.page.keyboard.press("s");
  await v.page.keyboard.press("s");
  await grid.getByRole("gridcell", { name: "s59", exact: true }).waitFor();
  await v.page.keyboard.press("Control+ ");
  await said.getByText("60 rows by 1 column selected").waitFor({ state: "attached" });
  await v.page.keyboard.press("Control+c");
  await said.getByText("copied: 60 rows by 1 column").waitFor({ state: "attached" });
  expect(await clip()).toBe(Array.from({ length: 60 }, (_, i) => 59 - i).join("\n"));
  await grid.getByRole("gridcell", { name: "s58", exact: true }).click();
  await grid.getByRole("gridcell", { name: "28", exact: true }).click({ modifiers: ["Shift"] });
  await said.getByText("3 rows by 2 columns selected").waitFor({ state: "attached" });
  if (process.env["SHOTS"]) {
    for (const colorScheme of ["light", "dark"] as const) {
      await v.page.emulateMedia({ colorScheme });
      await v.page.screenshot({ path: `${process.env["SHOTS"]}/range-${colorScheme}.png` });
    }
    await v.page.setViewportSize({ width: 400, height: 800 });
    await v.page.screenshot({ path: `${process.env["SHOTS"]}/range-narrow.png` });
  }
  await v.page.keyboard.press("Escape");
  await v.page.keyboard.press("Control+a");
  await said.getByText("60 rows by 3 columns selected").waitFor({ state: "attached" });
  await v.context.close();
});
