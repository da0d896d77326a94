import { expect, test } from "vitest";
import { readProbe } from "./doctor.js";

test("each back end has its device, or the reason why it was passed over; the first that loads is the one in use", () => {
  const probe = [
    { name: "cuda", loads: false, why: "optional: it needs an NVIDIA GPU" },
    { name: "wasm", loads: true, device: "WebAssembly SIMD, 1 thread", gflops: 20 },
    { name: "cpu", loads: true, device: "plain JavaScript, 1 thread", gflops: 1 },
  ];
  expect(readProbe(`a warning of the engine\n${JSON.stringify(probe)}\n`)).toEqual([
    { name: "TFJS cuda", state: "missing", found: "not used", why: "optional: it needs an NVIDIA GPU", fix: "npm run setup:gpu" },
    { name: "TFJS wasm", state: "ok", found: "loads (WebAssembly SIMD, 1 thread); used" },
    { name: "TFJS cpu", state: "ok", found: "loads (plain JavaScript, 1 thread)" },
  ]);
});
