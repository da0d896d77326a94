/** TypeScript at work is interrupted by what comes meanwhile: `poll` gives it the first time that TypeScript asks. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Cell } from "../protocol/document.js";
import type { FromLanguage, LanguageAnswers, LanguageQuestion, ToLanguage } from "../protocol/language.js";
import { createService, type Service } from "./service.js";

let workspace: string;
let notebook: string;
let service: Service;
/** comes while TypeScript is at work */
let meanwhile: ToLanguage[];
let told: FromLanguage[];
let heard: () => void;
beforeEach(() => {
  workspace = mkdtempSync(join(tmpdir(), "touchstone-interrupt-"));
  writeFileSync(join(workspace, "package.json"), `{ "name": "w", "private": true }`);
  notebook = join(workspace, "n.nb.ts");
  meanwhile = [];
  told = [];
  heard = () => undefined;
  service = createService(
    (message) => {
      told.push(message);
      heard();
    },
    () => meanwhile.shift(),
  );
  const cells = ["const parts = [1]", "parts.map((part) => part.nope)", "parts."].map((source, i): Cell => ({
    id: "abc"[i]!,
    kind: "code",
    source,
    options: {},
  }));
  service.receive({ type: "open", notebook, workspace, rev: 1, cells });
});
afterEach(async () => {
  await service.close();
  rmSync(workspace, { recursive: true, force: true });
});

const ask = (id: number, question: LanguageQuestion): ToLanguage => ({ type: "ask", id, client: "x", notebook, question });
const complete = (id: number) => ask(id, { ask: "complete", cell: "c", at: 6 });
const references = (id: number) => ask(id, { ask: "references", cell: "a", at: 7 });
const answers = async (count: number) => {
  const found = () => told.filter((one) => one.type === "answer");
  await new Promise<void>((resolve) => (heard = () => found().length >= count && resolve()));
  expect(meanwhile).toEqual([]);
  return found();
};

it("a search is laid aside for a completion, and answered after it", async () => {
  meanwhile = [complete(2)];
  service.receive(references(1));
  const found = await answers(2);
  expect(found.map((one) => [one.id, one.ok])).toEqual([
    [2, true],
    [1, true],
  ]);
  expect(found[1]).toMatchObject({ value: [{ cell: "a" }, { cell: "b" }, { cell: "c" }] });
});

it("a search gives way to a newer one, and stops when it is taken back", async () => {
  meanwhile = [references(2)];
  service.receive(references(1));
  expect(await answers(2)).toMatchObject([
    { id: 1, ok: false, why: "superseded" },
    { id: 2, ok: true },
  ]);
  meanwhile = [{ type: "cancel", id: 3 }];
  service.receive(references(3));
  expect((await answers(3))[2]).toMatchObject({ id: 3, ok: false, why: "superseded" });
});

it("findings are laid aside for a completion, and begun again after an edit", async () => {
  meanwhile = [complete(2)];
  service.receive(ask(1, { ask: "problems" }));
  const problems = (one: FromLanguage) => (one as unknown as { value: LanguageAnswers["problems"] }).value;
  const found = await answers(2);
  expect(found.map((one) => one.id)).toEqual([2, 1]);
  expect(problems(found[1]!)["b"]).toMatchObject([{ message: "Property 'nope' does not exist on type 'number'." }]);
  meanwhile = [{ type: "ops", notebook, rev: 2, ops: [{ op: "edit", id: "b", at: 25, remove: 4, insert: "toFixed()" }] }];
  service.receive({ type: "ops", notebook, rev: 1, ops: [{ op: "edit", id: "a", at: 17, remove: 0, insert: " " }] });
  service.receive(ask(3, { ask: "problems" }));
  const again = (await answers(3))[2]!;
  expect(again).toMatchObject({ id: 3, ok: true, rev: 2 });
  expect(problems(again)["b"]).toBeUndefined();
});
