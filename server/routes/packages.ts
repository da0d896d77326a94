/** Packages of a notebook's workspace: listed; installed, removed and restored on request, which every open notebook of the workspace is told. */
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { Hono } from "hono";
import { parseNotebook } from "../../kernels/notebook/parse.js";
import type { Cell, PackageTask } from "../../kernels/protocol/document.js";
import type { Effects } from "../effects.js";
import { cancelInstall, changePackages, InstallError, type Installed, type PackageChange } from "../packages/install.js";
import { readSpec } from "../packages/names.js";
import { installedVersion, usersOf, viewPackages, type Other } from "../packages/view.js";
import { placeOf, type NotebookPlace } from "../sessions/paths.js";
import { findNotebooks } from "./home.js";
import { body, RequestError, text } from "./problem.js";

/** ms between two lines of npm that clients are told */
const pace = 250;

export function packageRoutes({ root, sessions, now }: Pick<Effects, "root" | "sessions" | "now">): Hono {
  const tell = (workspace: string, packages: PackageTask) => {
    for (const session of sessions.all()) if (session.place.workspace === workspace) session.dispatch({ type: "packages", packages });
  };
  /** A kernel keeps what its cells imported: who has another version now is told. */
  const warn = (workspace: string, had: ReadonlyMap<string, string>) => {
    for (const session of sessions.all()) {
      const { state } = session;
      if (session.place.workspace !== workspace || !["idle", "busy"].includes(state.kernel.state)) continue;
      const users = usersOf(state.source.cells.filter((cell) => (state.cells[cell.id]?.run ?? null) !== null));
      for (const [name, version] of had) {
        const now = installedVersion(workspace, name);
        if (now === version || !users.has(name)) continue;
        const text = `${name} ${version} ${now === null ? "was removed" : `is ${now} now`}: the kernel has the old one until it is restarted.`;
        session.dispatch({ type: "trouble", text });
      }
    }
  };
  const change = async (workspace: string, wanted: PackageChange): Promise<Installed> => {
    let status: PackageTask["status"] = "running";
    const had = new Map(
      wanted.packages.flatMap((text) => {
        const name = readSpec(text)?.name ?? "";
        const version = installedVersion(workspace, name);
        return name === "" || version === null ? [] : [[name, version] as const];
      }),
    );
    const begun = now();
    let spoken = begun;
    const say = (said: string) => tell(workspace, { ...wanted, status, at: status === "running" ? begun : now(), said });
    const work = changePackages(workspace, root, wanted, (line) => {
      if (now() - spoken < pace) return;
      spoken = now();
      say(line.slice(0, 300));
    });
    try {
      say("");
      const done = await work;
      status = "done";
      say(outcome(wanted, done));
      warn(workspace, had);
      return done;
    } catch (error) {
      const known = error instanceof InstallError;
      // another one is under way: what is told of that one stays
      if (known && (error.code === "busy" || error.code === "bad-request")) throw refusal(error);
      status = known && error.code === "cancelled" ? "cancelled" : "failed";
      say((error as Error).message);
      throw known ? refusal(error) : error;
    }
  };
  /** The workspace's other notebooks: as they are open, else as their files say; one that cannot be read has no cells. */
  const others = ({ workspace, path }: NotebookPlace): Other[] =>
    findNotebooks(workspace)
      .map((file) => placeOf(root, relative(root, file)))
      .filter((place) => place.path !== path && place.workspace === workspace)
      .map((place) => ({ path: place.path, href: place.href, cells: sessions.get(place.path)?.state.source.cells ?? cellsOf(place.file) }));
  return new Hono()
    .get("/packages", async (c) => {
      const session = sessions.open(c.req.query("path") ?? "");
      return c.json(await viewPackages(session.place.workspace, root, session.state.source.cells, others(session.place)));
    })
    .post("/packages/:task{install|remove|restore}", async (c) => {
      const given = await body(c);
      const { workspace } = placeOf(root, text(given, "path"));
      const { packages = [] } = given;
      if (!Array.isArray(packages) || packages.length > 50 || !packages.every((each) => typeof each === "string"))
        throw new RequestError(400, "bad-request", "Expected `packages` to be a list of names.");
      return c.json(await change(workspace, { task: c.req.param("task") as PackageTask["task"], packages }));
    })
    .delete("/packages/install", (c) => {
      cancelInstall(placeOf(root, c.req.query("path") ?? "").workspace);
      return c.json({ ok: true });
    });
}

function cellsOf(file: string): readonly Cell[] {
  try {
    return parseNotebook(readFileSync(file, "utf8")).source.cells;
  } catch {
    return [];
  }
}

function refusal(error: InstallError): RequestError {
  return new RequestError(error.code === "bad-request" ? 400 : 409, error.code, error.message);
}

function outcome({ task, packages }: PackageChange, { installed, scripts }: Installed): string {
  const note = scripts.length === 0 ? "" : ` Install scripts were not run: ${scripts.join(", ")}.`;
  if (task === "remove") return `Removed ${packages.join(", ")}.`;
  if (task === "restore") return `Installed what package.json asks for.${note}`;
  return `Installed ${installed.map(({ name, version }) => `${name} ${version}`).join(", ")}.${note}`;
}
