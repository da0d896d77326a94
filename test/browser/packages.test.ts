/** Packages of the workspace, by gestures: the offer below a failed import, the panel, npm at work with its way out, what a failure says. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openStage, Visitor, writeNotebook, type Stage } from "../support/journey.js";
import { startRegistry, type Registry } from "../support/registry.js";

let stage: Stage;
let registry: Registry;
beforeAll(async () => {
  const files = (name: string, licence: string) => ({
    "package.json": JSON.stringify({ name, version: "1.2.3", main: "i.js", license: licence, description: `What ${name} does` }),
    "i.js": `exports.two = 2`,
  });
  registry = await startRegistry(
    { "fixture-one": files("fixture-one", "MIT"), "fixture-two": files("fixture-two", "ISC"), "fixture-slow": files("fixture-slow", "MIT") },
    // never answered
    (path) => (path === "fixture-slow" ? new Promise(() => {}) : undefined),
  );
  stage = await openStage();
});
afterAll(async () => {
  await stage?.close();
  registry?.close();
});

it("a missing package is installed from below the cell; the panel adds, shows, cancels, removes and says what fails", async () => {
  const path = writeNotebook(stage, "pk", "pk", `// %% id="a"\nimport { two } from "fixture-one"\ntwo + 40\n\n// %% id="b"\nconst late = 1\n`);
  const folder = join(stage.root, "workspaces", "pk");
  writeFileSync(join(folder, ".npmrc"), `registry=${registry.url}\ncache=${join(stage.root, "cache")}\n`);
  const manifest = () => readFileSync(join(folder, "package.json"), "utf8");
  const v = await Visitor.enter(stage, path);
  await v.cell("a").getByRole("button", { name: /^Run/ }).click();
  await v.state(v.cell("a"), { status: "idle", result: "error" });
  await v.cell("a").getByRole("button", { name: "install fixture-one" }).click();
  await v.see("Installed fixture-one 1.2.3.");
  await v.ok(v.cell("a"));
  await v.cell("a").getByText("42").waitFor();

  await v.page.keyboard.press("Control+k");
  await v.page.keyboard.type("packages");
  await v.page.keyboard.press("Enter");
  const panel = v.page.getByRole("tabpanel", { name: "Packages" });
  const row = (name: string) => panel.getByRole("listitem").filter({ hasText: name });
  await row("fixture-one").getByText("1.2.3", { exact: true }).waitFor();
  await row("fixture-one")
    .getByText(/wanted \^1\.2\.3 · MIT · \d+ B/)
    .waitFor();
  await row("fixture-one").getByRole("button", { name: "cell 1" }).click();
  expect(await v.page.evaluate(() => document.activeElement?.closest("touch-cell")?.getAttribute("data-cell"))).toBe("a");

  await panel.getByLabel("Add a package").fill("fixture-two@^1");
  await v.page.keyboard.press("Enter");
  await row("fixture-two").getByText("no cell imports it").waitFor();
  expect(JSON.parse(manifest())).toMatchObject({ dependencies: { "fixture-one": "^1.2.3", "fixture-two": "^1.2.3" } });

  // another page of the notebook sees npm at work, and Cancel leaves all as it was
  const other = await Visitor.enter(stage, path);
  await other.cell("a").waitFor();
  const before = manifest();
  await panel.getByLabel("Add a package").fill("fixture-slow");
  await panel.getByRole("button", { name: "Add", exact: true }).click();
  await other.see("Installing fixture-slow");
  await v.page.getByRole("button", { name: "Cancel", exact: true }).click();
  await v.see("The installation was cancelled. Nothing was changed.");
  await other.see("The installation was cancelled. Nothing was changed.");
  expect(manifest()).toBe(before);

  await panel.getByLabel("Add a package").fill("nowhere-at-all");
  await v.page.keyboard.press("Enter");
  await v.page.getByRole("alert").filter({ hasText: "The registry has no such package" }).waitFor();
  await panel.getByText("npm's log").waitFor();
  await v.page.locator(".package-log pre").getByText(/E404/).waitFor();
  expect(manifest()).toBe(before);

  // an import that is typed is offered at once, before anything ran
  await v.page.evaluate(() => {
    const page = document.querySelector("touch-notebook") as unknown as { type(ops: object[]): boolean };
    page.type([{ op: "edit", id: "b", at: 0, remove: 0, insert: 'import * as s from "nowhere-else"\n' }]);
  });
  await row("nowhere-else").getByText("not installed").waitFor();
  await row("nowhere-else").getByRole("button", { name: "Install nowhere-else" }).waitFor();

  await row("fixture-two").getByRole("button", { name: "Remove fixture-two" }).click();
  await v.see("Removed fixture-two.");
  await row("fixture-two").waitFor({ state: "detached" });
  expect(existsSync(join(folder, "node_modules", "fixture-two"))).toBe(false);
  v.complaints.splice(0, v.complaints.length, ...v.complaints.filter((text) => !text.includes("409")));
  await v.leave();
  await other.leave();
});
