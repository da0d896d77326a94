/** Proves on sample rows that a bundle is a function of the record alone. */
import { FeatureError, openFeatures, type OpenFeatures } from "./features-load.js";

/** Runs the sample again, shuffled, one at a time, in other batch sizes and in a fresh realm; any differing bit refuses. */
export function checkPure(code: string, state: unknown, open: OpenFeatures, sample: readonly object[]): void {
  const width = open.width(sample[0])!;
  const first = open.vectors(sample);
  const compare = (what: string, order: readonly number[], vectors: Float32Array) => {
    const [a, b] = [bits(first), bits(vectors)];
    for (const [place, row] of order.entries()) {
      for (let j = 0; j < width; j++) {
        if (a[row * width + j] !== b[place * width + j])
          throw new FeatureError(
            `number ${j} of the vector differs when the same record is ${what}: ${first[row * width + j]} and ${vectors[place * width + j]}. \`row\` must depend on the record and the fitted state alone`,
            row,
            null,
            j,
          );
      }
    }
  };
  const inOrder = sample.map((_, i) => i);
  compare("read twice", inOrder, open.vectors(sample));
  const mixed = shuffled(inOrder);
  compare("read in another order", mixed, open.vectors(mixed.map((i) => sample[i]!)));
  const alone = new Float32Array(first.length);
  for (const i of inOrder) alone.set(open.vectors([sample[i]!]), i * width);
  compare("read alone", inOrder, alone);
  const batches = new Float32Array(first.length);
  for (let i = 0; i < sample.length; i += 7) batches.set(open.vectors(sample.slice(i, i + 7)), i * width);
  compare("read in another batch", inOrder, batches);
  const fresh = openFeatures(code, state);
  compare("read by a fresh process", mixed, fresh.vectors(mixed.map((i) => sample[i]!)));
  compare("read by a fresh process", inOrder, fresh.vectors(sample));
}

const bits = (values: Float32Array) => new Uint32Array(values.buffer, values.byteOffset, values.length);

/** A fixed shuffle: the check itself must not depend on chance. */
function shuffled(items: readonly number[]): number[] {
  const out = [...items];
  let seed = 0x2545f491;
  for (let i = out.length - 1; i > 0; i--) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const j = seed % (i + 1);
    [out[i], out[j]] = [out[j]!, out[i]!];
  }
  return out;
}
