/** One notebook as a TypeScript project: its cells are virtual modules beside the file, everything else is read from the disk. */
import { readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import ts from "typescript";
import { packageRoot } from "../paths/paths.js";
import { applyOperation } from "../notebook/operations.js";
import type { Cell, NotebookSource, Operation } from "../protocol/document.js";
import type { Place } from "../protocol/language.js";
import type { ColumnInfo } from "../protocol/output.js";
import { rowType } from "./columns.js";
import { globalsText } from "./globals.js";
import { buildModule, readCell, toCell, type Module, type Reading, type Template } from "./virtual.js";

export interface Schema {
  /** text of the template that was described */
  text: string;
  columns: ColumnInfo[];
}

export interface Project {
  readonly notebook: string;
  readonly workspace: string;
  readonly service: ts.LanguageService;
  rev: number;
  /** what the last described SQL looks like, by `templateKey` */
  readonly schemas: Map<string, Schema>;
  cells(): readonly Cell[];
  reading(cell: string): Reading | undefined;
  readings(): readonly Reading[];
  /** the cell that a name is taken from */
  owner(name: string): string | undefined;
  /** every name that cells share */
  names(): string[];
  set(cells: readonly Cell[]): void;
  apply(ops: readonly Operation[]): void;
  /** an extra cell that reads the others and is read by none; null takes it away */
  extra(code: string | null): void;
  /** schemas have changed */
  touch(): void;
  /**
   * Brings the modules up to date and gives the one of a cell; null for text. With all names of the others in it, for what proposes
   * names, it is another text, and TypeScript looks at it anew.
   */
  open(cell: string, names?: "used" | "all"): { file: string; module: Module } | null;
  /** brings the modules up to date */
  sync(): void;
  /** the module's file of a cell; null for text and unknown ones */
  fileOf(cell: string): string | null;
  /** the cell that a file is the module of */
  cellOf(file: string): { cell: string; module: Module } | null;
  /** an offset of a cell's module in the cell */
  toCell(file: string, at: number): { cell: string; at: number } | null;
  dispose(): void;
}

/** Id of the extra cell. */
export const extraCell = "";
export const templateKey = (cell: string, index: number): string => `${cell}\0${index}`;
export const templateText = (template: Template, source: string): string => source.slice(template.from, template.to);

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  lib: ["lib.es2023.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts", "lib.esnext.disposable.d.ts"],
  strict: true,
  // people explore: a parameter without a type is no error
  noImplicitAny: false,
  skipLibCheck: true,
  noEmit: true,
  allowImportingTsExtensions: true,
  esModuleInterop: true,
  types: ["node"],
};

/** Cells that names were proposed for lately keep all names in their first line, so that going to and fro changes no module. */
const kept = 4;

interface Virtual {
  text: string;
  version: number;
  module: Module | null;
  cell: string | null;
}

