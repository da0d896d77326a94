/** The file under an open notebook: git checks out a branch, it is deleted, locked, replaced by a folder, has conflict markers. Nothing is lost, a clear sentence each. */
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, rmdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { fakeKernels } from "../../test/support/fake-kernel.js";
import { NotebookClient } from "../../test/support/notebook.js";
import { startServer, type RunningServer } from "../../test/support/server.js";
import { noServing } from "../../test/support/serving.js";

const path = "workspaces/demo/a.nb.ts";
const text = `// %% id="a"\nprint one\n\n// %% id="b"\nprint two\n`;
let root: string;
let server: RunningServer;
let client: NotebookClient;
const file = () => join(root, path);

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "touchstone-outside-"));
  server = await startServer({
    ...{ root, files: { [path]: text, "workspaces/demo/package.json": "{}" }, takeKernel: fakeKernels().take },
    ...{ quiet: 20, sync: 5, rest: 10, serving: noServing },
  });
  client = await NotebookClient.open(server, path);
});
afterEach(async () => {
  await server.close();
  rmSync(root, { recursive: true, force: true });
});

const cells = () => client.state.source.cells.map(({ id, source, options }) => `${id}=${source}${options.disabled ? " off" : ""}`);
const set = (id: string, source: string) => {
  const old = client.state.source.cells.find((cell) => cell.id === id)!.source;
  return client.do({ do: "ops", ops: [{ op: "edit", id, at: 0, remove: old.length, insert: source }] });
};
const flush = () => client.do({ do: "flush" });
const held = (sentence: RegExp) => client.until(() => sentence.test(client.state.held ?? ""));
const well = () => client.until(() => client.state.held === null);
const disk = () => readFileSync(file(), "utf8");

it("git checks out another branch and comes back: the page follows, and what was typed here stays", async () => {
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "core.hooksPath=/dev/null", ...args], {
      cwd: join(root, "workspaces/demo"),
      stdio: "pipe",
    });
  writeFileSync(join(root, "workspaces/demo/.gitignore"), ".touchstone\n");
  git("init", "-q", "-b", "main");
  git("add", ".");
  git("commit", "-qm", "one");
  git("checkout", "-qb", "other");
  writeFileSync(file(), `${text.replace("two", "of the other")}\n// %% id="c"\nprint three\n`);
  await client.until(() => cells().length === 3);
  await flush();
  git("commit", "-qam", "two");
  git("checkout", "-q", "main");
  await client.until(() => cells().length === 2);
  expect(cells()).toEqual(["a=print one", "b=print two"]);
  git("checkout", "-q", "other");
  await client.until(() => cells().length === 3);
  expect(cells()).toEqual(["a=print one", "b=print of the other", "c=print three"]);
  // typed here, in a cell that the two branches have in common
  await set("a", "print typed");
  await flush();
  git("checkout", "-q", "-m", "main");
  await client.until(() => cells().length === 2);
  expect(cells()).toEqual(["a=print typed", "b=print two"]);
});

it("the file is deleted: a sentence, nothing is lost, and the next change writes it again", async () => {
  rmSync(file());
  await held(/^a\.nb\.ts was deleted or moved outside; the notebook here is kept, and the next change writes it again$/);
  await set("b", "print back");
  await well();
  expect(disk()).toBe(text.replace("print two", "print back"));
});

it("the file is moved away and back: the sentence goes by itself", async () => {
  renameSync(file(), `${file()}.away`);
  await held(/deleted or moved/);
  renameSync(`${file()}.away`, file());
  await well();
  expect(cells()).toEqual(["a=print one", "b=print two"]);
});

it("a folder takes the file's place: a sentence, edits go on, and they are written once it is gone", async () => {
  rmSync(file());
  mkdirSync(file());
  await held(/^a\.nb\.ts cannot be read \(it is a folder now\); the notebook here is kept/);
  await set("a", "print typed");
  await flush();
  expect(client.state.held).toMatch(/it is a folder now/);
  rmdirSync(file());
  await client.until(() => client.state.held === null && client.state.savedAt !== null);
  expect(disk()).toBe(text.replace("print one", "print typed"));
});

it("the file is written with CRLF and a byte order mark: no cell differs, and edits keep both", async () => {
  const other = `\uFEFF${text.replaceAll("\n", "\r\n")}`;
  writeFileSync(file(), other);
  await client.until(() => client.events.some((event) => event.type === "notice" && event.text.includes("line ends differ")));
  expect(cells()).toEqual(["a=print one", "b=print two"]);
  await set("a", "print 1\nprint 2");
  await flush();
  expect(disk()).toBe(other.replace("print one", "print 1\r\nprint 2"));
});

it("conflict markers appear while it is open and are mended while it is open: edits of both sides are there", async () => {
  const mess = text.replace("print two", "<<<<<<< HEAD\nprint two\n=======\nprint theirs\n>>>>>>> other");
  writeFileSync(file(), mess);
  await held(/^a\.nb\.ts was changed outside and cannot be read now \(line 5: the file has unresolved conflict markers/);
  await set("a", "print typed meanwhile");
  await flush();
  expect(disk()).toBe(mess);
  writeFileSync(file(), text.replace("print two", "print theirs"));
  await client.until(() => client.state.held === null && client.state.savedAt !== null);
  expect(cells()).toEqual(["a=print typed meanwhile", "b=print theirs"]);
  await flush();
  expect(disk()).toBe(text.replace("print two", "print theirs").replace("print one", "print typed meanwhile"));
});

it("a cell that was changed on both sides is kept twice, and the sentence says so", async () => {
  const typed = set("a", "print mine");
  writeFileSync(file(), text.replace("print one", "print theirs"));
  await typed;
  await client.until(() => cells().length === 3);
  expect(cells()).toEqual(["a=print mine", "a-file=print theirs off", "b=print two"]);
  expect(client.events.find((event) => event.type === "notice")).toMatchObject({
    text: expect.stringContaining("1 changed here too and is kept twice"),
  });
});

it("the folder becomes read-only: the page says that the change is kept, and it is written once it may be", async () => {
  const folder = join(root, "workspaces/demo");
  chmodSync(root, 0o755);
  // root may write anywhere: there it is somebody else who opens
  const asRoot = process.getuid?.() === 0;
  chmodSync(folder, 0o555);
  if (asRoot) {
    chownSync(folder, 65534, 65534);
    process.seteuid?.(65534);
  }
  try {
    await set("a", "print typed");
    await client.until(() => /could not be saved|cannot be/.test(client.state.held ?? ""));
    expect(client.state.held).toMatch(/^a\.nb\.ts could not be saved \(EACCES: permission denied.*\); the change is kept in the journal$/);
    expect(cells()[0]).toBe("a=print typed");
  } finally {
    if (asRoot) process.seteuid?.(0);
    chmodSync(folder, 0o755);
  }
  await client.until(() => client.state.held === null && client.state.savedAt !== null);
  expect(disk()).toBe(text.replace("print one", "print typed"));
});
