/** Keeps one spare kernel warm, so that a notebook's first run does not wait for a process to start. */
import { startKernel, type Kernel, type KernelOptions } from "./kernel.js";

export interface KernelPool {
  /** `heapLimit`: another than that of the spare ones */
  take(heapLimit?: number): Promise<Kernel>;
  /** another limit for the spare ones from now on */
  resize(heapLimit: number): void;
  /** starts the spare one */
  warm(): void;
  close(): Promise<void>;
}

export function kernelPool(options: KernelOptions & { spare: boolean }): KernelPool {
  let spare: Promise<Kernel> | null = null;
  let closed = false;
  const all = new Set<Kernel>();
  let usual = options.heapLimit;
  const start = async (heapLimit = usual) => {
    const kernel = await startKernel({ ...options, heapLimit });
    all.add(kernel);
    void kernel.ended.then(() => all.delete(kernel));
    return kernel;
  };
  const warm = () => {
    if (closed || !options.spare || spare !== null) return;
    spare = start();
    // a failure is told to whoever takes it
    spare.catch(() => {});
  };
  let timer: NodeJS.Timeout | undefined;
  return {
    warm,
    resize(heapLimit) {
      if (heapLimit === usual) return;
      usual = heapLimit;
      const old = spare;
      spare = null;
      if (old === null) return;
      void old.then((kernel) => kernel.stop()).catch(() => {});
      warm();
    },
    async take(heapLimit = usual) {
      if (closed) throw new Error("the server is stopping");
      // the heap of a process is as large as it was when it began
      if (heapLimit !== usual) return await start(heapLimit);
      const waiting = spare;
      spare = null;
      // a spare one that died meanwhile is no kernel
      const taken = waiting === null ? start() : waiting.then((kernel) => (all.has(kernel) ? kernel : start()));
      // not at once: the one that was taken has work to do
      clearTimeout(timer);
      timer = setTimeout(warm, 3000);
      timer.unref();
      return await taken;
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      await spare?.catch(() => {});
      await Promise.all([...all].map((kernel) => kernel.stop()));
    },
  };
}
