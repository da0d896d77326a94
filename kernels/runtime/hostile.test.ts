/** Values that fight back: whatever a cell throws, exports or shows, its run ends in words and the next cell runs. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { startKernel, type TestKernel } from "../../test/support/kernel.js";

let kernel: TestKernel;
beforeAll(async () => {
  kernel = await startKernel();
});
afterAll(() => kernel.close());

const sources: [name: string, source: string, result: "ok" | "error"][] = [
  [
    "a thrown proxy that throws at each touch",
    "throw new Proxy({}, { get() { throw new Error('no') }, getPrototypeOf() { throw new Error('no') }, has() { throw 1 } })",
    "error",
  ],
  ["a revoked proxy", "const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); throw proxy", "error"],
  [
    "an error whose message throws",
    "const e = new Error('x'); Object.defineProperty(e, 'message', { get() { throw new Error('no') } }); throw e",
    "error",
  ],
  [
    "an error whose stack throws",
    "const e2 = new Error('x'); Object.defineProperty(e2, 'stack', { get() { throw new Error('no') } }); throw e2",
    "error",
  ],
  ["an error whose stack is no text", "const e3 = new Error('x'); e3.stack = { at: 1 }; e3.message = 5; e3.name = null; throw e3", "error"],
  ["an error that is its own cause", "const e4 = new Error('round'); e4.cause = e4; throw e4", "error"],
  ["a thrown symbol", "throw Symbol('s')", "error"],
  ["a thrown nothing", "throw undefined", "error"],
  ["a thrown object without a prototype", "throw Object.create(null)", "error"],
  [
    "an exported proxy that throws",
    "const px = new Proxy({}, { get() { throw new Error('no') }, ownKeys() { throw new Error('no') }, getPrototypeOf() { throw new Error('no') }, has() { throw 2 } })",
    "ok",
  ],
  ["an exported revoked proxy", "const rv = (() => { const r = Proxy.revocable(function () {}, {}); r.revoke(); return r.proxy })()", "ok"],
  ["a value whose inspection throws", "const iv = { [Symbol.for('nodejs.util.inspect.custom')]() { throw new Error('no') } }", "ok"],
  ["a shown value whose inspection throws", "display({ [Symbol.for('nodejs.util.inspect.custom')]() { throw new Error('no') } })", "ok"],
  ["a shown proxy", "display(new Proxy({}, { get() { throw new Error('no') } }))", "ok"],
  ["a value that claims to settle", "const st = { then: 5, [Symbol.toStringTag]: { toString() { throw 1 } } }; st", "ok"],
  ["an object that is very deep", "let deep = {}; for (let i = 0; i < 1e5; i++) deep = { deep }; deep", "ok"],
  ["an array of a hundred million", "const big = new Array(1e8); big", "ok"],
  ["a text of a hundred megabytes", "const long = 'x'.repeat(1e8); long", "ok"],
  ["a promise that nobody awaits and that fails", "void Promise.reject(new Error('alone')); 1", "ok"],
  ["an overflow of the stack", "const f = () => f(); f()", "error"],
];
for (const [name, source, result] of sources) {
  it(`survives ${name}`, async () => {
    const done = await kernel.run(source, { id: "hostile" });
    expect(done.result).toBe(result);
    if (result === "error") {
      expect(typeof done.error?.message).toBe("string");
      expect(done.error?.message).not.toMatch(/kernel could not finish/);
    }
    const after = await kernel.run("6 * 7", { id: "after" });
    expect(after.displays).toEqual([{ "text/plain": "42" }]);
    await kernel.query({ query: "variables" });
  });
}
