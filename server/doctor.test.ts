import { expect, test } from "vitest";
import { readProbe } from "./doctor.js";

const probe = [
  { name: "cuda", loads: false, why: "optional: it needs an NVIDIA GPU" },
  { name: "wasm", loads: true, device: "WebAssembly SIMD, 1 thread", gflops: 20 },
  { name: "cpu", loads: true, device: "plain JavaScript, 1 thread", gflops: 1 },
];
const printed = `a warning of the engine\n${JSON.stringify(probe)}\n`;

test("each back end has its device, or the reason why it was passed over; the first that loads is the one in use", () => {
  expect(readProbe(printed, null)).toEqual([
    { name: "TFJS cuda", state: "missing", found: "not used", why: "optional: it needs an NVIDIA GPU", fix: "npm run setup:gpu" },
    { name: "TFJS wasm", state: "ok", found: "loads (WebAssembly SIMD, 1 thread); used" },
    { name: "TFJS cpu", state: "ok", found: "loads (plain JavaScript, 1 thread)" },
  ]);
});

test("what TOUCHSTONE_BACKEND names is the one in use, or the error", () => {
  const found = (forced: string) => readProbe(printed, forced).map(({ name, state, found }) => `${name} ${state} ${found}`);
  expect(found("cpu")).toEqual([
    "TFJS cuda missing not used",
    "TFJS wasm ok loads (WebAssembly SIMD, 1 thread)",
    "TFJS cpu ok loads (plain JavaScript, 1 thread); used: TOUCHSTONE_BACKEND asks for it",
  ]);
  expect(found("cuda")).toEqual([
    "TFJS cuda error does not load, and TOUCHSTONE_BACKEND asks for it",
    "TFJS wasm ok loads (WebAssembly SIMD, 1 thread)",
    "TFJS cpu ok loads (plain JavaScript, 1 thread)",
  ]);
  expect(readProbe(printed, "gpu").at(-1)).toEqual({
    name: "TFJS",
    state: "error",
    found: 'TOUCHSTONE_BACKEND asks for "gpu"',
    why: "it is one of cuda, wasm, cpu",
    fix: "unset TOUCHSTONE_BACKEND",
  });
});
