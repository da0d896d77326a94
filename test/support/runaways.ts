/** Cells that do not end by themselves, each in its own way. `go` prints the word that the test waits for before it stops the cell. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startKernel, type TestKernel } from "./kernel.js";

/** Files that some of them import, by name. */
const files: Record<string, string> = {
  "spin.ts": "export function spin(): never { for (;;); }\nexport async function later(): Promise<never> { await null; for (;;); }\n",
  "looping.ts": "for (;;);\n",
};

export const runaways: [name: string, source: (go: string) => string][] = [
  ["a loop", (go) => `${go} for (;;) {}`],
  ["a loop after an await", (go) => `await new Promise((r) => setTimeout(r, 1)); ${go} for (;;) {}`],
  ["a loop that catches all", (go) => `${go} for (;;) { try { null.x } catch {} }`],
  [
    "a storm of timers",
    (go) =>
      `${go} const spin = () => { for (let i = 0; i < 1e5; i++); setTimeout(spin, 0); setTimeout(spin, 0) }; spin(); await new Promise(() => {})`,
  ],
  ["a loop in a timer", (go) => `setTimeout(() => { ${go} for (;;) {} }, 1); await new Promise(() => {})`],
  ["a regular expression that blows up", (go) => `${go} /(a+)+$/.test("a".repeat(40) + "b")`],
  ["a storm of microtasks", (go) => `${go} const again = async () => { for (;;) await null }; await again()`],
  ["microtasks behind the compiler's back", (go) => `${go} const again = () => Promise.resolve().then(again); await again()`],
  ["an await that never ends", (go) => `${go} await new Promise(() => {})`],
  ["a tidy loop", (go) => `${go} for (;;) tf.tidy(() => void tf.ones([50, 50]).matMul(tf.ones([50, 50])))`],
  [
    "a gradient loop",
    (go) => `const v = tf.tidy(() => tf.variable(tf.scalar(2))); ${go} for (;;) tf.tidy(() => void tf.variableGrads(() => v.square()))`,
  ],
  ["a generator that never ends", (go) => `function* all() { for (let i = 0; ; i++) yield i } ${go} for (const i of all()) void i`],
  [
    "an async generator that never ends",
    (go) => `async function* all() { for (let i = 0; ; i++) yield i } ${go} for await (const i of all()) void i`,
  ],
  [
    "an async iterator that never answers",
    (go) => `${go} for await (const i of { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }) void i`,
  ],
  ["a chain of immediates", (go) => `${go} const next = () => { setImmediate(next); setImmediate(() => {}) }; next(); await new Promise(() => {})`],
  ["a storm of nextTicks", (go) => `${go} const next = () => process.nextTick(next); next(); await new Promise(() => {})`],
  [
    "a recursion that catches its own overflow",
    (go) => `${go} const deep = () => { try { deep() } catch {} deep() }; for (;;) { try { deep() } catch {} }`,
  ],
  ["an allocation loop", (go) => `${go} for (;;) { const list = []; for (let i = 0; i < 1e4; i++) list.push({ i }) }`],
  ["a loop in a getter", (go) => `const odd = { get x() { for (;;) {} } }; ${go} display({ ...odd })`],
  ["a loop in a proxy that display reads", (go) => `${go} display(new Proxy({}, { ownKeys() { for (;;) {} }, get() { for (;;) {} } }))`],
  ["a loop in toString", (go) => `${go} display(\`\${{ toString() { for (;;) {} } }}\`)`],
  ["a loop in a getter of the last value", (go) => `${go} ;({ get [Symbol.toStringTag]() { for (;;) {} } })`],
  [
    "a loop in an event of an emitter",
    (go) => `import { EventEmitter } from "node:events"; const e = new EventEmitter(); e.on("x", () => { for (;;) {} }); ${go} e.emit("x")`,
  ],
  ["a wait for memory that nobody changes", (go) => `${go} Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)`],
  ["a loop in an imported file", (go) => `import { spin } from "./spin.ts"; ${go} spin()`],
  ["a loop behind an await in an imported file", (go) => `import { later } from "./spin.ts"; ${go} await later()`],
  [
    "a sort by a comparison that never tires",
    (go) => `${go} for (;;) Array.from({ length: 1e4 }, (_, i) => (i * 7919) % 10007).sort((a, b) => a - b)`,
  ],
  [
    "a request that is never answered",
    (go) =>
      `import { createServer } from "node:http"; const dumb = createServer(() => {}); await new Promise((r) => dumb.listen(0, "127.0.0.1", r)); cell.onDispose(() => { dumb.closeAllConnections(); dumb.close() }); ${go} await fetch("http://127.0.0.1:" + dumb.address().port)`,
  ],
  ["a loop that prints", (go) => `${go} for (let i = 0; ; i++) { console.log(i); for (let j = 0; j < 1e5; j++); }`],
  ["a loop that prints after an await", (go) => `${go} for (let i = 0; ; i++) { await null; if (i % 1000 === 0) console.log("x".repeat(1000)) }`],
  ["a loop that displays", (go) => `${go} for (let i = 0; ; i++) { display({ i }, { id: "same" }); for (let j = 0; j < 1e6; j++); }`],
  ["a query", (go) => `${go} await sql\`select count(*) from range(1000000) a, range(1000000) b where a.range + b.range = 7\`.rows()`],
  ["the wait for a request", (go) => `${go} await fetch("http://127.0.0.1:1/").catch(() => new Promise(() => {}))`],
  [
    "a training",
    (go) => `const m = tf.sequential({ layers: [tf.layers.dense({ inputShape: [8], units: 16 }), tf.layers.dense({ units: 1 })] })
m.compile({ optimizer: "sgd", loss: "meanSquaredError" })
const x = tf.ones([2000, 8]), y = tf.ones([2000, 1])
${go} await m.fit(x, y, { epochs: 1e6, verbose: 0 })`,
  ],
  ["a loop whose finally loops", (go) => `${go} for (;;) { try { for (;;) {} } finally { for (;;) {} } }`],
  [
    "a loop in a listener of the cell's signal",
    (go) => `cell.signal.addEventListener("abort", () => { for (;;) {} }); ${go} await new Promise(() => {})`,
  ],
  [
    "loops in the listeners of several signals",
    (go) =>
      `const more = AbortSignal.any([cell.signal]); for (const each of [cell.signal, more]) each.onabort = () => { for (;;) {} }; ${go} for (;;) {}`,
  ],
  [
    "microtasks that eval has made",
    (go) => `${go} (0, eval)("const again = () => Promise.resolve().then(again); again()"); await new Promise(() => {})`,
  ],
  ["a loop in a getter of a figure", (go) => `${go} display({ data: [{ type: "bar", get x() { for (;;) {} } }], layout: {} })`],
  ["a loop in an error's message", (go) => `${go} throw Object.defineProperty(new Error(), "message", { get() { for (;;) {} } })`],
  ["a loop of native calls", (go) => `const long = Array.from({ length: 2e4 }, (_, i) => ({ i })); ${go} for (;;) JSON.parse(JSON.stringify(long))`],
  ["a loop that writes to the process's own output", (go) => `${go} for (let i = 0; ; i++) process.stdout.write("line " + i + "\\n")`],
  ["a loop of timers that are set and cleared", (go) => `${go} for (;;) clearTimeout(setTimeout(() => {}, 1e6))`],
  [
    "a loop in a generator's return",
    (go) => `function* all() { try { for (;;) yield 1 } finally { for (;;) {} } } ${go} for (const i of all()) break`,
  ],
  [
    "a loop of long calls of Node's own code",
    (go) => `import { gzipSync } from "node:zlib"; const bytes = Buffer.alloc(2e7); ${go} for (;;) gzipSync(bytes)`,
  ],
  ["a loop of short calls of Node's own code", (go) => `import { readFileSync } from "node:fs"; ${go} for (;;) readFileSync("/etc/hosts")`],
  ["a loop in a hook of Error", (go) => `${go} Error.prepareStackTrace = () => { for (;;) {} }; new Error().stack`],
  [
    "a loop of a WebAssembly module of the cell's own",
    (go) =>
      `const { instance } = await WebAssembly.instantiate(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 9, 1, 7, 0, 3, 64, 12, 0, 11, 11])); ${go} instance.exports.f()`,
  ],
  ["a thenable that resolves with another", (go) => `const make = () => ({ then(r) { r(make()) } }); ${go} await make()`],
  ["a loop in the disposal of what was used", (go) => `using x = { [Symbol.dispose]() { for (;;) {} } }; ${go}`],
  ["a loop in a replacement's callback", (go) => `${go} "aa".replace(/a/g, () => { for (;;) {} })`],
  [
    "messages that answer each other",
    (go) =>
      `const { port1, port2 } = new MessageChannel(); port1.onmessage = () => port2.postMessage(1); port2.onmessage = () => port1.postMessage(1); cell.onDispose(() => port1.close()); port1.postMessage(1); ${go} await new Promise(() => {})`,
  ],
  [
    "a loop of convolutions",
    (go) => `const image = tf.ones([1, 64, 64, 8]), kernel = tf.ones([3, 3, 8, 8]); ${go} for (;;) tf.conv2d(image, kernel, 1, "same").dispose()`,
  ],
  ["an import of a file that loops", (go) => `${go} await import("./looping.ts")`],
  [
    "a recursion that prints and catches its own overflow",
    (go) => `${go} const deep = () => { console.log("x"); try { deep() } catch {} }; for (;;) deep()`,
  ],
];

/** A kernel on wasm in which they run; its cell `kept` has a list of three. */
export async function runawayKernel(): Promise<TestKernel> {
  const kernel = await startKernel({ backend: "wasm" });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(kernel.workspace, name), text);
  await kernel.run("const kept = [1, 2, 3]", { id: "kept" });
  return kernel;
}
