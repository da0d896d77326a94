/** The journeys of ui.md 9 that concern notebooks, in gestures. Each ends with axe and an empty console. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openStage, Visitor, writeNotebook, type Stage } from "../support/journey.js";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

const file = (workspace: string, name: string): string => readFileSync(join(stage.root, "workspaces", workspace, `${name}.nb.ts`), "utf8");

it("2. a new notebook, one plus one, and it is still there", async () => {
  const v = await Visitor.enter(stage);
  await v.page
    .getByRole("button", { name: /New notebook/ })
    .first()
    .click();
  const name = v.page.getByRole("dialog").getByRole("textbox").first();
  await name.fill("sums");
  await v.page.keyboard.press("Enter");
  await v.cells().first().waitFor();
  await v.type(v.cells().first(), "1 + 1");
  await v.page.keyboard.press("Shift+Enter");
  await v.ok(v.cells().first());
  expect((await v.cells().first().locator("touch-output").innerText()).trim()).toBe("2");
  await v.cells().nth(1).locator(".monaco-editor.focused").waitFor({ state: "attached" });
  expect(await v.cells().count()).toBe(2);
  await v.page.reload();
  await v.cells().first().waitFor();
  await v.cells().first().locator("touch-output").waitFor();
  expect((await v.cells().first().locator("touch-output").innerText()).trim()).toBe("2");
  await v.leave();
});

it("3. an endless loop is stopped and the variables are kept", async () => {
  const path = writeNotebook(stage, "j", "loop", `// %% id="a"\nconst kept = 41\n\n// %% id="b"\n0\n\n// %% id="c"\nkept + 1\n`);
  const v = await Visitor.enter(stage, path);
  await v.cell("a").getByRole("button", { name: /^Run/ }).click();
  await v.ok(v.cell("a"));
  await v.type(v.cell("b"), "while (true) {}");
  await v.page.keyboard.press("Control+Enter");
  await v.state(v.cell("b"), { status: "running" });
  await v
    .cell("b")
    .getByText(/running/)
    .waitFor();
  await v.cell("b").getByRole("button", { name: "Stop", exact: true }).click();
  await v.state(v.cell("b"), { status: "idle", result: "interrupted" });
  await v
    .cell("b")
    .getByText(/interrupted/)
    .waitFor();
  await v.cell("c").getByRole("button", { name: /^Run/ }).click();
  await v.ok(v.cell("c"));
  expect((await v.cell("c").locator("touch-output").innerText()).trim()).toBe("42");
  await v.leave();
});

it("4. a run goes on without its page, and every line is there for another viewer", async () => {
  const code = `for (let i = 0; i < 60; i++) {\n  console.log("line " + i)\n  await new Promise((next) => setTimeout(next, 100))\n}`;
  const path = writeNotebook(stage, "j", "long", `// %% id="a"\n${code}\n`);
  const first = await Visitor.enter(stage, path);
  await first.cell("a").getByRole("button", { name: /^Run/ }).click();
  await first.state(first.cell("a"), { status: "running" });
  await first.cell("a").getByText("line 5", { exact: false }).waitFor();
  await first.context.close();
  const second = await Visitor.enter(stage, path);
  const third = await Visitor.enter(stage, path);
  await second.state(second.cell("a"), { status: "running" });
  await second
    .cell("a")
    .getByText(/running 0:0\d/)
    .waitFor();
  for (const viewer of [second, third]) {
    await viewer.ok(viewer.cell("a"));
    const text = await viewer.cell("a").locator("touch-output").innerText();
    expect([...text.matchAll(/line (\d+)/g)].map((m) => Number(m[1]))).toEqual(Array.from({ length: 60 }, (_, i) => i));
  }
  await third.page.getByRole("button", { name: "Take over" }).waitFor();
  await third.leave();
  await second.leave();
});

it("5. two windows show the same text and the same results, with the name of the writer", async () => {
  const path = writeNotebook(stage, "j", "two", `// %% id="a"\nconst a = 1\n\n// %% id="b"\na + 1\n`);
  const ana = await Visitor.enter(stage, path);
  await ana.page.evaluate(() => localStorage.setItem("touchstone.name", "Ana"));
  await ana.page.reload();
  await ana.cell("a").waitFor();
  const ben = await Visitor.enter(stage, path);
  await ben.see(/Ana is writing; you see every change/);
  await ana.caret(ana.cell("a"));
  await ana.page.keyboard.press("Control+End");
  // from the key press in one window to the text in the other
  const seen = ben.page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const look = () => {
          const element = document.querySelector('touch-cell[data-cell="a"]') as unknown as { cell: { source: string } };
          if (element.cell.source === "const a = 10") resolve(Date.now());
          else requestAnimationFrame(look);
        };
        look();
      }),
  );
  await ana.page.keyboard.press("0");
  await seen;
  await ben.cell("a").getByText("10").waitFor();
  await ana.page.keyboard.press("Escape");
  await ana.cell("b").getByRole("button", { name: /^Run/ }).click();
  for (const v of [ana, ben]) {
    await v.ok(v.cell("b"));
    await expect.poll(async () => (await v.cell("b").locator("touch-output").innerText()).trim()).toBe("11");
  }
  await ben.page.getByRole("button", { name: "Take over" }).click();
  await ana.see(/Another window is writing/);
  await ben.type(ben.cell("a"), "const a = 20");
  await expect.poll(() => ana.source("a")).toBe("const a = 20");
  await ana.leave();
  await ben.leave();
});

it("25. typing goes on without a network, and the file has every character afterwards", async () => {
  const path = writeNotebook(stage, "j", "offline", `// %% id="a"\nconst a = 1\n`);
  const v = await Visitor.enter(stage);
  let down = false;
  const lines: { close(): Promise<void> }[] = [];
  await v.page.routeWebSocket(/\/api\/ts\/notebook/, (socket) => {
    if (down) return void socket.close({ code: 1012 });
    const server = socket.connectToServer();
    lines.push({ close: () => Promise.all([socket.close({ code: 1012 }), server.close()]).then(() => {}) });
  });
  await v.goto(path);
  await v.caret(v.cell("a"));
  await v.page.keyboard.press("Control+End");
  await v.page.keyboard.type("2");
  await expect.poll(() => file("j", "offline"), { timeout: 20_000 }).toContain("const a = 12");
  down = true;
  await Promise.all(lines.splice(0).map((line) => line.close()));
  await v.page.keyboard.type(" + 3 /* typed while");
  await v.see(/Connection lost\. Cells keep running on the server; your edits are kept here/);
  await v.page.keyboard.type(" nobody listened */");
  expect(await v.source("a")).toBe("const a = 12 + 3 /* typed while nobody listened */");
  expect(file("j", "offline")).toContain("const a = 12\n");
  // ten seconds without a network are two failed attempts and more
  await v.page.getByText(/Trying again in [4-8] s/).waitFor({ timeout: 30_000 });
  down = false;
  await v.page.getByRole("button", { name: "Try now" }).click();
  await v.see(/^Back\./);
  await v.caret(v.cell("a"));
  await v.page.keyboard.press("Control+End");
  await v.page.keyboard.type(" - 4");
  await expect.poll(() => file("j", "offline"), { timeout: 20_000 }).toContain("const a = 12 + 3 /* typed while nobody listened */ - 4\n");
  await v.leave();
});

