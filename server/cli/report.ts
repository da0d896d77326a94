/** `touchstone report FILE`: the whole notebook in a fresh kernel, and what it showed as the HTML file that the page's Export HTML makes. */
import { spawn } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { definitions } from "../../kernels/cells/definitions.js";
import { entry } from "../../kernels/paths/paths.js";
import { mime, type TableView } from "../../kernels/protocol/output.js";
import { movedControls } from "../sessions/controls.js";
import { factsOf } from "../sessions/facts.js";
import { notebookEnding } from "../sessions/paths.js";
import type { Session } from "../sessions/session.js";
import { Failure } from "./failure.js";
import { run, type RunOptions } from "./run.js";

export interface ReportOptions extends Omit<RunOptions, "promote" | "done"> {
  /** where the file goes; null: beside where the command is called, by the notebook's name */
  out: string | null;
}

/** As `run`; the report is written also when a cell failed, and shows that. */
export async function makeReport({ out, ...options }: ReportOptions): Promise<number> {
  const target = resolve(out ?? `${basename(options.file).replace(/(\.nb)?(\.ts)?$/, "")}.html`);
  if (!existsSync(dirname(target))) throw new Failure(64, `There is no folder ${dirname(target)} for the report.`);
  if (existsSync(target) && !statSync(target).isFile()) throw new Failure(64, `${target} is a folder: name a file for the report.`);
  return run({
    ...options,
    promote: false,
    async done(session, root) {
      options.say("drawing the report");
      const html = await draw(JSON.stringify(await taskOf(session, root, options.seed)));
      const aside = `${target}.${process.pid}.new`;
      try {
        await writeFile(aside, html);
        await rename(aside, target);
      } catch (error) {
        await rm(aside, { force: true });
        throw new Failure(1, `The report could not be written: ${(error as Error).message}.`);
      }
      options.say(`${target}: ${(html.length / 1000).toFixed(0)} kB`);
    },
  });
}

/** What the page would put into the report. */
async function taskOf(session: Session, root: string, seed: number | null) {
  const { place } = session;
  const state = structuredClone(session.state);
  for (const outputs of Object.values(state.outputs))
    for (const output of outputs)
      if (output.kind === "display" && mime.table in output.data) await measure(output.data[mime.table] as TableView, session);
  const { cells, front } = state.source;
  const failed = cells.filter(({ id }) => !["ok", "none"].includes(state.cells[id]?.result ?? "none")).length;
  const { words } = movedControls(state);
  const set = words === "" ? "" : `; ${words.replaceAll("`", "")}`;
  return {
    title: front.title ?? basename(place.file, notebookEnding),
    path: place.path,
    state,
    cells,
    badge:
      (failed === 0
        ? "A clean run of the whole notebook"
        : `A clean run, in which ${failed} ${failed === 1 ? "cell" : "cells"} failed or did not run`) + set,
    date: new Date().toLocaleString("en-GB", { dateStyle: "long", timeStyle: "short" }),
    kinds: [["code", "Code"], ["sql", "SQL"], ...definitions.map(({ kind, title }) => [kind, title])],
    facts: factsOf(root, place, seed ?? front.seed ?? 0),
  };
}

/** The rows of a table whose length is not known yet. */
async function measure(view: TableView, session: Session): Promise<void> {
  if (view.total !== null) return;
  const found = await session.query({ query: "table.count", relation: view.relation }).catch(() => null);
  view.total = typeof found === "number" ? found : null;
}

/** In a process of its own, as it loads what a page loads. */
async function draw(task: string): Promise<string> {
  const child = spawn(process.execPath, [entry("report")], { stdio: ["pipe", "pipe", "pipe"] });
  const ended = new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  // one that ends early says why on its own
  child.stdin.on("error", () => undefined).end(task);
  const [html, said, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (code !== 0 || html === "") throw new Failure(1, `The report could not be drawn: ${said.trim().split("\n").at(-1) ?? "its process ended"}.`);
  return html;
}
