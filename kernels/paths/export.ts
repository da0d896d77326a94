/** `touchstone export`: a folder that serves one version alone. Bundles dist/export-server.js with its back end; loads no engine itself. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Field, Signature } from "../protocol/values.js";
import { readVersion } from "./folder.js";
import { entry, packageRoot } from "./paths.js";

export interface ExportSource {
  name: string;
  version: number;
  dir: string;
}

/** Largest server.mjs. */
const mostBytes = 12e6;

/** Writes server.mjs, version/, package.json, Dockerfile, openapi.json and README.md into a new or empty folder. Throws when it holds anything. */
export async function exportVersion({ name, version, dir }: ExportSource, target: string): Promise<{ files: string[]; bytes: number }> {
  if (existsSync(target) && (!statSync(target).isDirectory() || readdirSync(target).length > 0))
    throw new Error(`Expected \`dir\` to be a new or empty folder, got ${target}`);
  const { manifest, signature, card } = readVersion(dir);
  mkdirSync(target, { recursive: true });
  try {
    const server = await bundle(name, version);
    if (server.length > mostBytes) throw new Error(`server.mjs has ${(server.length / 1e6).toFixed(1)} MB, allowed are ${mostBytes / 1e6}`);
    writeFileSync(join(target, "server.mjs"), server);
    for (const file of [...Object.keys(manifest.files), "manifest.json"]) {
      mkdirSync(dirname(join(target, "version", file)), { recursive: true });
      cpSync(join(dir, file), join(target, "version", file));
    }
    const pinned = {
      ...{ name: `${name}-server`, version: `${version}.0.0`, private: true, type: "module" },
      description: `${card.label}: ${card.metric} ${card.value}, baseline ${card.baseline.label} ${card.baseline.value}`,
      engines: { node: "^20.19 || ^22.12 || >=24" },
      scripts: { start: "node server.mjs", test: "node server.mjs --test" },
    };
    writeFileSync(join(target, "package.json"), `${JSON.stringify(pinned, null, 2)}\n`);
    writeFileSync(join(target, "Dockerfile"), dockerfile);
    writeFileSync(join(target, "openapi.json"), `${JSON.stringify(openApi(name, version, signature), null, 2)}\n`);
    writeFileSync(join(target, "README.md"), readme(name, version, sampleRecord(dir)));
    return { files: readdirSync(target).sort(), bytes: server.length };
  } catch (error) {
    rmSync(target, { recursive: true, force: true });
    throw error;
  }
}

async function bundle(name: string, version: number): Promise<Uint8Array> {
  const { build } = await import("esbuild");
  const require = createRequire(join(packageRoot(), "package.json"));
  const wasm = join(dirname(require.resolve("@tensorflow/tfjs-backend-wasm/package.json")), "dist", "tfjs-backend-wasm-simd.wasm");
  const contents = `
import { fileURLToPath } from "node:url";
import wasmBinary from ${JSON.stringify(wasm)};
import { serve } from ${JSON.stringify(entry("export-server"))};
const home = fileURLToPath(new URL(".", import.meta.url));
try {
  const code = await serve({ home, name: ${JSON.stringify(name)}, version: ${version}, wasmBinary, argv: process.argv.slice(2), env: process.env, say: (line) => console.log(line) });
  if (code !== null) process.exit(code);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}`;
  const result = await build({
    stdin: { contents, resolveDir: packageRoot(), sourcefile: "server.mjs", loader: "js" },
    ...{ bundle: true, format: "esm", platform: "node", target: "node20.19", minify: true, keepNames: true, write: false, logLevel: "silent" },
    loader: { ".wasm": "binary" },
    // CommonJS inside asks for Node's own modules
    banner: { js: `import { createRequire as nodeRequire } from "node:module"; const require = nodeRequire(import.meta.url);` },
  });
  return result.outputFiles[0]!.contents;
}

function sampleRecord(dir: string): unknown {
  const [line] = readFileSync(join(dir, "sample.jsonl"), "utf8").split("\n");
  return (JSON.parse(line || "{}") as { record?: unknown }).record;
}

const dockerfile = `FROM node:22-slim
WORKDIR /app
COPY . .
RUN node server.mjs --test
ENV HOST=0.0.0.0 PORT=8080
EXPOSE 8080
USER node
ENV LOG_DIR=/tmp/log
CMD ["node", "server.mjs"]
`;

const readme = (name: string, version: number, record: unknown): string => `# ${name}, version ${version}

Serves alone: \`node server.mjs\` (Node 20.19 or later, no installation). \`npm test\` proves on the stored sample that it answers as in training.

    curl -s http://127.0.0.1:8080/v1/models/${name}:predict -H 'content-type: application/json' -d '${JSON.stringify({ instances: [record] }).replaceAll("'", "'\\''")}'

PORT, HOST and LOG_DIR (\`off\` for none) are read from the environment.
`;

/** OpenAPI 3.1 of the exported endpoints. */
export function openApi(name: string, version: number, signature: Signature): object {
  const types: Record<Field["type"], object> = {
    ...{ double: { type: "number" }, integer: { type: "integer" }, bigint: { type: ["integer", "string"] }, boolean: { type: "boolean" } },
    ...{
      string: { type: "string" },
      timestamp: { type: "string", format: "date-time" },
      date: { type: "string", format: "date" },
      decimal: { type: ["string", "number"] },
    },
    ...{ "double[]": { type: "array", items: { type: "number" } }, image: { type: "array", items: { type: "number" } } },
  };
  const schemaOf = (field: Field): object => {
    const type = types[field.type] as { type: string | string[] };
    const range = field.range ? { description: `seen in training: ${field.range[0]} to ${field.range[1]}` } : {};
    return { ...type, ...(field.nullable ? { type: [...[type.type].flat(), "null"] } : {}), ...range };
  };
  const record = {
    type: "object",
    properties: Object.fromEntries(signature.inputs.map((field) => [field.name, schemaOf(field)])),
    required: signature.inputs.filter((field) => !field.nullable).map((field) => field.name),
  };
  const one = signature.output.kind === "probabilities" ? { type: "array", items: { type: "number" } } : { type: "number" };
  const error = {
    description: "the request cannot be answered; the message names the field",
    content: { "application/json": { schema: { type: "object", properties: { error: { type: "string" } } } } },
  };
  return {
    openapi: "3.1.0",
    info: { title: name, version: String(version) },
    paths: {
      [`/v1/models/${name}:predict`]: {
        post: {
          operationId: "predict",
          requestBody: {
            required: true,
            content: {
              "application/json": {
                schema: { type: "object", properties: { instances: { type: "array", items: record } }, required: ["instances"] },
              },
            },
          },
          responses: {
            "200": {
              description: "one prediction a record, in their order",
              content: { "application/json": { schema: { type: "object", properties: { predictions: { type: "array", items: one } } } } },
            },
            "400": error,
          },
        },
      },
    },
  };
}
