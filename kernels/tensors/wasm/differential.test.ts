/* eslint-disable @typescript-eslint/no-explicit-any -- ops and ranks are drawn, not known to TFJS's types */
/**
 * wasm against cpu on drawn cases: values and gradients of operations (test/support/drawn-cases.ts).
 * A failure names its seed; DIFFERENTIAL_SEED and DIFFERENTIAL_CASES look further.
 */
import { expect, test } from "vitest";
import type { Tensor } from "@tensorflow/tfjs";
import { drawnCases } from "../../../test/support/drawn-cases.js";
import { Draw, type Case } from "../../../test/support/drawn.js";
import { watchHeap } from "../../../test/support/heap.js";
import { loadBackend } from "../backend.js";
import { generator } from "../seeds.js";

const { tf } = await loadBackend("cpu");
await loadBackend("wasm");
const trampled = watchHeap(tf.backend());
const makers = drawnCases(tf);
const first = Number(process.env["DIFFERENTIAL_SEED"] ?? 1);
const cases = Number(process.env["DIFFERENTIAL_CASES"] ?? 30);

async function compute(
  backend: "cpu" | "wasm",
  { inputs, run, grads }: Case,
  seed: number,
): Promise<{ shape: number[]; dtype: string; values: number[] }[] | string> {
  await tf.setBackend(backend);
  const before = tf.memory().numTensors;
  const orphans = (tf.backend() as any).numDataIds();
  const out: { shape: number[]; dtype: string; values: number[] }[] = [];
  let error: string | null = null;
  try {
    tf.tidy(() => {
      const given = inputs.map(({ shape, dtype, values }) => tf.tensor(values, shape, dtype));
      const take = (x: Tensor) => out.push({ shape: x.shape, dtype: x.dtype, values: Array.from(x.dataSync()) });
      const list = (r: Tensor | Tensor[]) => (Array.isArray(r) ? r : [r]);
      const results = list(run(...given));
      results.forEach(take);
      const floats = given.map((x, i) => [x, i] as const).filter(([x]) => x.dtype === "float32");
      if (!grads || floats.length === 0) return;
      const random = generator(seed ^ 0x5bd1);
      const dys = results.map((r) =>
        tf.tensor(
          Float32Array.from({ length: r.size }, () => random() * 2 - 1),
          r.shape,
        ),
      );
      const f = (...x: Tensor[]) => {
        const full = [...given];
        floats.forEach(([, i], k) => (full[i] = x[k]!));
        return list(run(...full))
          .map((r, k) => r.mul(dys[k]!).sum())
          .reduce((a, b) => a.add(b));
      };
      tf.grads(f as any)(floats.map(([x]) => x)).forEach((g) => (g === null ? out.push({ shape: [], dtype: "none", values: [] }) : take(g)));
    });
  } catch (caught) {
    error = (caught as Error).message;
  }
  if (error === null) {
    const [now, ids] = [tf.memory().numTensors, (tf.backend() as any).numDataIds()];
    if (now !== before || ids !== orphans) return `leak on ${backend}: ${now - before} tensors, ${ids - orphans} data`;
  }
  return error ?? out;
}

function difference(cpu: number[], wasm: number[]): string | null {
  const finite = cpu.filter(Number.isFinite).map(Math.abs);
  const scale = finite.reduce((a, b) => Math.max(a, b), 1e-6);
  for (const [i, e] of cpu.entries()) {
    const a = wasm[i]!;
    if (Object.is(e, a) || e === a) continue;
    if (Number.isNaN(e) || Number.isNaN(a) || !Number.isFinite(e) || !Number.isFinite(a)) return `[${i}] cpu ${e} wasm ${a}`;
    // of its own size, or of the largest: sums in another order
    if (Math.abs(e - a) > 2e-5 * scale && Math.abs(e - a) > 1e-4 * Math.abs(e)) return `[${i}] cpu ${e} wasm ${a} (scale ${scale})`;
  }
  return null;
}

test.each(Object.keys(makers))("%s", async (name) => {
  const found: string[] = [];
  for (let seed = first; seed < first + cases; seed++) {
    const d = new Draw(generator(seed * 7919 + name.length));
    const one = makers[name]!(d);
    const cpu = await compute("cpu", one, seed);
    const wasm = await compute("wasm", one, seed);
    const told = `seed ${seed}: ${one.told}`;
    if (trampled() > 0) found.push(`${told}: wrote behind its block of the heap`);
    if (typeof cpu === "string" || typeof wasm === "string") {
      if (typeof cpu === "string" && typeof wasm === "string") continue;
      found.push(`${told}: cpu ${typeof cpu === "string" ? cpu : "ok"}; wasm ${typeof wasm === "string" ? wasm : "ok"}`);
      continue;
    }
    for (const [i, c] of cpu.entries()) {
      const w = wasm[i]!;
      const wrong =
        c.dtype !== w.dtype
          ? `dtype ${c.dtype} ${w.dtype}`
          : String(c.shape) !== String(w.shape)
            ? `shape [${c.shape}] [${w.shape}]`
            : difference(c.values, w.values);
      if (wrong) {
        found.push(`${told}: result ${i}: ${wrong}`);
        break;
      }
    }
  }
  expect(found).toEqual([]);
});
