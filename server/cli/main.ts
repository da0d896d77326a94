/** The command line. Everything a person reads is printed here, and every failure is one sentence. */
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { mkdirSync } from "node:fs";
import { Failure } from "./failure.js";
import { findRoot } from "./root.js";

const say = (text: string) => console.log(text);

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65535) throw new InvalidArgumentError("Expected a port from 0 to 65535.");
  return value;
}

function hours(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0) throw new InvalidArgumentError("Expected a number of hours, 0 for never.");
  return value;
}

function integer(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) throw new InvalidArgumentError("Expected a whole number from 0 to 4294967295.");
  return value;
}

/** `alpha=0.7`, once or more. */
function setting(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("Expected NAME=VALUE: a control's label or name, and what it is set to.");
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

const sentence = (text: string) => `${text[0]?.toUpperCase() ?? ""}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;

/** Lines, and on a terminal one line that is written over. */
function terminal(): { say(text: string): void; live: ((text: string) => void) | null } {
  if (!process.stdout.isTTY) return { say, live: null };
  let open = false;
  return {
    say(text) {
      if (open) process.stdout.write("\r\u001b[K");
      open = false;
      say(text);
    },
    live(text) {
      open = true;
      process.stdout.write(`\r\u001b[K${text.slice(0, (process.stdout.columns ?? 80) - 1)}`);
    },
  };
}

/** Runs one command and ends the process with its exit code. */
export async function main(argv: string[]): Promise<void> {
  // EPIPE of `touchstone ... | head` is no failure
  process.stdout.on("error", () => process.exit(0));
  process.exit(await execute(argv));
}

export async function execute(argv: string[]): Promise<number> {
  let code = 0;
  const program = new Command("touchstone").description(
    "A notebook workbench in which no model reaches users before it has been rubbed against its baseline.",
  );
  program.exitOverride().showHelpAfterError("Run `touchstone --help` for the commands.");
  program
    .command("start")
    .description("start the server and print its address")
    .option("--port <n>", "port on 127.0.0.1 (default 4747, or the next free one)", port)
    .option("--idle <hours>", "shut a kernel down that nobody used for so long (default: the settings, else 24; 0: never; TOUCHSTONE_IDLE)", hours)
    .option("--no-open", "do not open a browser")
    .option("--dev", "build the page again when its sources change")
    .action(async (options: { port?: number; idle?: number; open: boolean; dev?: boolean }) => {
      const { start } = await import("./start.js");
      const given = process.env["PORT"];
      const root = findRoot(process.cwd()) ?? process.cwd();
      mkdirSync(root, { recursive: true });
      const idled = process.env["TOUCHSTONE_IDLE"];
      const idle = options.idle ?? (idled ? hours(idled) : null);
      code = await start({ idle, root, port: options.port ?? (given ? port(given) : null), open: options.open, dev: options.dev === true, say });
    });
  program
    .command("run")
    .description("run a whole notebook: exit code 1 when a cell fails, 2 when a gate does")
    .argument("<file>", "the notebook")
    .option("--promote", "commit what passes its gates")
    .option("--seed <n>", "instead of the notebook's seed", integer)
    .option("--set <name=value>", "a control instead of its default; may be given again", setting)
    .action(async (file: string, options: { promote?: boolean; seed?: number; set?: Record<string, string> }) => {
      const { run } = await import("./run.js");
      code = await run({ file, promote: options.promote === true, seed: options.seed ?? null, set: options.set ?? {}, ...terminal() });
    });
  program
    .command("report")
    .description("run a whole notebook and write what it showed as one HTML file; exit codes as of run")
    .argument("<file>", "the notebook")
    .option("--out <path>", "where to write it (default: NAME.html here)")
    .option("--seed <n>", "instead of the notebook's seed", integer)
    .option("--set <name=value>", "a control instead of its default; may be given again", setting)
    .action(async (file: string, options: { out?: string; seed?: number; set?: Record<string, string> }) => {
      const { makeReport } = await import("./report.js");
      code = await makeReport({ file, out: options.out ?? null, seed: options.seed ?? null, set: options.set ?? {}, ...terminal() });
    });
  program
    .command("check")
    .description("types, names and syntax of a notebook")
    .argument("<file>", "the notebook")
    .action(async (file: string) => {
      const { check } = await import("./check.js");
      code = await check({ file, say });
    });
  program
    .command("emit")
    .description("print the notebook as one ordered module")
    .argument("<file>", "the notebook")
    .option("--out <path>", "write it there instead")
    .action(async (file: string, options: { out?: string }) => {
      const { emit } = await import("./emit.js");
      code = await emit({ file, out: options.out ?? null, say });
    });
  program
    .command("export")
    .description("write the folder that serves a model alone")
    .argument("<name>", "the model")
    .argument("[dir]", "a new or empty folder (default: NAME-export here)")
    .option("--model-version <n>", "instead of the champion", integer)
    .action(async (name: string, dir: string | undefined, options: { modelVersion?: number }) => {
      const { exportModel } = await import("./export.js");
      const root = findRoot(process.cwd());
      if (root === null) throw new Failure(64, "There is no Touchstone folder here or above; set TOUCHSTONE_HOME, or change into one.");
      const version = options.modelVersion;
      const made = await exportModel({ root, name, dir: dir ?? `${name}-export`, ...(version !== undefined && { version }) }).catch(
        (error: Error) => {
          throw new Failure(error instanceof Failure ? error.exitCode : 1, sentence(error.message));
        },
      );
      say(`${name} v${made.version}: ${made.files.length} files, ${(made.bytes / 2 ** 20).toFixed(1)} MB in ${made.dir}`);
      say("Start it there with `npm start`; `npm test` checks it on the sample.");
    });
  program
    .command("doctor")
    .description("what works on this machine, and why the rest does not")
    .option("--json", "print JSON")
    .action(async (options: { json?: boolean }) => {
      const { doctor } = await import("../doctor.js");
      const checks = await doctor(findRoot(process.cwd()) ?? process.cwd());
      if (options.json === true) say(JSON.stringify(checks, null, 2));
      else
        for (const check of checks)
          say(
            `${check.state.padEnd(8)} ${check.name.padEnd(14)} ${check.found}${check.why === undefined ? "" : `: ${check.why}`}${check.fix === undefined ? "" : ` (${check.fix})`}`,
          );
      if (checks.some((check) => check.state === "error")) code = 1;
    });
  try {
    await program.parseAsync(argv, { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof Failure) {
      console.error(`touchstone: ${error.message}`);
      return error.exitCode;
    }
    // commander has printed its sentence
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 64;
    console.error(`touchstone: ${sentence((error as Error).message)}`);
    return 1;
  }
}
