import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import { expect, test } from "vitest";
import { loadBackend } from "./backend.js";

test("the gradient of enlarging a batch of images is that of each image", async () => {
  const { tf } = await loadBackend("cpu");
  // each number is enlarged to 2 x 2: the gradient is the sum over these
  const dy = tf.range(0, 32).reshape([2, 4, 4, 1]);
  const enlarge = (x: Tensor): Tensor => tf.image.resizeNearestNeighbor<Tensor4D>(x as Tensor4D, [4, 4]);
  const gradient = tf.grad((x) => enlarge(x).mul(dy).sum())(tf.zeros([2, 2, 2, 1]));
  expect([...gradient.dataSync()]).toEqual([10, 18, 42, 50, 74, 82, 106, 114]);
});
