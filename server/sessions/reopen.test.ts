/** What a kill -9 leaves behind, opened again: the disk is copied and the copy is opened. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, expect, it } from "vitest";
import type { Operation } from "../../kernels/protocol/document.js";
import { notebook, openSession } from "../../test/support/kill-session.js";
import type { Session } from "./session.js";

const home = mkdtempSync(join(tmpdir(), "touchstone-reopen-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const open: Session[] = [];
afterEach(async () => {
  for (const session of open.splice(0)) await session.close();
});

/** A notebook of these cells, and its disk as a kill would leave it. */
function desk(cells: string) {
  const root = mkdtempSync(join(home, "root-"));
  const file = join(root, notebook);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(join(dirname(file), "package.json"), "{}");
  writeFileSync(file, text(cells));
  const failing = new Map<string, () => void>();
  let looks: (step: string) => void = () => {};
  const session = (folder = root) => {
    const one = openSession(folder, (step) => {
      if (folder !== root) return;
      looks(step);
      const does = failing.get(step);
      if (does === undefined) return;
      does();
      throw new Error("ENOSPC: no space left on device");
    });
    open.push(one);
    return one;
  };
  return {
    file,
    session,
    /** another program writes the file */
    write: (other: string) => writeFileSync(file, text(other)),
    /** this step of disk work fails from now on: the journal goes on, the file stays as it is */
    fail: (step: string, does: () => void = () => {}) => failing.set(step, does),
    mend: () => failing.clear(),
    /** told each step of disk work */
    look: (at: (step: string) => void) => (looks = at),
    /** cells of what a kill now would leave, opened after another program wrote `other` */
    left: (other?: string) => {
      const left = mkdtempSync(join(home, "left-"));
      cpSync(root, left, { recursive: true });
      if (other !== undefined) writeFileSync(join(left, notebook), text(other));
      return shown(session(left));
    },
  };
}

/** "a=1 b=2" as a file. */
const text = (cells: string) =>
  cells
    .split(" ")
    .filter(Boolean)
    .map((cell) => `// %% id="${cell.split("=")[0]}"\n${cell.split("=")[1]}\n`)
    .join("\n");
const shown = (session: Session) =>
  session.state.source.cells.map(({ id, source, options }) => `${id}=${source}${options.disabled ? "!" : ""}`).join(" ");
async function change(session: Session, ...ops: Operation[]): Promise<void> {
  expect(await session.command({ do: "ops", ops })).toBe(null);
}
const set = (id: string, insert: string, remove = 1): Operation => ({ op: "edit", id, at: 0, remove, insert });

it("typed while the file is written for the first time after a start, killed before that is noted: nothing is doubled", async () => {
  const d = desk("a=1");
  const first = d.session();
  d.fail("write file");
  await change(first, set("a", "2"));
  await first.close();
  d.mend();
  // opened with a change that is in the journal alone: 3 is typed while 2 is written
  const again = d.session();
  d.fail("renamed file", () => {
    d.fail("write file");
    void change(again, set("a", "3"));
  });
  await again.flush();
  expect(readFileSync(d.file, "utf8")).toBe(text("a=2"));
  expect(d.left()).toBe("a=3");
});

it("a cell changed on both sides is kept twice, not three times, when a kill comes before the merge is in the file", async () => {
  const d = desk("a=1 b=2");
  const session = d.session();
  d.fail("write file");
  await change(session, set("a", "mine"));
  d.write("a=theirs b=2");
  await session.flush();
  expect(shown(session)).toBe("a=mine a-file=theirs! b=2");
  expect(d.left()).toBe("a=mine a-file=theirs! b=2");
});

it("a cell that came from outside and was deleted here does not come back with a kill", async () => {
  const d = desk("a=1");
  const session = d.session();
  d.fail("write file");
  await change(session, set("a", "5"));
  d.write("a=1 b=2");
  await session.flush();
  await change(session, { op: "delete", id: "b" });
  await session.flush();
  expect(d.left()).toBe("a=5");
});

it("nor one that both sides had added", async () => {
  const d = desk("a=1");
  const session = d.session();
  d.fail("write file");
  await change(session, set("a", "5"), { op: "insert", cell: { id: "b", kind: "code", source: "2", options: {} }, after: "a" });
  d.write("a=1 b=2");
  await session.flush();
  await change(session, set("a", "6"), { op: "delete", id: "b" });
  await session.flush();
  expect(d.left()).toBe("a=6");
});

it("changed outside after a kill between the writing and its note: merged with what was written, not kept twice", async () => {
  const d = desk("a=1 b=1 c=1");
  const session = d.session();
  d.fail("renamed file", () => {
    d.fail("write file");
    void change(session, set("a", "3"));
  });
  await change(session, set("a", "2"), set("b", "2"));
  await session.flush();
  expect(readFileSync(d.file, "utf8")).toBe(text("a=2 b=2 c=1"));
  // the server is gone; an editor changes another cell
  d.write("a=2 b=2 c=9");
  expect(d.left()).toBe("a=3 b=2 c=9");
});

