import { expect, it } from "vitest";
import { Once, struck } from "./once.js";

it("makes a promise once, again after a failure, and again when a strike has dropped what it waited for", async () => {
  const once = new Once<number>();
  let made = 0;
  const lost = () => new Promise<number>(() => void made++);
  expect(once.begun).toBe(false);
  void once.get(lost);
  expect(once.get(lost)).toBe(once.get(lost));
  expect(made).toBe(1);
  struck();
  await expect(once.get(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await once.get(() => Promise.resolve(2))).toBe(2);
  struck();
  expect(await once.get(() => Promise.resolve(3))).toBe(2);
});
