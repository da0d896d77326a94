/* eslint-disable @typescript-eslint/no-explicit-any -- ops and ranks are drawn, not known to TFJS's types */
/** Drawn cases of convolutions and pools: paddings, strides, dilations, fused bias and activation. */
import type { Tf } from "../../kernels/tensors/backend.js";
import type { Maker } from "./drawn.js";

export const windowCases = (tf: Tf): Record<string, Maker> => ({
  conv2d(d) {
    const depthwise = d.chance(0.4);
    const kind = depthwise ? "depthwise" : d.pick(["conv2d", "conv2d", "conv1d", "separable", "transpose", "conv3d"]);
    const [h, w, ci, co, b] = [d.int(1, 9), d.int(1, 9), d.int(1, 5), d.int(1, 6), d.int(1, 3)];
    const pads: any = d.pick([
      "same",
      "valid",
      "same",
      d.int(0, 2),
      [
        [0, 0],
        [d.int(0, 2), d.int(0, 2)],
        [d.int(0, 2), d.int(0, 2)],
        [0, 0],
      ],
    ]);
    const span = pads === "same" ? 9 : 0;
    const kh = d.int(1, Math.min(4, h + span)),
      kw = d.int(1, Math.min(4, w + span));
    const dil = d.chance(0.2) && pads === "same" ? d.int(2, 3) : 1;
    const s: [number, number] = dil > 1 ? [1, 1] : d.chance(0.5) ? [1, 1] : [d.int(1, 5), d.int(1, 5)];
    const info = `x[${b},${h},${w},${ci}] k[${kh},${kw}] co ${co} s ${s} pad ${JSON.stringify(pads)} dil ${dil}`;
    if (kind === "depthwise") {
      const m = d.int(1, 3);
      const ss: any = d.chance(0.7) ? s[0] : s;
      return {
        told: `depthwise m${m} ${info} ${ss}`,
        inputs: [d.given([b, h, w, ci]), d.given([kh, kw, ci, m])],
        run: (x, f) => tf.depthwiseConv2d(x, f, ss, pads, "NHWC", dil, typeof pads === "string" ? undefined : "floor"),
        grads: dil === 1,
      };
    }
    if (kind === "separable") {
      const m = d.int(1, 3);
      const pp = d.pick(["same", "valid"] as const);
      const q = pp === "valid" ? [Math.min(kh, h), Math.min(kw, w)] : [kh, kw];
      return {
        told: `separable m${m} ${info} ${pp}`,
        inputs: [d.given([b, h, w, ci]), d.given([q[0]!, q[1]!, ci, m]), d.given([1, 1, ci * m, co])],
        run: (x, f, p) => tf.separableConv2d(x, f, p, s[0], pp),
        grads: true,
      };
    }
    if (kind === "conv1d") {
      const pp = d.pick(["same", "valid"] as const);
      const kk = pp === "valid" ? Math.min(kw, w) : kw;
      return {
        told: `conv1d ${info} ${pp}`,
        inputs: [d.given([b, w, ci]), d.given([kk, ci, co])],
        run: (x, f) => tf.conv1d(x, f, s[1], pp),
        grads: true,
      };
    }
    if (kind === "transpose") {
      const pp = d.pick(["same", "valid"] as const);
      const oh = pp === "same" ? h * s[0] : (h - 1) * s[0] + kh;
      const ow = pp === "same" ? w * s[0] : (w - 1) * s[0] + kw;
      return {
        told: `transposed ${info} ${pp}`,
        inputs: [d.given([b, h, w, ci]), d.given([kh, kw, co, ci])],
        run: (x, f) => tf.conv2dTranspose(x, f, [b, oh, ow, co], s[0], pp),
        grads: true,
      };
    }
    if (kind === "conv3d") {
      const pp = d.pick(["same", "valid"] as const);
      const q = pp === "valid" ? [Math.min(kh, h), Math.min(kw, w)] : [kh, kw];
      return {
        told: `conv3d ${info} ${pp}`,
        inputs: [d.given([b, 3, h, w, ci]), d.given([2, q[0]!, q[1]!, ci, co])],
        run: (x, f) => tf.conv3d(x, f, s[0], pp),
        grads: true,
      };
    }
    return {
      told: `conv2d ${info}`,
      inputs: [d.given([b, h, w, ci]), d.given([kh, kw, ci, co])],
      run: (x, f) => tf.conv2d(x, f, s, pads, "NHWC", dil, typeof pads === "string" ? undefined : "floor"),
      grads: dil === 1,
    };
  },
  fusedConv(d) {
    const [h, w, ci, co, b] = [d.int(3, 9), d.int(3, 9), d.int(1, 5), d.int(1, 6), d.int(1, 3)];
    const act = d.pick(["linear", "relu", "relu6", "elu", "sigmoid", "leakyrelu"] as const);
    const dw = d.chance(0.5);
    const s = d.int(1, 2),
      pad = d.pick(["same", "valid"] as const),
      m = d.int(1, 2);
    return {
      told: `fused conv dw ${dw} ${act} ${s} ${pad}`,
      inputs: [d.given([b, h, w, ci]), d.given(dw ? [3, 2, ci, m] : [3, 2, ci, co]), d.given([dw ? ci * m : co])],
      run: (x, filter, bias) =>
        (dw ? tf.fused.depthwiseConv2d : tf.fused.conv2d)({ x, filter, strides: s, pad, bias, activation: act, leakyreluAlpha: 0.3 } as any),
      grads: false,
    };
  },
  pool(d) {
    const kind = d.pick(["maxPool", "avgPool", "maxPool3d", "avgPool3d", "maxPoolWithArgmax", "pool"]);
    const [h, w, c, b] = [d.int(1, 8), d.int(1, 8), d.int(1, 5), d.int(1, 3)];
    const pad: any = d.pick(["same", "valid", 1]);
    const f: [number, number] = [d.int(1, Math.min(4, h)), d.int(1, Math.min(4, w))];
    if (kind === "pool" && pad === "valid") [f[0], f[1]] = [1, 1];
    if (pad === 1) {
      f[0] = Math.max(2, f[0]);
      f[1] = Math.max(2, f[1]);
    }
    const s: [number, number] = [d.int(1, 4), d.int(1, 4)];
    const ties = d.chance(0.4);
    const x = d.given([b, h, w, c]);
    if (ties) x.values = x.values.map((v) => Math.round(v));
    const told = `${kind} [${b},${h},${w},${c}] f ${f} s ${s} ${pad} ties ${ties}`;
    const q = pad === 1 ? "same" : pad;
    if (kind.endsWith("3d"))
      return { told, inputs: [d.given([b, 3, h, w, c])], run: (v) => (tf as any)[kind](v, [2, ...f], [1, ...s], q), grads: true };
    if (kind === "maxPoolWithArgmax")
      return {
        told,
        inputs: [x],
        run: (v) => {
          const r = tf.maxPoolWithArgmax(v, f, s, q);
          return [r.result, r.indexes];
        },
        grads: false,
      };
    if (kind === "pool") {
      const dl = d.int(1, 2);
      const t = d.pick(["avg", "max"] as const);
      return { told: `${told} ${t} dil ${dl}`, inputs: [x], run: (v) => tf.pool(v, f, t, q, dl, dl > 1 ? 1 : s), grads: false };
    }
    return {
      told,
      inputs: [x],
      run: (v) => (tf as any)[kind](v, f, s, pad, pad === 1 ? "floor" : undefined),
      grads: !x.values.some((v) => !Number.isFinite(v)),
    };
  },
});
