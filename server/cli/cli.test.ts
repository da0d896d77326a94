import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { packageRoot } from "../../kernels/paths/paths.js";
import { parseNotebook } from "../../kernels/notebook/parse.js";
import { startServer } from "../main.js";
import { emitModule } from "./emit.js";
import { execute } from "./main.js";
import { findNotebook } from "./notebook.js";
import { findOwner, findRoot, rootOfFile } from "./root.js";

let root: string;
const out: string[] = [];
const errors: string[] = [];
const cwd = process.cwd();

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "touchstone-cli-"));
  mkdirSync(join(root, "workspaces", "demo", "deep"), { recursive: true });
  writeFileSync(join(root, "workspaces/demo/package.json"), "{}");
  writeFileSync(join(root, "workspaces/demo/clash.nb.ts"), `// %% id="a"\nconst x = 1\n\n// %% id="b"\nconst x = 2\n`);
  writeFileSync(join(root, "workspaces/demo/broken.nb.ts"), `// %% id="a"\n<<<<<<< ours\n=======\n>>>>>>> theirs\n`);
  writeFileSync(join(root, "workspaces/demo/notes.txt"), "");
  process.chdir(root);
  vi.spyOn(console, "log").mockImplementation((text: string) => void out.push(text));
  vi.spyOn(console, "error").mockImplementation((text: string) => void errors.push(text));
  vi.spyOn(process.stderr, "write").mockImplementation((text) => errors.push(String(text)) > 0);
});
beforeEach(() => {
  out.length = 0;
  errors.length = 0;
});
afterAll(() => {
  vi.restoreAllMocks();
  process.chdir(cwd);
  rmSync(root, { recursive: true, force: true });
});

it.each([
  [["run"], 64, /missing required argument/],
  [["bogus"], 64, /unknown command/],
  [["run", "a", "b"], 64, /too many arguments/],
  [["run", "none.nb.ts"], 64, /There is no file none\.nb\.ts\./],
  [["run", "workspaces/demo/notes.txt"], 64, /is not a notebook/],
  [["run", "workspaces"], 64, /is not a notebook/],
  [["run", "workspaces/demo/clash.nb.ts", "--seed", "x"], 64, /whole number/],
  [["run", "workspaces/demo/broken.nb.ts"], 1, /cannot be read as a notebook/],
  [["check", "workspaces/demo/broken.nb.ts"], 1, /cannot be read as a notebook/],
  [["emit", "workspaces/demo/clash.nb.ts"], 1, /Cell a/],
  [["emit", "none.nb.ts"], 64, /There is no file/],
  [["start", "--port", "99999"], 64, /port from 0 to 65535/],
  [["start", "--bogus"], 64, /unknown option/],
  [["export", "none"], 64, /nothing is promoted|no model/i],
] as const)("touchstone %j: exit code %i and a sentence", async (argv, code, text) => {
  expect(await execute([...argv])).toBe(code);
  expect(errors.join("\n")).toMatch(text);
  expect(errors.join("\n")).not.toMatch(/\n\s+at /);
});

