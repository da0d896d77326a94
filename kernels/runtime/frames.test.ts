import { expect, it } from "vitest";
import { packageRoot } from "../paths/paths.js";
import { cuttable, type Frame } from "./frames.js";

const at = (file: string | null, name: string | null = null): Frame => ({ file, evaluated: false, name });
const own = at(`file://${packageRoot()}/dist/kernel.js`, "flush");
const user = at("cell:a#1", "loop");
const emit = at("node:events", "emit");
const tick = at("node:internal/process/task_queues", "processTicksAndRejections");

const cases: [name: string, frames: Frame[], patient: boolean, cut: boolean][] = [
  ["nothing at all", [], true, false],
  ["a cell's loop", [user, own, tick], true, true],
  ["a builtin that a cell calls", [at(null, "sort"), user], true, true],
  ["a package's loop", [at("/w/node_modules/p/index.js"), emit], true, true],
  ["code of eval", [{ file: null, evaluated: true, name: null }], true, true],
  ["a getter that the kernel reads", [user, own, tick], true, true],
  ["Node's list of timers while a package adds to it", [at("node:internal/timers"), user], true, false],
  ["the same after many questions", [at("node:internal/timers"), user], false, true],
  ["WebAssembly that a cell calls, whose heap may be half changed", [at("wasm://wasm/a1b2c3"), user], true, false],
  ["the same after many questions", [at("wasm://wasm/a1b2c3"), user], false, true],
  ["Node reading a socket", [at("node:net"), at("node:internal/stream_base_commons", "onStreamRead")], false, false],
  ["the kernel hearing a message", [own, emit, at("node:internal/stream_base_commons", "onStreamRead")], false, false],
  ["the kernel hearing a message in a tick", [own, emit, tick], false, false],
  ["the kernel's timer", [own, at("node:internal/timers", "listOnTimeout")], false, false],
  ["a library call after its await", [own], true, true],
  ["a library call after its await, in a tick", [own, tick], true, true],
];
for (const [name, frames, patient, cut] of cases) it(`${cut ? "cuts" : "never cuts"} ${name}`, () => expect(cuttable(frames, patient)).toBe(cut));
