/** Gradients of depthwise convolution, which wasm lacks: one pass over the heap, channels innermost. */
import type { TensorInfo } from "@tensorflow/tfjs";
import type { Kernel, Tf } from "./kernel.js";

type Shape4 = [number, number, number, number];

/** Calls `visit` with the places of x, dy and filter that meet; channels are left to the visitor. */
function meet(tf: Tf, input: Shape4, filter: Shape4, attrs: Record<string, unknown>, visit: (x: number, dy: number, w: number) => void): void {
  const info = tf.backend_util.computeConv2DInfo(
    input,
    filter,
    attrs["strides"] as [number, number],
    // TFJS takes no gradient of a dilated one
    1,
    attrs["pad"] as "same",
    attrs["dimRoundingMode"] as "floor",
    true,
  );
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, filterHeight, filterWidth } = info;
  const { strideHeight, strideWidth, padInfo } = info;
  for (let n = 0; n < batchSize; n++) {
    for (let oh = 0; oh < outHeight; oh++) {
      for (let kh = 0; kh < filterHeight; kh++) {
        const ih = oh * strideHeight + kh - padInfo.top;
        if (ih < 0 || ih >= inHeight) continue;
        for (let ow = 0; ow < outWidth; ow++) {
          const dy = ((n * outHeight + oh) * outWidth + ow) * outChannels;
          for (let kw = 0; kw < filterWidth; kw++) {
            const iw = ow * strideWidth + kw - padInfo.left;
            if (iw < 0 || iw >= inWidth) continue;
            visit(((n * inHeight + ih) * inWidth + iw) * inChannels, dy, (kh * filterWidth + kw) * outChannels);
          }
        }
      }
    }
  }
}

/** dW[kh, kw, c, m] = sum of x[.., c] dy[.., c m] */
export function depthwiseFilter(tf: Tf): Kernel {
  return ({ inputs, backend, attrs }) => {
    const { x, dy } = inputs as { x: TensorInfo; dy: TensorInfo };
    const filter = attrs["filterShape"] as Shape4;
    const out = backend.makeOutput(filter, "float32");
    const [xs, ds, to] = [backend.typedArrayFromHeap(x), backend.typedArrayFromHeap(dy), backend.typedArrayFromHeap(out)];
    const [channels, multiplier] = [filter[2], filter[3]];
    // one double a weight: a sum over a whole batch loses digits in float32
    const sum = new Float64Array(to.length);
    meet(tf, x.shape as Shape4, filter, attrs, (from, d, w) => {
      for (let c = 0; c < channels; c++) {
        const value = xs[from + c] as number;
        for (let m = 0; m < multiplier; m++) sum[w + c * multiplier + m]! += value * (ds[d + c * multiplier + m] as number);
      }
    });
    to.set(sum);
    return out;
  };
}

/** dx[.., c] = sum of w[kh, kw, c, m] dy[.., c m] */
export function depthwiseInput(tf: Tf): Kernel {
  return ({ inputs, backend, attrs }) => {
    const { dy, filter } = inputs as { dy: TensorInfo; filter: TensorInfo };
    const input = attrs["inputShape"] as Shape4;
    const out = backend.makeOutput(input, "float32");
    const [ws, ds, to] = [backend.typedArrayFromHeap(filter), backend.typedArrayFromHeap(dy), backend.typedArrayFromHeap(out)];
    const [channels, multiplier] = [filter.shape[2] as number, filter.shape[3] as number];
    to.fill(0);
    meet(tf, input, filter.shape as Shape4, attrs, (at, d, w) => {
      for (let c = 0; c < channels; c++) {
        let sum = to[at + c] as number;
        for (let m = 0; m < multiplier; m++) sum += (ws[w + c * multiplier + m] as number) * (ds[d + c * multiplier + m] as number);
        to[at + c] = sum;
      }
    });
    return out;
  };
}