it("run: who asks hears that nobody is there", async () => {
  writeFileSync(join(root, "workspaces/demo/asks.nb.ts"), `// %% id="a"\nawait prompt("Name?")\n`);
  expect(await execute(["run", "workspaces/demo/asks.nb.ts"])).toBe(1);
  expect([...out, ...errors].join("\n")).toMatch(/prompt\(\) asks the person at the notebook's page.*here nobody is there to answer\./);
});

it("run: controls have their defaults, or what --set says", async () => {
  const source = "const alpha = view(input.range({ min: 0, max: 1, step: 0.1, value: 0.5 }))\nconsole.log(`alpha ${alpha}`)";
  writeFileSync(join(root, "workspaces/demo/set.nb.ts"), `// %% id="a"\n${source}\n`);
  const run = async (...argv: string[]) => {
    out.length = errors.length = 0;
    return [await execute(["run", "workspaces/demo/set.nb.ts", ...argv]), [...out, ...errors].join("\n")];
  };
  expect(await run()).toEqual([0, expect.stringContaining("a | alpha 0.5")]);
  expect(await run("--set", "alpha=0.7")).toEqual([0, expect.stringContaining("a | alpha 0.7")]);
  expect(await run("--set", "alpha=7")).toEqual([1, expect.stringContaining('The control "alpha" is set to "7"; it takes a number from 0 to 1')]);
  expect(await run("--set", "beta=1")).toEqual([64, expect.stringContaining('No control is named "beta". There are: alpha.')]);
  expect(await run("--set", "alpha")).toEqual([64, expect.stringContaining("NAME=VALUE")]);
});

it("says that a port asked for is in use, and starts nothing", async () => {
  const other = createServer();
  const port = await new Promise<number>((resolve) => other.listen(0, "127.0.0.1", () => resolve((other.address() as { port: number }).port)));
  expect(await execute(["start", "--no-open", "--port", String(port)])).toBe(1);
  const told = `touchstone: Port ${port} is in use by another program; choose another with --port, or leave it out.`;
  expect(errors).toEqual([told]);
  // as a process: nothing is said after it while it ends
  const argv = [join(packageRoot(), "touchstone.js"), "start", "--no-open", "--port", String(port)];
  const ran = spawnSync(process.execPath, argv, { cwd: root, encoding: "utf8", env: { ...process.env, TOUCHSTONE_HOME: root } });
  expect(ran).toMatchObject({ status: 1, stderr: `${told}\n` });
  other.close();
  expect(await findOwner(root)).toBe(null);
});

it("finds the running server and says its address instead of starting a second", async () => {
  const server = await startServer({ root, port: 0, spare: false });
  try {
    expect(await findOwner(root)).toMatchObject({ port: server.port, pid: process.pid, token: server.access.token });
    expect(await execute(["start", "--no-open"])).toBe(1);
    expect(errors.join()).toContain(`${server.url}/?token=${server.access.token}`);
  } finally {
    await server.close();
  }
  expect(await findOwner(root)).toBe(null);
});

it("takes a file's own root where TOUCHSTONE_HOME names a folder that is not there", () => {
  const before = process.env["TOUCHSTONE_HOME"];
  process.env["TOUCHSTONE_HOME"] = join(root, "nowhere");
  try {
    writeFileSync(join(root, "workspaces/demo/own.nb.ts"), `// %% id="a"\n1\n`);
    expect(findNotebook(join(root, "workspaces/demo/own.nb.ts"))).toMatchObject({ path: "workspaces/demo/own.nb.ts" });
  } finally {
    if (before === undefined) delete process.env["TOUCHSTONE_HOME"];
    else process.env["TOUCHSTONE_HOME"] = before;
  }
});

it("knows the root of a file", () => {
  expect(findRoot(join(root, "workspaces/demo/deep"), {})).toBe(root);
  expect(findRoot(join(root, "workspaces/demo"), { TOUCHSTONE_HOME: "/elsewhere" })).toBe("/elsewhere");
  const alone = mkdtempSync(join(tmpdir(), "touchstone-alone-"));
  mkdirSync(join(alone, "sub"));
  writeFileSync(join(alone, "package.json"), "{}");
  expect(rootOfFile(join(alone, "sub/a.nb.ts"), {})).toBe(alone);
  rmSync(alone, { recursive: true });
});

it("emits cells in the order of their needs, with the library's names and private names told apart", () => {
  const { source } = parseNotebook(
    `// ---\n// title: Demo\n// ---\n\n// %% [markdown] id="m"\n// # Title\n\n// %% id="b"\nconst _t = x + 1\ndisplay(_t)\n\n// %% id="a"\nconst _t = 1\nconst x = _t\n\n// %% [sql] id="s"\nconst t = sql\`select \${x}\`\n`,
  );
  expect(emitModule(source.cells, "Demo")).toBe(
    `// Demo\n\nimport { display, sql } from "touchstone"\n\n// a\nconst _t = 1\nconst x = _t\n\n// # Title\n\n// b\nconst _t2 = x + 1\ndisplay(_t2)\n\n// s\nconst t = sql\`select \${x}\`\n\nexport {}\n`,
  );
});
