/** A browser, a server on a fresh root with copies of the examples, and the gestures that journeys are made of. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { packageRoot } from "../../kernels/paths/paths.js";
import { launchBrowser, newContext } from "./browser.js";
import { startServer, type RunningServer } from "./server.js";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export interface Stage {
  root: string;
  server: RunningServer;
  browser: Browser;
  close(): Promise<void>;
}

/** One server and one browser for a file of journeys; each journey opens its own context and its own notebook. */
export async function openStage(options: Parameters<typeof startServer>[0] = {}): Promise<Stage> {
  const root = mkdtempSync(join(tmpdir(), "touchstone-journey-"));
  for (const name of ["flights", "digits", "ridership"]) {
    cpSync(join(packageRoot(), "workspaces", name), join(root, "workspaces", name), {
      recursive: true,
      filter: (path) => !/[/\\](\.touchstone|node_modules)$/.test(path),
    });
  }
  const server = await startServer({ ...options, root });
  const { browser, close } = await launchBrowser();
  return {
    root,
    server,
    browser,
    close: async () => {
      await close();
      await server.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** Writes a notebook of the given cells and returns its page address. */
export function writeNotebook(stage: Stage, workspace: string, name: string, text: string): string {
  const folder = join(stage.root, "workspaces", workspace);
  mkdirSync(folder, { recursive: true });
  try {
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: workspace, private: true }), { flag: "wx" });
  } catch {}
  writeFileSync(join(folder, `${name}.nb.ts`), text);
  return `/w/${workspace}/n/${name}.nb.ts`;
}

export class Visitor {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly stage: Stage;
  /** what the page printed as error: must stay empty */
  readonly complaints: string[] = [];

  private constructor(stage: Stage, context: BrowserContext, page: Page) {
    this.stage = stage;
    this.context = context;
    this.page = page;
    page.on("pageerror", (error) => this.complaints.push(String(error.stack ?? error)));
    page.on("console", (message) => {
      if (message.type() === "error") this.complaints.push(`${message.text()} ${message.location().url}`);
    });
  }

  static async enter(stage: Stage, path = "/", options: Parameters<typeof newContext>[1] = {}): Promise<Visitor> {
    const context = await newContext(stage.browser, options);
    context.setDefaultTimeout(20_000);
    const page = await context.newPage();
    const visitor = new Visitor(stage, context, page);
    const separator = path.includes("?") ? "&" : "?";
    await page.goto(`${stage.server.url.replace(/\/$/, "")}${path}${separator}token=${stage.server.token}`);
    return visitor;
  }

  goto(path: string): Promise<unknown> {
    return this.page.goto(`${this.stage.server.url.replace(/\/$/, "")}${path}`);
  }

  cell(id: string): Locator {
    return this.page.locator(`touch-cell[data-cell="${id}"]`);
  }
  cells(): Locator {
    return this.page.locator("touch-cell");
  }

  /** Waits until the cell's attributes are these. */
  async state(cell: Locator, want: { status?: string; result?: string; stale?: boolean }, timeout = 20_000): Promise<void> {
    const handle = await cell.elementHandle();
    await this.page.waitForFunction(
      ([element, wanted]) => {
        const { dataset } = element as HTMLElement;
        const w = wanted as { status?: string; result?: string; stale?: boolean };
        return (
          (w.status === undefined || dataset["status"] === w.status) &&
          (w.result === undefined || dataset["result"] === w.result) &&
          (w.stale === undefined || (element as HTMLElement).hasAttribute("data-stale") === w.stale)
        );
      },
      [handle, want] as const,
      { timeout },
    );
  }
  /** Waits until the cell has run well; a failed cell is not waited for, its text is the error. */
  async ok(cell: Locator, timeout = 20_000): Promise<void> {
    const handle = await cell.elementHandle();
    const result = await this.page.waitForFunction(
      (element) => {
        const { status, result } = (element as HTMLElement).dataset;
        return status === "idle" && result !== "none" ? result : null;
      },
      handle,
      { timeout },
    );
    if ((await result.jsonValue()) === "ok") return;
    // an older result may still stand for a moment while the new run is on its way
    await this.state(cell, { status: "idle", result: "ok" }, 3000).catch(async () => {
      throw new Error(`cell ${await cell.getAttribute("data-cell")} is not ok: ${await cell.innerText()}`);
    });
  }

  see(text: string | RegExp, timeout = 20_000): Promise<void> {
    return this.page.getByText(text).first().waitFor({ timeout });
  }

  /** Puts the caret into the cell's editor and replaces its text. */
  async type(cell: Locator, text: string): Promise<void> {
    await this.caret(cell);
    await this.page.keyboard.press("Control+A");
    await this.page.keyboard.insertText(text);
  }
  /** Clicks into the cell's editor and waits until it takes keys. */
  async caret(cell: Locator): Promise<void> {
    await cell.locator("touch-editor").click();
    await cell
      .locator("touch-editor .monaco-editor.focused, touch-editor textarea:focus, touch-editor .native-edit-context:focus")
      .first()
      .waitFor({ state: "attached" });
  }
  /** The text of the cell's editor as the document has it. */
  source(id: string): Promise<string> {
    return this.page.evaluate((cell) => {
      const element = document.querySelector(`touch-cell[data-cell="${cell}"]`) as unknown as { cell: { source: string } };
      return element.cell.source;
    }, id);
  }

  /** What axe finds serious in the page as it is now, a sentence each. */
  async axe(): Promise<string[]> {
    await this.page.evaluate(axeSource);
    return await this.page.evaluate(async () => {
      const { axe } = window as unknown as {
        axe: {
          run(root: Document, options: object): Promise<{ violations: { id: string; impact: string; nodes: { html: string; target: unknown }[] }[] }>;
        };
      };
      const { violations } = await axe.run(document, { resultTypes: ["violations"] });
      return violations
        .filter((v) => v.impact === "serious" || v.impact === "critical")
        .map((v) => `${v.id}: ${v.nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`);
    });
  }

  /** Ends a journey: nothing serious by axe, nothing on the console. */
  async leave(): Promise<void> {
    const serious = await this.axe();
    const complaints = [...this.complaints];
    await this.context.close();
    if (serious.length > 0) throw new Error(`axe: ${serious.join("\n")}`);
    if (complaints.length > 0) throw new Error(`console: ${complaints.join("\n")}`);
  }
}
