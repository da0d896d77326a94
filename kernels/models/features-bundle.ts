/** Builds features.mjs: one closed ES module of the row function, what it uses, and the driver. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join } from "node:path";
import type { Plugin } from "esbuild";
import type { Hash } from "../protocol/values.js";
import { packageRoot } from "../paths/paths.js";
import { trailer } from "./features-realm.js";

export interface BundleParts {
  input: Record<string, string>;
  /** virtual modules by name, TypeScript; "row" exports `$$row` */
  modules: Record<string, string>;
  /** folder that imports of npm packages and relative files count from */
  folder: string;
  /** a look at each workspace file that is bundled; throw to refuse it */
  inspect?: (path: string, source: string) => void;
}
export interface Bundle {
  code: string;
  hash: Hash;
}

/** Specifiers of virtual modules: `touchstone:row`, `touchstone:f` ... */
export const virtual = "touchstone:";
const ours: Record<string, string> = { f: "f.ts", driver: "features-driver.ts" };
const limit = 8 << 20;

/** Throws an Error with esbuild's own sentence when an import cannot be bundled. */
export async function buildBundle(parts: BundleParts): Promise<Bundle> {
  const { build } = await import("esbuild");
  const entry = [
    `import { createDriver } from "${virtual}driver";`,
    `import { $$row as row } from "${virtual}row";`,
    `const bundle = createDriver(${JSON.stringify(parts.input).replaceAll('"__proto__":', '["__proto__"]:')}, row);`,
    "export const { input, fill, measure, state } = bundle;",
    "export default bundle;",
  ].join("\n");
  let inspected: unknown = null;
  const plugin: Plugin = {
    name: "touchstone",
    setup(setup) {
      setup.onResolve({ filter: /^touchstone:/ }, ({ path }) => ({ path: path.slice(virtual.length), namespace: "features" }));
      setup.onLoad({ filter: /.*/, namespace: "features" }, ({ path }) => {
        const own = ours[path];
        const contents = path === "entry" ? entry : own ? readFileSync(join(packageRoot(), "kernels/models", own), "utf8") : parts.modules[path];
        if (contents === undefined) return { errors: [{ text: `no module ${path}` }] };
        return { contents, loader: "ts", resolveDir: parts.folder };
      });
      setup.onResolve({ filter: /^[^.]/ }, ({ path }) => {
        const name = path.replace(/^node:/, "");
        if (path.startsWith("node:") || builtinModules.includes(name))
          return { errors: [{ text: `${path} belongs to Node: features may not read files, the network or the environment` }] };
        if (/^@tensorflow\//.test(path)) return { errors: [{ text: `${path} makes tensors: features are plain numbers` }] };
        return undefined;
      });
      setup.onLoad({ filter: /\.json$/, namespace: "file" }, ({ path }) => ({
        contents: jsonModule(readFileSync(path, "utf8")),
        loader: "js",
        resolveDir: parts.folder,
      }));
      setup.onLoad({ filter: /\.[cm]?[jt]sx?$/, namespace: "file" }, ({ path }) => {
        if (!parts.inspect || /[\\/]node_modules[\\/]/.test(path)) return undefined;
        try {
          parts.inspect(path, readFileSync(path, "utf8"));
          return undefined;
        } catch (error) {
          inspected = error;
          return { errors: [{ text: (error as Error).message }] };
        }
      });
    },
  };
  let text: string;
  try {
    const result = await build({
      stdin: {
        contents: `import bundle from "${virtual}entry";\nexport default bundle;`,
        resolveDir: parts.folder,
        sourcefile: "features.ts",
        loader: "ts",
      },
      absWorkingDir: parts.folder,
      bundle: true,
      write: false,
      format: "iife",
      globalName: "$features",
      platform: "neutral",
      mainFields: ["module", "main"],
      conditions: ["module"],
      target: "es2022",
      charset: "utf8",
      legalComments: "none",
      define: { "process.env.NODE_ENV": '"production"' },
      tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true, useDefineForClassFields: true } },
      logLevel: "silent",
      plugins: [plugin],
    });
    text = result.outputFiles[0]!.text;
  } catch (error) {
    if (inspected) throw inspected;
    const [first] = (error as { errors?: { text: string; location: { file: string; line: number } | null }[] }).errors ?? [];
    if (!first) throw error;
    throw new Error(first.location ? `${first.text} (${first.location.file}:${first.location.line})` : first.text, { cause: error });
  }
  const code = `// Touchstone features 1. Written once by the training run; the served version runs this same file.\n${text}const bundle = $features.default;${trailer}`;
  if (code.length > limit)
    throw new Error(`the features' code is ${(code.length / 1e6).toFixed(1)} MB, more than 8 MB; keep data in \`fit\`, not in the closure`);
  return { code, hash: createHash("sha256").update(code).digest("hex").slice(0, 32) };
}

/** A JSON file as a module whose values cannot be changed. Throws where it is no JSON. */
function jsonModule(text: string): string {
  const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ""));
  const names =
    value !== null && typeof value === "object" && !Array.isArray(value)
      ? Object.keys(value).filter((name) => name !== "default" && !/[\ud800-\udfff]/.test(name))
      : [];
  const exports = names.map((name, i) => `const x${i} = data[${JSON.stringify(name)}];\nexport { x${i} as ${JSON.stringify(name)} };`);
  return [
    `import { fix } from "${virtual}driver";`,
    `const data = fix(JSON.parse(${JSON.stringify(text)}));`,
    "export default data;",
    ...exports,
  ].join("\n");
}

/** Folder of a notebook, for imports. */
export const folderOf = (notebook: string) => dirname(notebook);
