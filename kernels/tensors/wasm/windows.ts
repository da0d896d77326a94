/**
 * Convolution and pooling whose output has another size than the stock kernels take it to have: TFJS reckons a padding given as one number by the filter's height
 * alone, and rounds as it is told. XNNPACK reckons for itself and writes past the end of the output. Such calls are computed by the cpu back end.
 */
import type { TensorInfo } from "@tensorflow/tfjs";
import { onCpu } from "./fallback.js";
import { kernelOf, replace, type Attrs, type Inputs, type Tf } from "./kernel.js";

type Shape4 = [number, number, number, number];
type Info = ReturnType<Tf["backend_util"]["computeConv2DInfo"]>;

/** Wrong in themselves: a maximum of numbers below 0 is 1e-38, gradients in three dimensions are what was in the memory or are written beyond its end. */
const wrong = ["MaxPoolWithArgmax", "Conv3DBackpropInputV2", "Conv3DBackpropFilterV2", "MaxPool3D", "MaxPool3DGrad", "AvgPool3D", "AvgPool3DGrad"];

/** Does every window of the output begin inside of the padded input, and none is left out? */
function regular(info: Info): boolean {
  const size = (input: number, before: number, after: number, window: number, stride: number) =>
    Math.floor((input + before + after - window) / stride) + 1;
  const { padInfo: pad } = info;
  return (
    Math.min(info.outHeight, info.outWidth) > 0 &&
    info.outHeight === size(info.inHeight, pad.top, pad.bottom, info.effectiveFilterHeight, info.strideHeight) &&
    info.outWidth === size(info.inWidth, pad.left, pad.right, info.effectiveFilterWidth, info.strideWidth)
  );
}

/** Puts the kernels with windows behind a look at their sizes. To be called after the other repairs. */
export function guardWindows(tf: Tf): void {
  const { computeConv2DInfo, computePool2DInfo, convertConv2DDataFormat } = tf.backend_util;
  const shape = (x: TensorInfo) => x.shape as Shape4;
  const conv = (x: Shape4, filter: Shape4, attrs: Attrs, depthwise: boolean) =>
    computeConv2DInfo(
      x,
      filter,
      attrs["strides"] as number,
      (attrs["dilations"] as number | undefined) ?? 1,
      attrs["pad"] as "same",
      attrs["dimRoundingMode"] as "floor",
      depthwise,
      depthwise ? "channelsLast" : convertConv2DDataFormat((attrs["dataFormat"] as "NHWC" | undefined) ?? "NHWC"),
    );
  const pool = ({ x, dy, input }: Inputs, attrs: Attrs) =>
    computePool2DInfo(
      shape((input ?? x ?? dy)!),
      attrs["filterSize"] as number,
      attrs["strides"] as number,
      1,
      attrs["pad"] as "same",
      attrs["dimRoundingMode"] as "floor",
    );
  const infos: Record<string, (inputs: Inputs, attrs: Attrs) => Info> = {
    Conv2D: ({ x, filter }, attrs) => conv(shape(x!), shape(filter!), attrs, false),
    FusedConv2D: ({ x, filter }, attrs) => conv(shape(x!), shape(filter!), attrs, false),
    DepthwiseConv2dNative: ({ x, filter }, attrs) => conv(shape(x!), shape(filter!), attrs, true),
    FusedDepthwiseConv2D: ({ x, filter }, attrs) => conv(shape(x!), shape(filter!), attrs, true),
    Conv2DBackpropInput: ({ filter }, attrs) => conv(attrs["inputShape"] as Shape4, shape(filter!), attrs, false),
    Conv2DBackpropFilter: ({ x }, attrs) => conv(shape(x!), attrs["filterShape"] as Shape4, attrs, false),
    MaxPool: pool,
    AvgPool: pool,
  };
  for (const name of wrong) replace(tf, name, onCpu(tf, name));
  for (const [name, infoOf] of Object.entries(infos)) {
    const [kernel, cpu] = [kernelOf(tf, name), onCpu(tf, name)];
    replace(tf, name, (args) => {
      const info = infoOf(args.inputs, args.attrs);
      if (!regular(info)) return cpu(args);
      if (args.attrs["pad"] !== "same" || !skips(info)) return kernel(args);
      const { top, bottom, left, right } = info.padInfo;
      return kernel({ ...args, attrs: { ...args.attrs, pad: [zero, [top, bottom], [left, right], zero] } });
    });
  }
}

const zero = [0, 0];

/** With "same" and a stride that leaves rows or columns of the input out, XNNPACK reckons a negative padding, which has no sign there: it is told in numbers. */
function skips(info: Info): boolean {
  return (
    (info.outHeight - 1) * info.strideHeight + info.effectiveFilterHeight < info.inHeight ||
    (info.outWidth - 1) * info.strideWidth + info.effectiveFilterWidth < info.inWidth
  );
}
