// npm run bench [NAME ...] [--json FILE]: every figure that an issue names, each as a ratio to its peer where there is one, measured in the same run.
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { buildServer, buildWeb } from "./build.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const args = process.argv.slice(2);
const at = args.indexOf("--json");
const json = at >= 0 ? args.splice(at, 2)[1] : null;
if (at >= 0 && !json) {
  console.error("--json needs a file name");
  process.exit(64);
}
const all = readdirSync(join(root, "test/bench"))
  .filter((name) => name.endsWith(".bench.ts"))
  .map((name) => name.slice(0, -".bench.ts".length));
const unknown = args.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  console.error(`no bench named ${unknown.join(", ")}; there are ${all.join(", ")}`);
  process.exit(64);
}

await buildServer();
await buildWeb(console.log);
const folder = join(root, "dist/bench");
mkdirSync(folder, { recursive: true });
const figures = [];
let broken = false;
for (const name of args.length > 0 ? args : all) {
  // each file exports `bench(): Promise<{name, value, unit, goal?, peer?}[]>` and runs in a process of its own
  const out = join(folder, `${name}.mjs`);
  const result = join(folder, `${name}.json`);
  rmSync(result, { force: true });
  await build({
    absWorkingDir: root,
    stdin: {
      contents: `import { bench } from "./test/bench/${name}.bench.ts"; import { writeFileSync } from "node:fs"; writeFileSync(${JSON.stringify(result)}, JSON.stringify(await bench())); process.exit(0);`,
      resolveDir: root,
    },
    outfile: out,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    packages: "external",
    logLevel: "error",
  });
  console.log(`… ${name}`);
  const run = spawnSync(process.execPath, [out], { cwd: root, stdio: ["ignore", "ignore", "inherit"], timeout: 900_000 });
  if (run.status !== 0) {
    broken = true;
    console.error(`${name} failed (${run.signal ?? `exit ${run.status}`})`);
  } else figures.push(...JSON.parse(readFileSync(result, "utf8")));
}

const rows = figures.map(({ name, value, unit, goal, peer }) => [name, Number(value).toPrecision(3), unit, goal ?? "", peer ?? ""]);
const head = ["figure", "value", "unit", "goal", "against"];
const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)));
for (const row of [head, widths.map((n) => "-".repeat(n)), ...rows])
  console.log(row.map((text, i) => (i === 1 ? text.padStart(widths[i]) : text.padEnd(widths[i]))).join("  "));
if (json) writeFileSync(json, `${JSON.stringify(figures, null, 2)}\n`);
process.exit(broken ? 1 : 0);
