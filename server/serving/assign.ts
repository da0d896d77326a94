/** Which arm a request goes to: 64-bit hash of (salt, key) mod 10,000 over nested ranges, so that a ramp only adds keys (contracts 6). */
import { createHash, randomInt } from "node:crypto";

export interface Arm {
  version: number;
  /** 0 to 1 */
  share: number;
}

export interface Assignment {
  version: number;
  /** probability with which this arm was chosen */
  probability: number;
  /** position in 0 ... 9,999 */
  bucket: number;
}

/** Position of a key in an experiment: the same on every machine and for ever. */
export function bucketOf(salt: string, key: string): number {
  const hash = createHash("sha256").update(salt).update("\0").update(key).digest();
  return Number(hash.readBigUInt64BE(0) % 10_000n);
}

/**
 * The last arm (the control, usually the champion) takes what the others leave; each challenger's range begins at 0 and grows upward, so that keys once in stay
 * in. Without a key the bucket is drawn by lot: such requests are kept out of outcome tests.
 */
export function assign(arms: readonly Arm[], salt: string, key: string | null, draw: () => number = () => randomInt(10_000)): Assignment {
  const bucket = key === null ? draw() : bucketOf(salt, key);
  let end = 0;
  for (const arm of arms.slice(0, -1)) {
    const width = Math.round(arm.share * 10_000);
    if (bucket < end + width) return { version: arm.version, probability: width / 10_000, bucket };
    end += width;
  }
  const last = arms.at(-1);
  if (!last) throw new RangeError("Expected at least one arm, got none");
  return { version: last.version, probability: (10_000 - end) / 10_000, bucket };
}