it("6. lazy mode marks what depends on a change and runs only that", async () => {
  const path = writeNotebook(
    stage,
    "j",
    "lazy",
    `// ---\n// mode: lazy\n// ---\n\n// %% id="cut"\nconst cutoff = 1\n\n// %% id="b"\nconst b = cutoff + 1\nb\n\n// %% id="c"\nconst c = b + 1\nc\n\n// %% id="d"\nc * 2\n\n// %% id="other"\nDate.now()\n`,
  );
  const v = await Visitor.enter(stage, path);
  await v.cells().first().waitFor();
  await v.page.keyboard.press("Control+k");
  await v.page.keyboard.insertText("run all");
  await v.page.keyboard.press("Enter");
  for (const id of ["cut", "b", "c", "d", "other"]) await v.ok(v.cell(id));
  await v.see("Same as a clean run");
  const before = await v.cell("other").locator("touch-output").innerText();
  await v.type(v.cell("cut"), "const cutoff = 10");
  await v.page.keyboard.press("Control+Enter");
  await v.ok(v.cell("cut"));
  for (const id of ["b", "c", "d"]) await v.state(v.cell(id), { stale: true });
  await v
    .cell("b")
    .getByText(/stale: .*cutoff.* changed/)
    .waitFor();
  await v.see("3 cells stale");
  await v.page
    .getByRole("button", { name: /Run stale/ })
    .first()
    .click();
  for (const id of ["b", "c", "d"]) await v.state(v.cell(id), { status: "idle", result: "ok", stale: false });
  expect((await v.cell("d").locator("touch-output").innerText()).trim()).toBe("24");
  expect(await v.cell("other").locator("touch-output").innerText()).toBe(before);
  await v.leave();
});

