/** Repairs of TFJS's wasm back end, so that the layers API trains on it, and fast. What each one does stands in its own file. */
import { counted } from "../torn.js";
import { complexAside } from "./complex.js";
import { backpropFilter, backpropInput } from "./conv.js";
import { sharedIdentity, split, tile } from "./copy.js";
import { depthwiseFilter, depthwiseInput } from "./depthwise.js";
import { guardDtypes } from "./dtypes.js";
import { fillFromCpu, onCpu } from "./fallback.js";
import { blockGather, segmentSum } from "./gather.js";
import { kernelOf, replace, type Kernel, type Tf, type Tools } from "./kernel.js";
import { plainBias, product } from "./matmul.js";
import { fastOptimizers } from "./optimizers.js";
import { maxPoolGrad } from "./pool.js";
import { fastElementwise } from "./elementwise.js";
import { inPlaceSlice } from "./slice.js";
import { guardWindows } from "./windows.js";

const done = new WeakSet<object>();

/** Registers the repairs, once a process. May be called before or after the back end is initialised. */
export function repairWasm(tf: Tf): void {
  if (done.has(tf)) return;
  done.add(tf);
  for (const { kernelName } of tf.getKernelsForBackend("wasm")) replace(tf, kernelName, counted(kernelOf(tf, kernelName)));
  const stock = (name: string) => kernelOf(tf, name);
  const transpose = stock("Transpose");
  const turn: Tools["transpose"] = (x, perm, backend) => transpose({ inputs: { x }, backend, attrs: { perm } });
  const matMul = product(turn, stock("BatchMatMul"));
  const tools: Tools = {
    tf,
    transpose: turn,
    matMul,
    conv2d: stock("Conv2D"),
    add: stock("Add"),
  };
  replace(tf, "BatchMatMul", matMul);
  replace(tf, "_FusedMatMul", plainBias(product(turn, stock("_FusedMatMul")), onCpu(tf, "_FusedMatMul")));
  const slice = inPlaceSlice(tf, stock("Slice"));
  replace(tf, "Slice", slice);
  replace(tf, "SplitV", split(tf, slice) as unknown as Kernel);
  replace(tf, "Tile", tile(stock("Tile")));
  replace(tf, "Identity", sharedIdentity(stock("Identity")));
  fastElementwise(tf);
  replace(tf, "GatherV2", blockGather(tf, stock("GatherV2")));
  replace(tf, "UnsortedSegmentSum", segmentSum);
  replace(tf, "MaxPoolGrad", maxPoolGrad(tf));
  replace(tf, "Conv2DBackpropFilter", (args) => backpropFilter(tools, args));
  replace(tf, "Conv2DBackpropInput", (args) => backpropInput(tools, args, onCpu(tf, "Conv2DBackpropInput")));
  replace(tf, "DepthwiseConv2dNativeBackpropFilter", depthwiseFilter(tf));
  replace(tf, "DepthwiseConv2dNativeBackpropInput", depthwiseInput(tf));
  fillFromCpu(tf);
  guardDtypes(tf);
  guardWindows(tf);
  fastOptimizers(tf);
  complexAside(tf);
}
