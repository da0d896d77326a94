/**
 * Losses of a batch, one number a row, from logits: hard (cross-entropy or squared or absolute error) and distilled
 * (Hinton, Vinyals, Dean 2015): alpha T^2 CE(softmax(t / T), softmax(z / T)) + (1 - alpha) CE(y, softmax(z)). T^2 keeps the size of the soft gradient.
 * Their gradients are given in closed form, which is exact for any logit and needs fewer kernels than a tape of the formula.
 */
import type { Tensor, Tensor1D, Tensor2D } from "@tensorflow/tfjs";
import type { Tf } from "../tensors/backend.js";
import type { Outcome } from "./build.js";

export type Loss = "log" | "squared" | "absolute";

/** z [n, k] against y [n]: class index, 0 or 1, or the (scaled) number. */
export function hard(tf: Tf, outcome: Outcome, loss: Loss, z: Tensor2D, y: Tensor1D): Tensor1D {
  if (outcome === "multiclass") return crossEntropy(tf, z, tf.oneHot(y.toInt(), z.shape[1]) as Tensor2D);
  const v = z.squeeze([1]) as Tensor1D;
  if (outcome === "binary") return logistic(tf, v, y);
  const error = v.sub(y);
  return (loss === "absolute" ? error.abs() : error.square()) as Tensor1D;
}

/** `t`: the teacher's logits [n, k]; for a regression its numbers, against which the error is taken without a temperature. */
export function distilled(
  tf: Tf,
  outcome: Outcome,
  loss: Loss,
  z: Tensor2D,
  y: Tensor1D,
  t: Tensor2D,
  { temperature, alpha }: { temperature: number; alpha: number | Tensor1D },
): Tensor1D {
  let soft: Tensor1D;
  if (outcome === "multiclass") soft = crossEntropy(tf, z.div(temperature), tf.softmax(t.div(temperature))).mul(temperature ** 2);
  else if (outcome === "binary")
    soft = logistic(tf, z.div(temperature).squeeze([1]), t.div(temperature).sigmoid().squeeze([1])).mul(temperature ** 2);
  else soft = hard(tf, outcome, loss, z, t.squeeze([1]));
  if (alpha === 1) return soft;
  const rest = typeof alpha === "number" ? 1 - alpha : tf.scalar(1).sub(alpha);
  return soft.mul(alpha).add(hard(tf, outcome, loss, z, y).mul(rest)) as Tensor1D;
}

/** -sum_c q_c log softmax(z)_c by row; gradient softmax(z) - q (rows of q sum to 1). */
function crossEntropy(tf: Tf, z: Tensor2D, q: Tensor2D): Tensor1D {
  const op = tf.customGrad((logits, targets, save) => {
    const log = (logits as Tensor2D).sub((logits as Tensor2D).logSumExp(1, true));
    (save as (tensors: Tensor[]) => void)([log, targets as Tensor]);
    return {
      value: log
        .mul(targets as Tensor)
        .sum(1)
        .neg() as Tensor1D,
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const grad = saved[0]!.exp().sub(saved[1]!).mul(dy.expandDims(1));
        return [grad, tf.zerosLike(saved[1]!)];
      },
    };
  });
  return op(z, q) as Tensor1D;
}

/** softplus(z) - q z by row; gradient sigmoid(z) - q. */
function logistic(tf: Tf, z: Tensor1D, q: Tensor1D): Tensor1D {
  const op = tf.customGrad((logits, targets, save) => {
    const v = logits as Tensor1D;
    (save as (tensors: Tensor[]) => void)([v, targets as Tensor]);
    return {
      value: v
        .relu()
        .sub(v.mul(targets as Tensor))
        .add(v.abs().neg().exp().log1p()) as Tensor1D,
      gradFunc: (dy: Tensor, saved: Tensor[]) => [saved[0]!.sigmoid().sub(saved[1]!).mul(dy), tf.zerosLike(saved[1]!)],
    };
  });
  return op(z, q) as Tensor1D;
}
