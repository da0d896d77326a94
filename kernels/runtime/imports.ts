/**
 * What `import` means in a cell: Node's own modules, npm packages of the workspace, the kernel's TensorFlow.js, relative files
 * compiled like cells (Node's loader would keep each version for ever), and "touchstone" itself.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire, isBuiltin } from "node:module";
import { dirname, extname, isAbsolute, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as vm from "node:vm";
import { stateOfFile } from "../reactive/file-state.js";
import { translate, type Translation } from "./translate.js";

export type Namespace = Record<string, unknown>;
export type Importer = (spec: unknown, options?: unknown, names?: string[]) => Promise<Namespace>;

export interface ImporterOptions {
  /** absolute path that relative imports of cells count from */
  notebook: string;
  /** values of the compiler's parameters and of the free names in an imported file */
  parameters(free: string[], file: string): Record<string, unknown>;
  /** modules that the kernel supplies: "touchstone", "@tensorflow/tfjs*"; null = not one of them */
  supplied(spec: string, names: string[]): Promise<Namespace> | null;
  /** a file was imported by the cell that runs */
  read(path: string): void;
  /** tells from now on whether the run under way goes on: a file's code is not begun for one that was stopped */
  goesOn(): () => boolean;
}

interface FileModule {
  hash: string;
  source: string;
  translation: Translation | null;
  exports: Namespace;
  /** settled when its code has run */
  done: Promise<void>;
  running: boolean;
  /** does the run go on that it is loaded for? */
  goesOn(): boolean;
  uses: Set<string>;
  /** which loading this is */
  number: number;
  /** what it keeps; undefined: not looked at yet */
  state?: string | null;
}

const never = new Promise<never>(() => {});

/** An import that failed because something is not installed or not exported. */
export class ImportError extends Error {
  override name = "ImportError";
  /** npm package that would have to be installed */
  package?: string;
}

export interface Imports {
  /** `$$imp` for cells, or for a file */
  from(file: string): Importer;
  /** translation and source of an imported file, by its path */
  file(path: string): { source: string; translation: Translation | null } | undefined;
  /** the files that a file imports, directly or not, with itself */
  reach(path: string): string[];
  /** those of these paths that are files of code: which loading, and what they keep from call to call */
  held(paths: Iterable<string>): { path: string; version: number; state: string | null }[];
  /** a strike has landed: files whose code has not come to its end never will */
  landed(): void;
}

export function createImports(options: ImporterOptions): Imports {
  const modules = new Map<string, FileModule>();
  let loads = 0;
  const loaders = new Map<string, (spec: string) => Promise<Namespace>>();

  const nodeImport = (spec: string, file: string) => {
    const folder = dirname(file);
    let load = loaders.get(folder);
    if (!load) {
      // the only way found that resolves like an import statement of a file there, with the package's "import" condition
      load = vm.compileFunction("return import(spec)", ["spec"], {
        filename: file,
        importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
      } as vm.CompileFunctionOptions) as (spec: string) => Promise<Namespace>;
      loaders.set(folder, load);
    }
    return load(spec);
  };

  const load = async (spec: string, file: string, names: string[], chain: string[], goesOn: () => boolean): Promise<Namespace> => {
    const supplied = options.supplied(spec, names);
    if (supplied) return supplied;
    if (isBuiltin(spec)) return nodeImport(spec, file);
    if (/^https?:/.test(spec)) throw new ImportError(`"${spec}": imports from the web are not possible; install the package in the workspace`);
    const path = pathOf(spec, file);
    if (path === null) return packageImport(spec, file, nodeImport);
    return fileImport(await found(path, spec), chain, goesOn);
  };

  const fileImport = async (path: string, chain: string[], goesOn: () => boolean): Promise<Namespace> => {
    if (!goesOn()) return never;
    options.read(path);
    modules.get(chain.at(-1) ?? "")?.uses.add(path);
    const kind = extname(path);
    if (kind === ".json") return { default: JSON.parse(await readFile(path, "utf8")) as unknown };
    if (kind === ".cjs" || kind === ".node") {
      const value = createRequire(path)(path) as unknown;
      return { ...(typeof value === "object" ? value : {}), default: value };
    }
    let known = modules.get(path);
    if (known?.running && !known.goesOn()) known = undefined;
    // a cycle: what is there so far, as with Node's own modules
    if (known && chain.includes(path)) return known.exports;
    if (known && (await current(path, new Set()))) {
      await known.done;
      for (const used of reach(path)) options.read(used);
      return known.exports;
    }
    const source = await readFile(path, "utf8");
    const module: FileModule = {
      hash: hashOf(source),
      source,
      translation: null,
      exports: {},
      done: Promise.resolve(),
      running: true,
      goesOn,
      uses: new Set(),
      number: ++loads,
    };
    modules.set(path, module);
    module.done = run(path, module, chain);
    try {
      await module.done;
      module.running = false;
    } catch (error) {
      if (modules.get(path) === module) module.hash = "";
      throw error;
    }
    return module.exports;
  };

  const run = async (path: string, module: FileModule, chain: string[]): Promise<void> => {
    try {
      module.translation = await translate(module.source, "file");
    } catch (error) {
      throw new ImportError(`${path} does not parse: ${(error as Error).message}`, { cause: error });
    }
    if (!module.goesOn()) return never;
    const own = {
      $$x: (getters: object) => void Object.defineProperties(module.exports, Object.getOwnPropertyDescriptors(getters)),
      $$imp: importer(path, [...chain, path]),
      $$meta: Object.freeze({ url: pathToFileURL(path).href, filename: path, dirname: dirname(path) }),
    };
    const parameters = { ...options.parameters(module.translation.free, path), ...own };
    const body = vm.compileFunction(module.translation.code, Object.keys(parameters), { filename: path });
    await (body(...Object.values(parameters)) as Promise<void>);
  };

  const current = async (path: string, seen: Set<string>): Promise<boolean> => {
    if (seen.has(path)) return true;
    seen.add(path);
    const module = modules.get(path);
    if (!module) return extname(path) === ".json" || extname(path) === ".cjs";
    const text = await readFile(path, "utf8").catch(() => null);
    if (text === null || hashOf(text) !== module.hash) return false;
    for (const used of module.uses) if (!(await current(used, seen))) return false;
    return true;
  };

  const reach = (path: string): string[] => {
    const seen = new Set([path]);
    for (const each of seen) for (const used of modules.get(each)?.uses ?? []) seen.add(used);
    return [...seen];
  };

  const importer =
    (file: string, chain: string[]): Importer =>
    async (spec, _options, names = []) => {
      if (typeof spec !== "string") throw new TypeError(`Expected the name of a module to be a string, got \`${String(spec)}\``);
      const space = await load(spec, file, names, chain, options.goesOn());
      return names.length > 0 ? named(space, names, spec) : space;
    };

  return {
    from: (file) => importer(file, []),
    file: (path) => modules.get(path),
    reach,
    held: (paths) =>
      [...paths].flatMap((path) => {
        const module = modules.get(path);
        if (module === undefined) return [];
        module.state ??= stateOfFile(module.source);
        return [{ path, version: module.number, state: module.state }];
      }),
    landed() {
      for (const [path, { running }] of modules) if (running) modules.delete(path);
    },
  };
}