export function createProject(given: {
  notebook: string;
  workspace: string;
  registry: ts.DocumentRegistry;
  /** asked while TypeScript is at work: shall it stop? */
  cancelled: () => boolean;
}): Project {
  const { notebook, workspace, registry, cancelled } = given;
  const root = packageRoot();
  const folder = dirname(notebook);
  const hubName = `${basename(notebook)}.names.ts`;
  const hub = join(folder, hubName);
  const globals = join(folder, `${basename(notebook)}.globals.d.ts`);
  const files = new Map<string, Virtual>([[globals, { text: globalsText(root), version: 1, module: null, cell: null }]]);
  const schemas = new Map<string, Schema>();
  let source: NotebookSource = { front: {}, cells: [] };
  let extra: Cell | null = null;
  let readings = new Map<string, Reading>();
  let ordered: Reading[] = [];
  let owners = new Map<string, string>();
  /** every shared name; the same list as long as no cell offers others */
  let names: readonly string[] = [];
  let recent: string[] = [];
  let dirty = true;
  let version = 0;
  let described = 0;
  /** by cell: what its module was made from */
  const made = new Map<string, { reading: Reading; names: readonly string[]; open: boolean; described: number }>();
  const paths = new Map<string, { file: string; from: string }>();
  const pathOf = (cell: string) => {
    let path = paths.get(cell);
    if (path === undefined) {
      const name = `${basename(notebook)}.cell${paths.size + 1}`;
      paths.set(cell, (path = { file: join(folder, `${name}.ts`), from: `./${name}.ts` }));
    }
    return path;
  };
  const fileOf = (cell: string): string => pathOf(cell).file;

  const put = (name: string, text: string, module: Module | null, cell: string | null): void => {
    const was = files.get(name);
    if (was?.text === text) {
      was.module = module;
      return;
    }
    files.set(name, { text, version: (was?.version ?? 0) + 1, module, cell });
    version++;
  };

  /** The row type of a template, null when it is not known. */
  const rowOf = ({ cell }: Reading, template: Template, index: number): string | null => {
    const schema = schemas.get(templateKey(cell.id, index));
    if (schema === undefined) return null;
    const row = rowType(schema.columns);
    // edited since: its columns are offered, others are let pass
    return schema.text === templateText(template, cell.source) ? row : `${row} & Record<string, any>`;
  };

  const disk = watchDisk(workspace, () => version++);
  let packages = 0;
  const sync = (): void => {
    disk.look();
    if (packages !== disk.packages) {
      // a package came or went: what was not found may be there now
      packages = disk.packages;
      installed.clear();
      resolutions.clear();
      service.dispose();
      service = ts.createLanguageService(host, registry);
    }
    if (!dirty) return;
    dirty = false;
    const before = readings;
    readings = new Map();
    for (const cell of extra === null ? source.cells : [...source.cells, extra]) {
      if (cell.kind === "markdown") continue;
      const known = before.get(cell.id);
      readings.set(cell.id, known?.cell.source === cell.source && known.cell.kind === cell.kind ? known : readCell(cell, known));
    }
    ordered = [...readings.values()];
    const taken = new Map<string, string>();
    const lines: string[] = [];
    for (const { cell, offers } of ordered) {
      if (cell.id === extraCell) continue;
      const own = offers.filter((name) => !taken.has(name));
      for (const name of own) taken.set(name, cell.id);
      // also without names, so that the list of imports changes only with the list of cells
      lines.push(`export { ${own.join(", ")} } from "${pathOf(cell.id).from}";`);
    }
    const shared = `${lines.join("\n")}\nexport {};\n`;
    if (files.get(hub)?.text !== shared) {
      put(hub, shared, null, null);
      owners = taken;
      names = [...owners.keys()];
    }
    const live = new Set([hub, globals]);
    for (const reading of ordered) {
      const { id } = reading.cell;
      live.add(fileOf(id));
      // a key changes one cell of hundreds: the others' modules are as they were
      const open = recent.includes(id);
      const last = made.get(id);
      if (last?.reading === reading && last.names === names && last.open === open && last.described === described) continue;
      made.set(id, { reading, names, open, described });
      const wanted = names.filter((name) => (open || reading.words.has(name)) && owners.get(name) !== id);
      const module = buildModule(reading, `./${hubName}`, wanted, rowOf);
      put(fileOf(id), module.text, module, id);
    }
    for (const id of made.keys()) if (!readings.has(id)) made.delete(id);
    for (const name of files.keys())
      if (!live.has(name)) {
        files.delete(name);
        snapshots.delete(name);
        version++;
      }
  };

  const project: Project = {
    notebook,
    workspace,
    rev: 0,
    schemas,
    get service() {
      return service;
    },
    cells: () => source.cells,
    reading: (cell) => readings.get(cell),
    readings: () => ordered,
    owner: (name) => owners.get(name),
    names: () => [...names],
    set(cells) {
      source = { front: {}, cells: [...cells] };
      dirty = true;
    },
    apply(ops) {
      source = ops.reduce(applyOperation, source);
      dirty = true;
    },
    extra(code) {
      extra = code === null ? null : { id: extraCell, kind: "code", source: code, options: {} };
      dirty = true;
    },
    touch() {
      described++;
      dirty = true;
    },
    open(cell, names = "used") {
      if (names === "all" && !recent.includes(cell)) {
        recent = [cell, ...recent].slice(0, kept);
        dirty = true;
      }
      sync();
      const file = fileOf(cell);
      const module = files.get(file)?.module ?? null;
      return module === null ? null : { file, module };
    },
    sync,
    fileOf: (cell) => (readings.has(cell) ? fileOf(cell) : null),
    cellOf(file) {
      const found = files.get(file);
      return found?.module == null || found.cell === null ? null : { cell: found.cell, module: found.module };
    },
    toCell(file, at) {
      const found = project.cellOf(file);
      const offset = found === null ? null : toCell(found.module, at);
      return found === null || offset === null ? null : { cell: found.cell, at: offset };
    },
    dispose: () => service.dispose(),
  };

  /** TypeScript asks for every file at every change; a thousand of them are read once */
  const snapshots = new Map<string, { at: number; snapshot: ts.IScriptSnapshot | undefined }>();
  const installed = packageFiles();
  const resolutions = ts.createModuleResolutionCache(folder, (name) => name, options);
  const settings: ts.CompilerOptions = { ...options, typeRoots: [join(root, "node_modules/@types")] };
  const host: ts.LanguageServiceHost & Pick<ts.ModuleResolutionHost & ts.CompilerHost, "getModuleResolutionCache"> = {
    getProjectVersion: () => `${version}`,
    getCompilationSettings: () => settings,
    getScriptFileNames: () => [...files.keys()],
    getScriptVersion: (name) => `${files.get(name)?.version ?? disk.version(name)}`,
    getScriptSnapshot(name) {
      const own = files.get(name);
      const at = own?.version ?? disk.version(name);
      const known = snapshots.get(name);
      if (known?.at === at) return known.snapshot;
      const text = own?.text ?? ts.sys.readFile(name);
      const snapshot = text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
      snapshots.set(name, { at, snapshot });
      return snapshot;
    },
    getCurrentDirectory: () => folder,
    getDefaultLibFileName: (given) => ts.getDefaultLibFilePath(given),
    fileExists: (name) => files.has(name) || installed.file(name),
    // what is loaded may be imported: TypeScript would look for `@types/node` in the workspace's package.json, which has no need of it
    ...{ getPackageJsonsVisibleToFile: () => [] },
    readFile: (name) => files.get(name)?.text ?? installed.text(name),
    directoryExists: (name) => installed.folder(name),
    getDirectories: (name) => ts.sys.getDirectories(name),
    readDirectory: (...given) => ts.sys.readDirectory(...given),
    realpath: (name) => (files.has(name) ? name : (ts.sys.realpath?.(name) ?? name)),
    // else the package.json above each file is read and parsed at each key
    getModuleResolutionCache: () => resolutions,
    getCancellationToken: () => ({ isCancellationRequested: cancelled }),
    // the library's own packages serve a workspace that lies elsewhere
    resolveModuleNameLiterals: (literals, containing, redirected, given) =>
      literals.map(({ text }) => {
        if (containing === hub) return { resolvedModule: { resolvedFileName: join(folder, text), extension: ".ts", isExternalLibraryImport: false } };
        if (text === `./${hubName}`) return { resolvedModule: { resolvedFileName: hub, extension: ".ts", isExternalLibraryImport: false } };
        const found = ts.resolveModuleName(text, containing, given, host as ts.ModuleResolutionHost, resolutions, redirected);
        if (found.resolvedModule || text.startsWith(".")) return found;
        const name = text === "touchstone" ? join(root, "kernels/runtime/module.js") : text;
        return ts.resolveModuleName(name, join(root, "touchstone.ts"), given, host as ts.ModuleResolutionHost);
      }),
  };
  let service = ts.createLanguageService(host, registry);
  return project;
}