it("an older version checked out after such a kill is what the page shows, and nothing is kept twice", async () => {
  const d = desk("a=1 b=1 c=1");
  const session = d.session();
  await change(session, set("a", "2"));
  await session.flush();
  d.fail("renamed file", () => d.fail("write file"));
  await change(session, set("a", "3"), set("b", "3"));
  await session.flush();
  expect(readFileSync(d.file, "utf8")).toBe(text("a=3 b=3 c=1"));
  expect(d.left()).toBe("a=3 b=3 c=1");
  expect(d.left("a=2 b=1 c=1")).toBe("a=2 b=1 c=1");
  expect(d.left("a=1 b=1 c=1")).toBe("a=1 b=1 c=1");
});

it("changed outside after a kill before the new text took the file's place: what was typed stays", async () => {
  const d = desk("a=1 b=1 c=1");
  const session = d.session();
  const shown: string[] = [];
  d.look((step) => step === "rename file" && shown.push(d.left(), d.left("a=1 b=1 c=9"), d.left("a=2 b=1 c=9")));
  await change(session, set("a", "2"), set("b", "2"));
  await session.flush();
  expect(shown).toEqual(["a=2 b=2 c=1", "a=2 b=2 c=9", "a=2 b=2 c=9"]);
});

it("changed outside just before the new text would have taken the file's place: merged, wherever a kill comes", async () => {
  const d = desk("a=1 b=1");
  const session = d.session();
  const shown: string[] = [];
  let written = false;
  d.look((step) => {
    if (step === "rename file" && !written) d.write("a=1 b=9");
    written ||= step === "rename file";
    if (written) shown.push(d.left());
  });
  await change(session, set("a", "2"));
  await session.flush();
  expect(shown.length).toBeGreaterThan(8);
  expect(new Set(shown)).toEqual(new Set(["a=2 b=9"]));
});

it("removes the half-written file of a process that is gone, and no other", () => {
  const d = desk("a=1");
  const dead = spawnSync(process.execPath, ["-e", ""]).pid;
  for (const name of [`a.nb.ts.${dead}.new`, `b.nb.ts.${dead}.new`, "a.nb.ts.new", `a.nb.ts.${process.pid}.new`])
    writeFileSync(join(dirname(d.file), name), "half");
  // of another process that lives
  writeFileSync(join(dirname(d.file), `a.nb.ts.${process.ppid}.new`), "half");
  const left = () =>
    readdirSync(dirname(d.file))
      .filter((name) => name.endsWith(".new"))
      .sort();
  const others = ["a.nb.ts.new", `a.nb.ts.${process.ppid}.new`, `b.nb.ts.${dead}.new`];
  d.session();
  expect(left()).toEqual([...others, `a.nb.ts.${process.pid}.new`].sort());
  // as in a container, where every process that writes has one number
  utimesSync(join(dirname(d.file), `a.nb.ts.${process.pid}.new`), 1, 1);
  d.session();
  expect(left()).toEqual(others.sort());
});

it("says which cells were merged when edits were not in the file yet, and keeps both sides as points", async () => {
  const d = desk("a=1 b=1 c=1 d=1");
  const first = d.session();
  d.fail("write file");
  await change(first, set("a", "2"), set("c", "2"));
  await first.close();
  d.mend();
  d.write("a=1 b=3 c=3 d=1");
  const again = d.session();
  expect(again.state.reopened).toEqual({ at: expect.any(Number), theirs: ["b"], ours: ["a"], twice: ["c"] });
  expect(shown(again)).toBe("a=2 b=3 c=2 c-file=3! d=1");
  const points = again.history!.points().map(({ why, source }) => `${why}: ${source.cells.map((cell) => cell.source).join(" ")}`);
  expect(points.slice(-2)).toEqual(["edit: 2 1 2 1", "outside: 2 3 2 3 1"]);
  // a client that comes later is told too, and the next opening has nothing to merge
  await again.close();
  expect(d.session().state.reopened).toBe(null);
});

it("keeps what was typed as a point when another program has replaced the file meanwhile, also where it could not be read at first", async () => {
  const words = (session: Session) =>
    session.history!.points().map(({ why, source }) => `${why}: ${source.cells.map((cell) => cell.source).join(" ")}`);
  // as a kill leaves it before the points are on the disk
  const unsaid = (d: ReturnType<typeof desk>) => rmSync(join(dirname(d.file), ".touchstone/history"), { recursive: true });
  for (const broken of [false, true]) {
    const d = desk("a=1 b=1");
    const typed = d.session();
    await change(typed, set("a", "2"));
    await typed.flush();
    await typed.close();
    unsaid(d);
    d.write("a=7 b=7");
    if (broken) writeFileSync(d.file, `<<<<<<< ours\n${text("a=2")}=======\n${text("a=7")}>>>>>>> theirs\n`);
    const again = d.session();
    if (broken) {
      expect(again.state.broken).not.toBe(null);
      d.write("a=7 b=7");
      await again.flush();
    }
    expect(shown(again)).toBe("a=7 b=7");
    expect(words(again)).toEqual(["edit: 2 1", "outside: 7 7"]);
  }
});

it("says nothing when only the file had changed, or only the page", async () => {
  const d = desk("a=1 b=1");
  const first = d.session();
  await change(first, set("a", "2"));
  await first.close();
  d.write("a=2 b=3");
  const second = d.session();
  expect(shown(second)).toBe("a=2 b=3");
  expect(second.state.reopened).toBe(null);
  d.fail("write file");
  await change(second, set("a", "4"));
  await second.close();
  d.mend();
  const third = d.session();
  expect(shown(third)).toBe("a=4 b=3");
  expect(third.state.reopened).toBe(null);
});