it("7. a name defined twice is an error on both, and one press renames", async () => {
  const path = writeNotebook(stage, "j", "clash", `// %% id="a"\nconst x = 1\nx + 1\n\n// %% id="b"\nconst x = 5\nx * 2\n`);
  const v = await Visitor.enter(stage, path);
  await v
    .cell("a")
    .getByText(/also defined in cell/)
    .waitFor();
  await v
    .cell("b")
    .getByText(/also defined in cell/)
    .waitFor();
  await v.cell("b").getByRole("button", { name: "Rename here" }).click();
  await v
    .cell("a")
    .getByText(/also defined in cell/)
    .waitFor({ state: "detached" });
  await v
    .cell("b")
    .getByText(/also defined in cell/)
    .waitFor({ state: "detached" });
  expect(await v.source("b")).toBe("const x2 = 5\nx2 * 2");
  expect(await v.source("a")).toBe("const x = 1\nx + 1");
  await v.leave();
});

it("8. ten million rows scroll and sort as ten do", async () => {
  const path = writeNotebook(stage, "j", "rows", `// %% [sql] id="q"\nconst many = sql\`select * from range(10000000) t(id)\`\nmany\n`);
  const v = await Visitor.enter(stage, path);
  await v.cell("q").getByRole("button", { name: /^Run/ }).click();
  await v.ok(v.cell("q"));
  const grid = v.cell("q").locator("touch-grid");
  const rows = grid.locator("tbody td");
  await rows.first().waitFor();
  const text = async (at: "first" | "last"): Promise<number> =>
    Number(
      (await rows.allInnerTexts())
        .filter((t) => t.trim() !== "")
        .at(at === "first" ? 0 : -1)!
        .replace(/\D/g, ""),
    );
  await rows.first().click();
  await v.page.keyboard.press("Control+End");
  await expect.poll(() => text("last"), { timeout: 20_000 }).toBe(9_999_999);
  const top = await text("first");
  await rows.first().hover();
  await v.page.mouse.wheel(0, -100);
  await expect.poll(() => text("first"), { timeout: 20_000 }).toBeLessThan(top);
  expect(top - (await text("first"))).toBeLessThan(10);
  const header = grid.locator("thead th", { hasText: "id" }).first();
  await header.click();
  await expect.poll(() => text("first"), { timeout: 20_000 }).toBe(0);
  await header.click();
  await expect.poll(() => text("first"), { timeout: 20_000 }).toBe(9_999_999);
  await v.leave();
});

const small = `// %% [sql] id="days"
const days = sql\`select date, ridership from 'data/chicago-ridership.csv' order by date\`

// %% id="split"
const parts = days.split({ by: "time", key: "date", cut: ["2013-09-01", "2014-09-01"] })
`;

it("10 and 11. a baseline from the insert menu, its form and its code", async () => {
  const path = writeNotebook(stage, "ridership", "form", small);
  const v = await Visitor.enter(stage, path);
  await v.cell("days").waitFor();
  await v.cell("split").getByRole("button", { name: /^Run/ }).click();
  await v.ok(v.cell("split"));
  await v.cell("split").locator("article").first().focus();
  await v.page.keyboard.press("Escape");
  await v.page.keyboard.press("b");
  await v.page.keyboard.press("Escape");
  await v.page.keyboard.press("/");
  await v.page.keyboard.insertText("base");
  await v.page.keyboard.press("Enter");
  const cell = v.page.locator('touch-cell[data-kind="baseline"]');
  await cell.waitFor();
  const id = (await cell.getAttribute("data-cell"))!;
  expect(await v.source(id)).toMatch(/split: parts/);
  expect(await v.source(id)).toMatch(/target: "ridership"/);
  await cell.locator("article").first().focus();
  await v.page.keyboard.press("Control+Enter");
  await v.ok(cell, 60_000);
  await cell.getByText(/The number to beat is/).waitFor();

  // 11: form and code are two views of one text
  await v.page.keyboard.press("t");
  await cell.locator("touch-editor").waitFor();
  await v.type(
    cell,
    `// a remark that stays\nconst floor = await baseline({ split: parts, /* here */ task: { kind: "forecast", target: "ridership", time: "date", season: 30, horizon: 1 } })`,
  );
  await v.page.keyboard.press("Control+A");
  await v.page.keyboard.press("End");
  const before = await v.source(id);
  await v.type(cell, before.replace("season: 30", "season: 7"));
  await v.page.keyboard.press("Escape");
  await v.page.keyboard.press("t");
  const season = cell.getByLabel(/Season/i).first();
  await season.waitFor();
  // the server reads the call after the last stroke has arrived
  await expect.poll(() => season.inputValue(), { timeout: 20_000 }).toBe("7");
  const horizon = cell.getByLabel(/Horizon/i).first();
  await horizon.fill("14");
  await horizon.press("Tab");
  await expect.poll(() => v.source(id), { timeout: 20_000 }).toBe(before.replace("season: 30", "season: 7").replace("horizon: 1 ", "horizon: 14 "));
  await v.leave();
});

