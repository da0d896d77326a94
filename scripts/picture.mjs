// npm run picture: docs/picture.png, the flights example after a run, drawn by a real server and a real browser. Run by hand.
import { cpSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { buildServer, buildWeb } from "./build.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
await buildServer();
await buildWeb(console.log);

// the tests' own finder of a browser
const finder = join(root, "dist/bench/browser.mjs");
await build({
  entryPoints: [join(root, "test/support/browser.ts")],
  outfile: finder,
  bundle: true,
  format: "esm",
  platform: "node",
  packages: "external",
});
const { launchBrowser, newContext } = await import(pathToFileURL(finder).href);
const { startServer } = await import(pathToFileURL(join(root, "dist/server.js")).href);

const home = mkdtempSync(join(tmpdir(), "touchstone-picture-"));
mkdirSync(join(home, "workspaces"));
cpSync(join(root, "workspaces/flights"), join(home, "workspaces/flights"), {
  recursive: true,
  filter: (path) => !/[/\\](\.touchstone|node_modules)$/.test(path),
});
const server = await startServer({ root: home, port: 0 });
const { browser, close } = await launchBrowser();
try {
  const context = await newContext(browser, { width: 1280, height: 800 });
  const page = await context.newPage();
  page.setDefaultTimeout(180_000);
  await page.goto(`${server.url}/w/flights/n/late.nb.ts?token=${server.access.token}`);
  const cells = page.locator("touch-cell");
  await cells.first().waitFor();
  await page.keyboard.press("Control+k");
  await page.keyboard.insertText("run all");
  await page.keyboard.press("Enter");
  // the last cell that Run all runs: promote waits for a press of its own
  await page.locator('touch-cell[data-cell="drift"][data-status="idle"][data-result="ok"]').waitFor();
  await page.getByText("Same as a clean run").first().waitFor();
  const model = page.locator('touch-cell[data-cell="model"]');
  // the result, not the form above it; cells above take their true heights as they come near, so the place is taken more than once
  for (let i = 0; i < 4; i++) {
    await model.locator("touch-result").evaluate((result) => {
      result.style.scrollMarginTop = "120px";
      result.scrollIntoView({ block: "start" });
    });
    await model.locator("touch-plot .main-svg").first().waitFor({ timeout: 20_000 });
  }
  // no notices over the picture
  await page
    .locator("touch-toast, .toast")
    .first()
    .waitFor({ state: "detached", timeout: 15_000 })
    .catch(() => {});
  await page.evaluate(() => document.activeElement instanceof HTMLElement && document.activeElement.blur());
  const picture = await page.screenshot({ type: "png", animations: "disabled" });
  const out = join(root, "docs/picture.png");
  writeFileSync(out, picture);
  const { size } = statSync(out);
  console.log(`docs/picture.png: ${Math.round(size / 1000)} kB`);
  if (size > 400_000) throw new Error("the picture is larger than 400 kB");
} finally {
  await close();
  await server.close();
  rmSync(home, { recursive: true, force: true });
}
process.exit(0);
