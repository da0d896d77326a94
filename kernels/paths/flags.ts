/**
 * Flags of Node that a kernel process needs, before `dist/kernel.js`: `spawn(process.execPath, [...kernelFlags(process.version), entry("kernel")])`.
 * - `--no-force-async-hooks-checks`: else Node aborts when a cell is terminated ("async hook stack has become corrupted").
 * - Node 22: `--experimental-async-context-frame`, so that an AsyncLocalStorage in any package does not bring that abort back (24 has it on).
 * - `heapLimit` in bytes: the heap of V8, below the process's own soft limit.
 */
export function kernelFlags(nodeVersion: string, heapLimit?: number): string[] {
  const major = Number(/^v?(\d+)/.exec(nodeVersion)?.[1]);
  if (!Number.isInteger(major)) throw new TypeError(`Expected \`nodeVersion\` to be like v20.19.0, got \`${nodeVersion}\``);
  const flags = ["--no-force-async-hooks-checks", "--disable-warning=ExperimentalWarning"];
  if (major === 22 || major === 23) flags.push("--experimental-async-context-frame");
  if (heapLimit !== undefined) flags.push(`--max-old-space-size=${Math.max(256, Math.floor(heapLimit / 2 ** 20))}`);
  return flags;
}
