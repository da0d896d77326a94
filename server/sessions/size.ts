/** Sizes of memory. Pure. */

/** 412 MB, 1.8 GB: powers of 2, as limits are given. */
export function size(bytes: number): string {
  const megabytes = bytes / 2 ** 20;
  return megabytes < 1000 ? `${Math.round(megabytes)} MB` : `${(megabytes / 1024).toFixed(1)} GB`;
}

/** below this no kernel starts */
export const leastMemory = 256 * 2 ** 20;
