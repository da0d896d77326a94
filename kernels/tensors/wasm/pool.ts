/** The gradient of max pooling, in one pass over the heap: the stock kernel compares every position with a mask that it makes first. */
import type { TensorInfo } from "@tensorflow/tfjs";
import type { Kernel, Tf } from "./kernel.js";

/** dy goes to the first largest value of each window, as on the cpu back end. */
export function maxPoolGrad(tf: Tf): Kernel {
  return ({ inputs, backend, attrs }) => {
    const { dy, input: x } = inputs as { dy: TensorInfo; input: TensorInfo };
    const info = tf.backend_util.computePool2DInfo(
      x.shape as [number, number, number, number],
      attrs["filterSize"] as [number, number],
      attrs["strides"] as [number, number],
      1,
      attrs["pad"] as "same",
      attrs["dimRoundingMode"] as "floor",
    );
    const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, strideHeight, strideWidth, filterHeight, filterWidth, padInfo } = info;
    const out = backend.makeOutput(x.shape, "float32");
    const values = backend.typedArrayFromHeap(x);
    const from = backend.typedArrayFromHeap(dy);
    const to = backend.typedArrayFromHeap(out);
    to.fill(0);
    // largest value so far and its place, a channel
    const best = new Float32Array(inChannels);
    const place = new Int32Array(inChannels);
    for (let n = 0; n < batchSize; n++) {
      for (let oh = 0; oh < outHeight; oh++) {
        const top = oh * strideHeight - padInfo.top;
        for (let ow = 0; ow < outWidth; ow++) {
          const left = ow * strideWidth - padInfo.left;
          best.fill(-Infinity);
          place.fill(-1);
          for (let ih = Math.max(0, top); ih < Math.min(inHeight, top + filterHeight); ih++) {
            for (let iw = Math.max(0, left); iw < Math.min(inWidth, left + filterWidth); iw++) {
              const at = ((n * inHeight + ih) * inWidth + iw) * inChannels;
              for (let c = 0; c < inChannels; c++) {
                const value = values[at + c] as number;
                if (value > (best[c] as number)) {
                  best[c] = value;
                  place[c] = at + c;
                }
              }
            }
          }
          const base = ((n * outHeight + oh) * outWidth + ow) * inChannels;
          for (let c = 0; c < inChannels; c++) {
            const at = place[c] as number;
            if (at >= 0) to[at] = (to[at] as number) + (from[base + c] as number);
          }
        }
      }
    }
    return out;
  };
}
