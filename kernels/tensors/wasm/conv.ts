/** Gradients of Conv2D for the wasm back end, from its fast kernels. */
import type { TensorInfo } from "@tensorflow/tfjs";
import type { Kernel, Tools, WasmBackend } from "./kernel.js";

type Args = Parameters<Kernel>[0];
type Shape4 = [number, number, number, number];

/** Floats of im2col held at once: 32 MB. */
const CHUNK = 8_388_608;

/** Sizes and padding of a convolution, from a kernel's attributes. */
function convInfo({ tf }: Tools, input: Shape4, filter: Shape4, attrs: Args["attrs"]) {
  const { computeConv2DInfo, convertConv2DDataFormat } = tf.backend_util;
  return computeConv2DInfo(
    input,
    filter,
    attrs["strides"] as number,
    1,
    attrs["pad"] as "same",
    attrs["dimRoundingMode"] as "floor",
    false,
    convertConv2DDataFormat(attrs["dataFormat"] as "NHWC"),
  );
}

/**
 * dW[kh, kw, ci, co] = sum over n, oh, ow of x[n, oh s + kh - pad, ow s + kw - pad, ci] dy[n, oh, ow, co]:
 * im2col laid out transposed, [kh kw ci, n oh ow], so that one plain product with dy gives the filter's own layout.
 */
export function backpropFilter(tools: Tools, { inputs, backend, attrs }: Args): TensorInfo {
  const { x, dy } = inputs as { x: TensorInfo; dy: TensorInfo };
  const info = convInfo(tools, x.shape as Shape4, attrs["filterShape"] as Shape4, attrs);
  if (info.dataFormat !== "channelsLast") throw new Error("Conv2DBackpropFilter on wasm needs dataFormat NHWC");
  const {
    batchSize,
    inHeight,
    inWidth,
    inChannels,
    outHeight,
    outWidth,
    outChannels,
    filterHeight,
    filterWidth,
    strideHeight,
    strideWidth,
    padInfo,
  } = info;
  const rows = filterHeight * filterWidth * inChannels;
  const perImage = outHeight * outWidth;
  const images = Math.max(1, Math.min(batchSize, Math.floor(CHUNK / Math.max(1, rows * perImage))));
  let sum: TensorInfo | null = null;
  for (let start = 0; start < batchSize; start += images) {
    const n = Math.min(images, batchSize - start);
    const m = n * perImage;
    const column = backend.makeOutput([1, rows, m], "float32");
    const part = backend.makeOutput([1, m, outChannels], "float32");
    // views are taken after the last allocation: growing the heap detaches older ones
    const xs = backend.typedArrayFromHeap(x);
    const target = backend.typedArrayFromHeap(column);
    backend
      .typedArrayFromHeap(part)
      .set(backend.typedArrayFromHeap(dy).subarray(start * perImage * outChannels, (start + n) * perImage * outChannels));
    target.fill(0);
    for (let kh = 0; kh < filterHeight; kh++) {
      for (let kw = 0; kw < filterWidth; kw++) {
        // output columns whose input lies inside the image
        const shift = kw - padInfo.left;
        const first = Math.max(0, Math.ceil(-shift / strideWidth));
        const last = Math.min(outWidth - 1, Math.floor((inWidth - 1 - shift) / strideWidth));
        for (let ci = 0; ci < inChannels; ci++) {
          const base = ((kh * filterWidth + kw) * inChannels + ci) * m;
          for (let i = 0; i < n; i++) {
            for (let oh = 0; oh < outHeight; oh++) {
              const ih = oh * strideHeight + kh - padInfo.top;
              if (ih < 0 || ih >= inHeight) continue;
              let from = (((start + i) * inHeight + ih) * inWidth + first * strideWidth + shift) * inChannels + ci;
              const step = strideWidth * inChannels;
              const to = base + (i * outHeight + oh) * outWidth;
              for (let ow = first; ow <= last; ow++) {
                target[to + ow] = xs[from] as number;
                from += step;
              }
            }
          }
        }
      }
    }
    const product = tools.matMul({ inputs: { a: column, b: part }, backend, attrs: { transposeA: false, transposeB: false } });
    backend.disposeData(column.dataId);
    backend.disposeData(part.dataId);
    if (sum === null) sum = product;
    else {
      const both: TensorInfo = tools.add({ inputs: { a: sum, b: product }, backend, attrs: {} });
      backend.disposeData(sum.dataId);
      backend.disposeData(product.dataId);
      sum = both;
    }
  }
  return { ...(sum as TensorInfo), shape: info.filterShape };
}

