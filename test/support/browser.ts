/** Chrome or Chromium for the browser suite: CHROME_PATH, the usual names on PATH, Debian's package where root may install it, else one sentence. */
import { execFileSync, spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, mkdtempSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import { tmpdir } from "node:os";
import { chromium, type Browser, type BrowserContext } from "playwright-core";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge"];
const places = ["/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium"];

function onPath(): string | null {
  const { CHROME_PATH, PATH = "" } = process.env;
  const candidates = [
    ...(CHROME_PATH ? [CHROME_PATH] : []),
    ...PATH.split(delimiter).flatMap((folder) => names.map((name) => join(folder, name))),
    ...places,
  ];
  for (const path of candidates) {
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {}
  }
  return null;
}

/** Path of a browser, installing Debian's Chromium when nothing is there and this is root on Debian. */
export function findBrowser(): string {
  const found = onPath();
  if (found) return found;
  if (process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    spawnSync("apt-get", ["update"], { stdio: "ignore" });
    execFileSync("apt-get", ["-o", "DPkg::Lock::Timeout=400", "install", "-y", "chromium"], { stdio: "ignore" });
    const installed = onPath();
    if (installed) return installed;
  }
  throw new Error("the browser tests need Chrome or Chromium: install one (Debian: `apt-get install chromium`) or set CHROME_PATH to it");
}

/** A headless browser with its own profile; `close` removes it. */
export async function launchBrowser(): Promise<{ browser: Browser; close(): Promise<void> }> {
  const profile = mkdtempSync(join(tmpdir(), "touchstone-chrome-"));
  const flags = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
  ];
  if (process.getuid?.() === 0) flags.push("--no-sandbox");
  const browser = await chromium.launch({
    executablePath: findBrowser(),
    headless: true,
    args: flags,
    env: { ...process.env, HOME: profile } as Record<string, string>,
  });
  return {
    browser,
    close: async () => {
      await browser.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

/** A context in English, UTC and a fixed size. */
export function newContext(browser: Browser, options: { width?: number; height?: number; dark?: boolean } = {}): Promise<BrowserContext> {
  return browser.newContext({
    locale: "en-US",
    timezoneId: "UTC",
    viewport: { width: options.width ?? 1280, height: options.height ?? 800 },
    colorScheme: options.dark ? "dark" : "light",
    reducedMotion: "reduce",
    acceptDownloads: true,
  });
}
