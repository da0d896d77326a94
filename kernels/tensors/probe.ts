/** Process entry of `touchstone doctor`: tries each back end in turn and prints one line of JSON, `ProbeResult[]`. */
import { backends, loadBackend, type BackendName } from "./backend.js";
import { canary } from "./unwind.js";

export interface ProbeResult {
  name: BackendName;
  loads: boolean;
  /** what it computes on, when it loads */
  device?: string;
  /** why not */
  why?: string;
  /** billions of multiply-adds a second of a 512 x 512 product, median of five */
  gflops?: number;
}

const results: ProbeResult[] = [];
for (const name of backends) {
  try {
    const { tf, device } = await loadBackend(name);
    if (!canary(tf)) throw new Error("it loads, but gives a wrong product");
    const a = tf.randomUniform([512, 512]) as import("@tensorflow/tfjs").Tensor2D;
    const times: number[] = [];
    for (let i = 0; i < (name === "cpu" ? 2 : 6); i++) {
      const start = performance.now();
      const product = tf.matMul(a, a);
      await product.data();
      times.push(performance.now() - start);
      product.dispose();
    }
    a.dispose();
    times.shift();
    times.sort((x, y) => x - y);
    results.push({ name, loads: true, device, gflops: round((2 * 512 ** 3) / (times[times.length >> 1] as number) / 1e6) });
  } catch (error) {
    results.push({ name, loads: false, why: (error as Error).message.replace(/^the back end "\w+" was asked for and does not load: /, "") });
  }
}
process.stdout.write(`${JSON.stringify(results)}\n`, () => process.exit(0));

function round(x: number): number {
  return Math.round(x * 10) / 10;
}