/**
 * dx = Conv2D of dy, spread by the stride and padded by (k - 1 - pad), with the filter turned by 180 degrees and its channels swapped.
 * Needs every window to touch the input; else, and for channels first, `cpu` computes it: the stock loop reads outside of its input there.
 */
export function backpropInput(tools: Tools, args: Args, cpu: Kernel): TensorInfo {
  const { inputs, backend, attrs } = args;
  const { dy, filter } = inputs as { dy: TensorInfo; filter: TensorInfo };
  const info = convInfo(tools, attrs["inputShape"] as Shape4, filter.shape as Shape4, attrs);
  const {
    batchSize,
    inHeight,
    inWidth,
    inChannels,
    outHeight,
    outWidth,
    outChannels,
    filterHeight,
    filterWidth,
    strideHeight,
    strideWidth,
    padInfo,
  } = info;
  const top = filterHeight - 1 - padInfo.top;
  const left = filterWidth - 1 - padInfo.left;
  const height = inHeight + filterHeight - 1;
  const width = inWidth + filterWidth - 1;
  // a window that lies in the padding alone has no place in `spread`
  const inside = top >= 0 && left >= 0 && (outHeight - 1) * strideHeight + top < height && (outWidth - 1) * strideWidth + left < width;
  if (info.dataFormat !== "channelsLast" || !inside) return cpu(args);
  const spread = backend.makeOutput([batchSize, height, width, outChannels], "float32");
  const turned = backend.makeOutput([filterHeight, filterWidth, outChannels, inChannels], "float32");
  turn(backend, filter, turned);
  const from = backend.typedArrayFromHeap(dy);
  const to = backend.typedArrayFromHeap(spread);
  to.fill(0);
  const row = outWidth * outChannels;
  for (let n = 0; n < batchSize; n++) {
    for (let oh = 0; oh < outHeight; oh++) {
      const source = (n * outHeight + oh) * row;
      const target = ((n * height + oh * strideHeight + top) * width + left) * outChannels;
      if (strideWidth === 1) to.set(from.subarray(source, source + row), target);
      else {
        for (let ow = 0; ow < outWidth; ow++) {
          const s = source + ow * outChannels;
          to.set(from.subarray(s, s + outChannels), target + ow * strideWidth * outChannels);
        }
      }
    }
  }
  const out = tools.conv2d({
    inputs: { x: spread, filter: turned },
    backend,
    attrs: { strides: 1, pad: "valid", dataFormat: "NHWC", dilations: 1, dimRoundingMode: undefined },
  });
  backend.disposeData(spread.dataId);
  backend.disposeData(turned.dataId);
  return out;
}

/** target[kh, kw, co, ci] = filter[KH-1-kh, KW-1-kw, ci, co] */
function turn(backend: WasmBackend, filter: TensorInfo, target: TensorInfo): void {
  const [kh, kw, ci, co] = filter.shape as Shape4;
  const from = backend.typedArrayFromHeap(filter);
  const to = backend.typedArrayFromHeap(target);
  for (let p = 0; p < kh * kw; p++) {
    const source = (kh * kw - 1 - p) * ci * co;
    const base = p * ci * co;
    for (let i = 0; i < ci; i++) for (let o = 0; o < co; o++) to[base + o * ci + i] = from[source + i * co + o] as number;
  }
}