/** CommonJS packages often have their names on `default` only. */
function named(space: Namespace, names: string[], spec: string): Namespace {
  const missing = names.filter((name) => !(name in space));
  if (missing.length === 0) return space;
  const fallback = space["default"] as Namespace | undefined | null;
  const object = typeof fallback === "function" || (typeof fallback === "object" && fallback !== null) ? fallback : {};
  const still = missing.filter((name) => !(name in object));
  if (still.length > 0) {
    if (still.includes("default") && still.length === 1) throw new ImportError(`"${spec}" has no default export; import it by name or as \`* as\``);
    throw new ImportError(`"${spec}" does not export ${still.map((name) => `\`${name}\``).join(", ")}`);
  }
  const result: Namespace = {};
  for (const name of Object.keys(space)) Object.defineProperty(result, name, { get: () => space[name], enumerable: true });
  for (const name of missing) Object.defineProperty(result, name, { get: () => object[name], enumerable: true });
  return result;
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function pathOf(spec: string, file: string): string | null {
  if (spec.startsWith("file:")) return fileURLToPath(spec);
  if (/^\.\.?(\/|$)/.test(spec)) return resolve(dirname(file), spec);
  return isAbsolute(spec) ? spec : null;
}

/** The file itself, or with the ending that people leave out, or the .ts that a ".js" stands for. */
async function found(path: string, spec: string): Promise<string> {
  const tries = [path, `${path}.ts`, `${path}.js`, `${path}.mjs`, `${path}.json`, join(path, "index.ts"), join(path, "index.js")];
  if (/\.m?js$/.test(path)) tries.push(path.replace(/\.(m?)js$/, ".$1ts"));
  for (const each of tries) {
    const known = await readFile(each).then(
      () => true,
      () => false,
    );
    if (known) return each;
  }
  throw new ImportError(`no file "${spec}" (looked at ${path})`);
}

async function packageImport(spec: string, file: string, load: (spec: string, file: string) => Promise<Namespace>): Promise<Namespace> {
  try {
    return await load(spec, file);
  } catch (error) {
    const code = (error as { code?: string }).code;
    const name = spec.startsWith("@") ? spec.split("/").slice(0, 2).join("/") : spec.split("/")[0]!;
    if (code === "ERR_MODULE_NOT_FOUND" && (error as Error).message.includes(`'${name}'`)) {
      const failure = new ImportError(`the package "${name}" is not installed in this workspace`);
      failure.package = name;
      throw failure;
    }
    throw error;
  }
}
