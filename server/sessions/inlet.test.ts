import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { shownError, shownItems, shownText } from "../../kernels/notebook/shown.js";
import type { BulkMessage } from "../../kernels/protocol/kernel.js";
import type { Output } from "../../kernels/protocol/output.js";
import { createInlet } from "./inlet.js";
import { outputStore, type OutputStore } from "./outputs.js";
import type { Input } from "./state.js";

type Batch = Extract<Input, { type: "outputs" }>;
let folder: string;
let store: OutputStore;
let told: Batch[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "touchstone-inlet-"));
  store = outputStore(folder, (error) => expect.unreachable(error.message));
  told = [];
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});
const message = (output: Output, run = "r1", n = 0): Extract<BulkMessage, { type: "output" }> => ({ type: "output", run, cell: "a", n, output });
const print = (text: string, name: "stdout" | "stderr" = "stdout") => message({ kind: "stream", name, text });
const show = (id: string, text = id, run = "r1") => message({ kind: "display", id, data: { "text/plain": text } }, run);
const texts = (batch: Batch | undefined) => batch?.messages.map(({ output }) => (output.kind === "stream" ? output.text : ""));

it("tells the first at once and gathers what follows for 50 ms", () => {
  const inlet = createInlet(store, (batch) => told.push(batch));
  inlet.take([print("1")]);
  for (const text of ["2", "3", "4"]) inlet.take([print(text)]);
  expect(told.map(texts)).toEqual([["1"]]);
  vi.advanceTimersByTime(50);
  expect(told.map(texts)).toEqual([["1"], ["234"]]);
  inlet.take([print("5"), print("6", "stderr"), print("7")]);
  inlet.take([print("8")]);
  inlet.flush();
  expect(told.slice(2).map(texts)).toEqual([["5", "6", "78"]]);
});

it("tells the end of a flood, keeps all of it on disk", () => {
  const inlet = createInlet(store, (batch) => told.push(batch));
  inlet.take([print("first\n")]);
  const line = `${"x".repeat(999)}\n`;
  for (let i = 0; i < 3000; i++) inlet.take([print(line)]);
  inlet.flush();
  const [flood] = told[1]!.messages;
  expect(flood!.output).toMatchObject({ kind: "stream", cut: expect.any(Number) });
  const { text, cut } = flood!.output as { text: string; cut: number };
  expect(text.length).toBeLessThanOrEqual(shownText);
  expect(text.length + cut).toBe(3_000_000);
  expect(readFileSync(store.textFile("a")!, "utf8").length).toBe(3_000_006);
});

it("tells the beginning of a long error and of its cause, keeps the whole on disk until the cell runs again", async () => {
  const inlet = createInlet(store, (batch) => told.push(batch));
  const fail = (message: string, cause?: string) =>
    ({
      kind: "error",
      error: { name: "Error", message, frames: [], ...(cause !== undefined && { cause: { name: "Error", message: cause, frames: [] } }) },
    }) as Output;
  const long = "ä".repeat(5_000_000);
  inlet.take([message(fail(long, long)), message(fail("short"))]);
  inlet.flush();
  const outputs = told.flatMap((batch) => batch.messages.map(({ output }) => output));
  const beginning = { message: long.slice(0, shownError), length: 5_000_000 };
  expect(outputs).toMatchObject([{ error: { ...beginning, cause: beginning } }, fail("short")]);
  expect(outputs[1]).toEqual(fail("short"));
  const file = store.textFile("a", "errors")!;
  expect(readFileSync(file, "utf8")).toBe(`Error: ${long}\nCause: Error: ${long}\n`);
  vi.useRealTimers();
  store.keep({ cell: "a", run: "r1", sourceHash: "", at: 0, outputs });
  expect(store.textFile("a", "errors")).toBe(file);
  store.keep({ cell: "a", run: "r2", sourceHash: "", at: 0, outputs: [fail("short")] });
  expect(store.textFile("a", "errors")).toBe(null);
  await store.flush();
});

it("puts displays past the first fifty on disk, in pages, with later ones of the same id in place", () => {
  const inlet = createInlet(store, (batch) => told.push(batch));
  const many = 100_000;
  for (let i = 1; i <= many; i++) inlet.take([show(`d${i}`)]);
  inlet.take([show("d3", "again"), show("d70", "again too"), message({ kind: "error", error: { name: "Error", message: "shown", frames: [] } })]);
  inlet.flush();
  const shown = told.flatMap((batch) => batch.messages);
  expect(shown.length).toBe(shownItems + 2);
  expect(told.at(-1)!.more).toEqual([{ cell: "a", run: "r1", count: many - shownItems }]);
  const page = store.page("a", 18, 3);
  expect(page.map((output) => output.kind === "display" && output.data["text/plain"])).toEqual(["d69", "again too", "d71"]);
  expect(store.page("a", many - shownItems - 1, 50)).toMatchObject([{ id: `d${many}` }]);
});

it("finds the pages again after a restart", async () => {
  const inlet = createInlet(store, () => {});
  for (let i = 1; i <= 300; i++) inlet.take([show(`d${i}`, `ü ${i}`)]);
  vi.useRealTimers();
  store.keep({ cell: "a", run: "r1", sourceHash: "", at: 0, outputs: [], more: 250 });
  await store.flush();
  const again = outputStore(folder, () => {});
  expect(again.load()["a"]!.more).toBe(250);
  expect(again.page("a", 249, 10)).toMatchObject([{ id: "d300", data: { "text/plain": "ü 300" } }]);
});

it("forgets them when the cell runs again and shows less", async () => {
  const inlet = createInlet(store, (batch) => told.push(batch));
  for (let i = 1; i <= 60; i++) inlet.take([show(`d${i}`)]);
  inlet.take([show("d1", "new", "r2")]);
  store.keep({ cell: "a", run: "r2", sourceHash: "", at: 0, outputs: [] });
  expect(store.page("a", 0, 10)).toEqual([]);
});

it("keeps results past the limit where there is no disk", () => {
  const inlet = createInlet(null, (batch) => told.push(batch));
  for (let i = 1; i <= 60; i++) inlet.take([show(`d${i}`)]);
  inlet.take([message({ kind: "display", id: "result", data: { "application/vnd.touchstone.finding+json": {} } })]);
  inlet.flush();
  expect(told.flatMap((batch) => batch.messages).length).toBe(51);
});
