/** `prompt()` in the page: a field below the cell, by mouse and keys, on every page that is connected. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { openStage, Visitor, writeNotebook, type Stage } from "../support/journey.js";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

it("asks below the cell; Enter sends, Escape and Stop end the waiting, other pages see it", async () => {
  const source = [`const name = await prompt("What is your name?")`, "console.log(`hello ${name}`)"].join("\n");
  const path = writeNotebook(stage, "t", "prompt", `// %% id="a"\n${source}\n\n// %% id="b"\n(await prompt("Key", { password: true })).length\n`);
  const v = await Visitor.enter(stage, path);
  const other = await Visitor.enter(stage, path, { width: 390, dark: true });
  const [cell, there] = [v.cell("a"), other.cell("a")];
  const field = cell.getByRole("textbox", { name: "What is your name?" });
  const run = async () => {
    await cell.getByRole("button", { name: /^Run/ }).click();
    await field.waitFor();
    // it has the focus: one may type at once
    await expect.poll(() => field.evaluate((element) => element === document.activeElement)).toBe(true);
  };
  await run();
  await v.see(/waits for your answer/);
  await v.page.locator("#outline").getByRole("img", { name: "waits for your answer" }).waitFor();
  await there.getByRole("textbox", { name: "What is your name?" }).waitFor();
  await expect.poll(() => v.page.locator("#polite").textContent()).toContain("Cell 1 asks: What is your name?");
  await v.page.keyboard.type("Ada");
  await v.page.keyboard.press("Enter");
  await cell.getByText("hello Ada").waitFor();
  expect(await there.getByRole("textbox", { name: "What is your name?" }).count()).toBe(0);
  // the keys go to the cell again
  expect(await cell.locator("> article").evaluate((element) => element === document.activeElement)).toBe(true);

  await run();
  await v.page.keyboard.press("Escape");
  await cell.getByText('the question "What is your name?" was not answered').first().waitFor();

  await run();
  await cell.getByRole("button", { name: "Stop" }).click();
  await v.state(cell, { status: "idle", result: "interrupted" });
  expect(await field.count()).toBe(0);

  // the other page answers, which does not write
  await run();
  await there.getByRole("textbox").last().fill("Bob");
  await there.getByRole("button", { name: "Send" }).click();
  await cell.getByText("hello Bob").waitFor();

  const secret = v.cell("b");
  await secret.getByRole("button", { name: /^Run/ }).click();
  const key = secret.getByLabel("Key");
  await key.waitFor();
  expect(await key.getAttribute("type")).toBe("password");
  await other.cell("b").getByLabel("Key").waitFor();
  await other.leave();
  await key.fill("s3cret");
  await secret.getByRole("button", { name: "Send" }).click();
  await secret.getByText("6", { exact: true }).waitFor();
  expect(await v.page.content()).not.toContain("s3cret");
  await v.leave();
});
