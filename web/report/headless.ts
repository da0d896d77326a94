/** `dist/report.js`: the report of a notebook without a browser. What the page would have comes as JSON on stdin, the file goes to stdout. */
import { text } from "node:stream/consumers";
import { JSDOM } from "jsdom";
import tokens from "../styles/tokens.css";
import { painted } from "./canvas.js";
import { measured } from "./measure.js";
import type { ReportInput } from "./report.js";

/** As JSON: no maps. */
export interface ReportTask extends Omit<ReportInput, "drawn" | "kinds"> {
  kinds: [kind: string, title: string][];
}

const { kinds, ...input } = JSON.parse(await text(process.stdin)) as ReportTask;
const { window } = new JSDOM(`<!doctype html><html lang="en" data-theme="light"><head><style>${tokens}</style></head><body></body></html>`, {
  pretendToBeVisual: true,
});
measured(window);
window.URL.createObjectURL = () => "";
painted(window);
for (const name of [...Object.getOwnPropertyNames(window), "window", "document", "self", "navigator"]) {
  if (name in globalThis && !["window", "self", "document", "navigator"].includes(name)) continue;
  Object.defineProperty(globalThis, name, { get: () => (window as unknown as Record<string, unknown>)[name], configurable: true });
}
const [{ draw }, { report }] = await Promise.all([import("./export.js"), import("./report.js")]);
const drawn = await draw(input.cells, input.state.outputs, () => Promise.reject(new Error("there is no kernel")));
await new Promise<void>((resolve, reject) =>
  process.stdout.write(report({ ...input, kinds: new Map(kinds), drawn }), (error) => (error ? reject(error) : resolve())),
);
// a window has timers
process.exit(0);
