/** Complex numbers on wasm give what they give on cpu, and leave nothing behind. */
import { beforeAll, expect, test } from "vitest";
import type { Tensor } from "@tensorflow/tfjs";
import { loadBackend, type Tf } from "../backend.js";

let tf: Tf;
beforeAll(async () => {
  tf = (await loadBackend("wasm")).tf;
});

const z = () => tf.complex([1, -2, 3, 0.5], [0, 4, -1, 2]);
const wave = () => tf.tensor1d([1, 2, 3, 4, 5, 6, 7, 8].map((i) => Math.sin(i * i)));
const both = (x: Tensor) => tf.stack([tf.real(x), tf.imag(x)]);

const cases: [string, () => Tensor][] = [
  ["complex, real, imag", () => both(z())],
  ["abs", () => tf.abs(z())],
  ["add, sub, mul", () => both(tf.mul(tf.add(z(), z()), tf.sub(z(), tf.complex([1, 1, 1, 1], [2, 2, 2, 2]))))],
  ["reshape", () => both(tf.reshape(z(), [2, 2]))],
  ["concat", () => both(tf.concat([z(), z()]))],
  ["cast there and back", () => tf.cast(tf.cast(wave(), "complex64"), "float32")],
  ["zerosLike", () => both(tf.zerosLike(z()))],
  ["fft, ifft", () => both(tf.ifft(tf.fft(z().reshape([2, 2]))))],
  ["rfft", () => both(tf.spectral.rfft(wave()))],
  ["irfft", () => tf.spectral.irfft(tf.spectral.rfft(wave()))],
  ["stft", () => both(tf.signal.stft(wave(), 4, 2))],
  ["transpose", () => both(tf.transpose(z().reshape([2, 2])))],
  ["stack", () => both(tf.concat([z(), z()].map((x) => x.reshape([1, 4]))))],
];

test.each(cases)("%s", async (_, make) => {
  const found: Float32Array[] = [];
  for (const backend of ["cpu", "wasm"] as const) {
    await loadBackend(backend);
    const before = [tf.memory().numTensors, tf.engine().backend.numDataIds()];
    const out = tf.tidy(make);
    found.push(out.dataSync() as Float32Array);
    out.dispose();
    expect([tf.memory().numTensors, tf.engine().backend.numDataIds()]).toEqual(before);
  }
  const [cpu, wasm] = found as [Float32Array, Float32Array];
  expect(wasm.length).toBe(cpu.length);
  for (const [i, value] of cpu.entries()) expect(wasm[i]).toBeCloseTo(value, 4);
});

test("what the cpu back end has not for complex numbers is an error, not numbers", async () => {
  await loadBackend("wasm");
  const x = z();
  expect(() => tf.slice(x, 1, 2)).toThrow("slice does not support complex64 tensors");
  for (const wrong of [
    () => tf.gather(x, [1]),
    () => tf.pad(x, [[1, 1]]),
    () => tf.tile(x, [2]),
    () => tf.neg(x),
    () => tf.reverse(x),
    () => tf.sum(x),
    () => tf.matMul(x.reshape([2, 2]), x.reshape([2, 2])),
  ])
    expect(wrong).toThrow();
  expect([...x.dataSync()]).toEqual([1, 0, -2, 4, 3, -1, 0.5, 2]);
});