it("18. the A/B plan says users, days and false alarms, and a smaller effect needs 3.9 times the users", async () => {
  const v = await Visitor.enter(stage, writeNotebook(stage, "j", "ab", `// %% id="a"\n1\n`));
  await v.cell("a").locator("article").first().focus();
  for (const key of ["Escape", "b", "Escape", "/"]) await v.page.keyboard.press(key);
  await v.page.keyboard.insertText("A/B");
  await v.page.keyboard.press("Enter");
  const cell = v.page.locator('touch-cell[data-kind="ab-test"]');
  await cell.locator("article").first().focus();
  await v.page.keyboard.press("Control+Enter");
  await v.ok(cell, 60_000);
  // "You need 14,7.. keys an arm ..., about 9 days at 5,000 a day (12,.. if read only once)"
  const result = cell.locator("touch-result");
  const plan = async (): Promise<number[]> => {
    const said = /You need ([\d,]+) keys an arm .*?, about ([\d,]+) days at 5,000 a day \(([\d,]+) /.exec((await result.textContent())!);
    return said === null ? [] : said.slice(1).map((digits) => Number(digits.replaceAll(",", "")));
  };
  const [users, days, once] = await plan();
  // the fixed size, with the variance of each arm: statsmodels' normal approximation gives 14,749; being free to stop any day costs more
  expect(once).toBe(14_749);
  expect(users).toBeGreaterThan(once!);
  expect(days).toBe(Math.ceil((2 * users!) / 5000));
  const [power, alarms] = [result.locator("touch-plot").first(), result.locator("touch-plot").nth(1)];
  await expect.poll(() => power.locator(".scatterlayer .trace").count()).toBe(3);
  // when nothing differs: each bar by its own words
  await expect.poll(() => alarms.locator(".bartext").count()).toBe(3);
  expect((await alarms.locator(".xtick").allTextContents()).filter((text) => text !== "")).toEqual([
    "one look at the end",
    "a look each day",
    "sequential",
  ]);
  const [one, daily, sequential] = (await alarms.locator(".bartext").allTextContents()).map((text) => Number(/^([\d.]+) %$/.exec(text)![1]));
  expect(one).toBeGreaterThanOrEqual(3);
  expect(one).toBeLessThanOrEqual(7);
  expect(daily).toBeGreaterThan(10);
  expect(sequential).toBeLessThanOrEqual(6);
  const lift = cell.getByLabel("Smallest effect");
  await lift.fill("0.05");
  await lift.press("Tab");
  await cell.locator("article").first().focus();
  await v.page.keyboard.press("Control+Enter");
  await expect.poll(async () => ((await plan())[0] ?? 0) / users!, { timeout: 60_000 }).toBeCloseTo(3.9, 1);
  await v.leave();
});

it("21. the palette restarts the kernel and turns the page dark, with the caret in an editor", async () => {
  const path = writeNotebook(stage, "j", "palette", `// %% id="a"\nconst x = 1\nx\n`);
  const v = await Visitor.enter(stage, path);
  await v.cell("a").getByRole("button", { name: /^Run/ }).click();
  await v.ok(v.cell("a"));
  await v.caret(v.cell("a"));
  await v.page.keyboard.press("Control+k");
  await v.page.keyboard.insertText("restart");
  await v.page.keyboard.press("Enter");
  const confirm = v.page.getByRole("button", { name: /^Restart/ });
  await confirm.first().waitFor();
  await v.page.keyboard.press("Enter");
  await v.see(/Restarted/);
  expect((await v.cell("a").locator("touch-output").innerText()).trim()).toContain("1");
  await v.page.getByText("Same as a clean run").waitFor({ state: "detached" });
  await v.page.keyboard.press("Control+k");
  await v.page.keyboard.insertText("dark");
  await v.page.keyboard.press("Enter");
  await v.page.waitForFunction(() => document.documentElement.dataset["theme"] === "dark");
  await v.leave();
});

it("22. a killed kernel is explained, outputs stay, and one press brings the notebook back to that cell", async () => {
  const path = writeNotebook(stage, "j", "death", `// %% id="a"\nconst x = 20\nx\n\n// %% id="b"\nx + 1\n\n// %% id="boom"\n0\n`);
  const v = await Visitor.enter(stage, path);
  await v.cell("b").getByRole("button", { name: /^Run/ }).click();
  await v.ok(v.cell("b"));
  // a curve has two samples, which come one a second
  await v.page.waitForFunction(() => (document.querySelector(".spark polyline")?.getAttribute("points") ?? "").split(" ").length >= 2);
  await v.type(v.cell("boom"), "process.kill(process.pid, 'SIGKILL')");
  await v.page.keyboard.press("Control+Enter");
  await v.see(/The kernel stopped in cell/);
  await v.see(/SIGKILL|signal 9/);
  await v.page.getByRole("img", { name: /memory of the last/ }).waitFor();
  expect((await v.cell("b").locator("touch-output").innerText()).trim()).toBe("21");
  await v.type(v.cell("boom"), "x + 2");
  await v.page.getByRole("button", { name: /Restart and run to/ }).click();
  await v.ok(v.cell("boom"));
  expect((await v.cell("boom").locator("touch-output").innerText()).trim()).toBe("22");
  await v.leave();
});

it("a native call that does not yield is told, waited for, and ended by a restart", async () => {
  const source = `import { execFileSync } from "node:child_process"\nexecFileSync("sleep", ["60"])`;
  const path = writeNotebook(stage, "j", "native", `// %% id="a"\n${source}\n\n// %% id="b"\n1 + 1\n`);
  const v = await Visitor.enter(stage, path);
  await v.cell("a").getByRole("button", { name: /^Run/ }).click();
  await v.state(v.cell("a"), { status: "running" });
  await v.cell("a").getByRole("button", { name: "Stop", exact: true }).click();
  await v.see(/The stop has no effect yet: a native call does not yield.* Restart in \d+ s/);
  await v.page.getByRole("button", { name: "Keep waiting" }).click();
  await v.see(/Waiting until it returns/);
  await v.page.getByRole("button", { name: "Restart now" }).click();
  await v.state(v.cell("a"), { status: "idle", result: "interrupted" });
  await v.cell("b").getByRole("button", { name: /^Run/ }).click();
  await v.ok(v.cell("b"));
  await v.leave();
});

it("16. the copied curl answers, and the page counts the request", async () => {
  const path = writeNotebook(
    stage,
    "ridership",
    "serve",
    `${small}
// %% [baseline] id="floor"
const floor = await baseline({ split: parts, task: { kind: "forecast", target: "ridership", time: "date", season: 7, horizon: 1 }, metric: "MAE" })

// %% [promote] id="promote"
const live = await promote({ name: "riders", model: floor.bar, against: floor })
`,
  );
  const v = await Visitor.enter(stage, path);
  await v.cells().first().waitFor();
  await v.cell("promote").getByRole("button", { name: /^Run/ }).click();
  await v.ok(v.cell("promote"), 120_000);
  await v
    .cell("promote")
    .getByRole("button", { name: /^Promote riders/ })
    .click();
  await v
    .cell("promote")
    .getByText(/is live at/)
    .waitFor({ timeout: 60_000 });
  await v.goto("/models/riders/live");
  await v.page.getByText("curl", { exact: false }).first().waitFor();
  const command = await v.page.locator("pre, code").filter({ hasText: "curl" }).first().innerText();
  const count = async (): Promise<number> => {
    const { models } = (await (await stage.server.fetch("/api/ts/models")).json()) as { models: { name: string; traffic: { requests: number } }[] };
    return models.find((model) => model.name === "riders")!.traffic.requests;
  };
  const before = await count();
  // not the synchronous form: the server lives in this process and must answer
  const { stdout: answer } = await promisify(execFile)("sh", ["-c", command.replace(/^\$ /, "")]);
  expect((JSON.parse(answer) as { predictions: unknown[] }).predictions).toHaveLength(1);
  await expect.poll(count, { timeout: 10_000 }).toBe(before + 1);
  await v.leave();
  expect(file("ridership", "serve")).toContain("riders");
});