/** What the disk says of installed packages, asked once until they change: at every key TypeScript looks for the package.json of each file. */
function packageFiles() {
  const files = new Map<string, boolean>();
  const folders = new Map<string, boolean>();
  const texts = new Map<string, string | undefined>();
  const once =
    <T>(known: Map<string, T>, ask: (path: string) => T) =>
    (path: string): T => {
      if (!path.includes("node_modules")) return ask(path);
      if (!known.has(path)) known.set(path, ask(path));
      return known.get(path)!;
    };
  return {
    file: once(files, ts.sys.fileExists),
    folder: once(folders, ts.sys.directoryExists),
    text: once(texts, ts.sys.readFile),
    clear() {
      for (const known of [files, folders, texts]) known.clear();
    },
  };
}

/** Versions of files on the disk: those of the workspace are looked at again, at most twice a second; packages when the list of them changed. */
function watchDisk(workspace: string, changed: () => void) {
  const versions = new Map<string, number>();
  const own: string[] = [];
  const lists = [join(workspace, "package.json"), join(workspace, "node_modules/.package-lock.json"), join(workspace, "package-lock.json")];
  const stamp = (path: string): number => {
    try {
      return statSync(path).mtimeMs;
    } catch {
      return 0;
    }
  };
  let seen = lists.map(stamp).join();
  let lookedAt = 0;
  const found = {
    /** counts changes of the installed packages */
    packages: 0,
    version(path: string): number {
      let known = versions.get(path);
      if (known === undefined) {
        versions.set(path, (known = stamp(path)));
        if (path.startsWith(workspace) && !path.includes("node_modules")) own.push(path);
      }
      return known;
    },
    look(): void {
      const now = performance.now();
      if (now - lookedAt < 500) return;
      lookedAt = now;
      for (const path of own) {
        const at = stamp(path);
        if (at === versions.get(path)) continue;
        versions.set(path, at);
        changed();
      }
      const list = lists.map(stamp).join();
      if (list === seen) return;
      seen = list;
      found.packages++;
      changed();
    },
  };
  return found;
}

/** lines shown before and after a place of a file */
const around = { before: 12, after: 40 };

/** A place of a file outside of the notebook, with the lines around it. */
export function placeIn(file: string, at: number): Extract<Place, { file: string }> {
  const text = readFileSync(file, "utf8");
  const before = text.slice(0, at).split("\n");
  const line = before.length;
  const first = Math.max(1, line - around.before);
  const shown = text.split("\n").slice(first - 1, line + around.after);
  return { file, line, column: before.at(-1)!.length + 1, first, text: shown.map((one) => one.trimEnd()).join("\n") };
}
