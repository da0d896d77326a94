/** Runs a features.mjs in a realm of its own, where nothing can be read or kept that is not in the record, the state or the file. */
import { createContext, Script } from "node:vm";
import type { Driver } from "./features-driver.js";

/** Ends each bundle; what stands before it is the script that defines `bundle`. */
export const trailer = "\nexport default bundle.row;\nexport const { input, fill, measure, state } = bundle;\n";

/** Globals of the language that are functions of their arguments. */
export const pureGlobals: readonly string[] = (
  "Array ArrayBuffer BigInt BigInt64Array BigUint64Array Boolean DataView Date Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError " +
  "Float32Array Float64Array Infinity Int16Array Int32Array Int8Array Iterator JSON Map Math NaN Number Object Promise Proxy Reflect RegExp Set String Symbol " +
  "Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakSet decodeURI decodeURIComponent encodeURI encodeURIComponent escape isFinite isNaN parseFloat parseInt undefined unescape"
).split(" ");

/** In the realm, before the bundle: clock, chance, locale and zone are closed. Dates are UTC. */
const close = `"use strict";
(() => {
  const deny = (what, why) => function () { throw new TypeError(what + " " + why); };
  const put = (object, name, value) => Object.defineProperty(object, name, { value, writable: true, enumerable: false, configurable: true });
  const impure = "is not allowed in features: the same record must always give the same numbers";
  put(Math, "random", deny("Math.random()", impure));
  const Real = Date;
  const parse = (text) => {
    const zoned = /(?:Z|[+-]\\d\\d:?\\d\\d)$/i.test(text) || /^[+-]?\\d{4,6}(?:-\\d\\d){0,2}$/.test(text);
    if (!/^[+-]?\\d{4,6}-\\d\\d/.test(text) && !/^\\d{4}$/.test(text)) throw new TypeError("features read ISO 8601 dates only, got " + JSON.stringify(text));
    return Real.parse(zoned ? text : text.replace(" ", "T") + "Z");
  };
  function Pure(...parts) {
    if (new.target === undefined) throw new TypeError("Date() " + impure);
    if (parts.length === 0) throw new TypeError("new Date() without an argument " + impure);
    const one = parts[0] !== null && typeof parts[0] === "object" && !(parts[0] instanceof Real) ? String(parts[0]) : parts[0];
    const ms = parts.length > 1 ? Real.UTC(...parts) : typeof one === "string" ? parse(one) : one;
    return Reflect.construct(Real, [ms], new.target);
  }
  put(Pure, "name", "Date");
  put(Pure, "length", 7);
  put(Pure, "UTC", Real.UTC);
  put(Pure, "parse", (text) => parse(String(text)));
  put(Pure, "now", deny("Date.now()", impure));
  Pure.prototype = Real.prototype;
  put(Real.prototype, "constructor", Pure);
  for (const part of ["FullYear", "Month", "Date", "Day", "Hours", "Minutes", "Seconds", "Milliseconds"]) {
    put(Real.prototype, "get" + part, Real.prototype["getUTC" + part]);
    if (part !== "Day") put(Real.prototype, "set" + part, Real.prototype["setUTC" + part]);
  }
  put(Real.prototype, "getTimezoneOffset", function getTimezoneOffset() { return 0; });
  put(Real.prototype, "toString", Real.prototype.toISOString);
  put(Real.prototype, "toTimeString", deny("toTimeString()", impure));
  put(Real.prototype, "toDateString", deny("toDateString()", impure));
  delete Real.prototype.getYear;
  delete Real.prototype.setYear;
  put(globalThis, "Date", Pure);
  put(globalThis, "$plainDate", Real);
  const locale = "depends on the machine's language and is not allowed in features";
  for (const [object, names] of [
    [Date.prototype, ["toLocaleString", "toLocaleDateString", "toLocaleTimeString"]],
    [Number.prototype, ["toLocaleString"]], [BigInt.prototype, ["toLocaleString"]], [Array.prototype, ["toLocaleString"]],
    [Object.prototype, ["toLocaleString"]], [Object.getPrototypeOf(Uint8Array.prototype), ["toLocaleString"]],
    [String.prototype, ["localeCompare", "toLocaleLowerCase", "toLocaleUpperCase"]],
  ]) for (const name of names) put(object, name, deny(name + "()", locale));
  for (const name of Object.getOwnPropertyNames(RegExp)) if (/^(\\$.*|input|last\\w*|left\\w*|right\\w*)$/.test(name)) delete RegExp[name];
  delete Error.captureStackTrace;
  Error.stackTraceLimit = 0;
  for (const name of ["console", "Intl", "WebAssembly", "SharedArrayBuffer", "Atomics", "WeakRef", "FinalizationRegistry", "Temporal", "ShadowRealm"]) delete globalThis[name];
})()`;

/** In the realm, after the bundle: every built-in is frozen, so that nothing can be kept on one. */
const freeze = `"use strict";
(() => {
  const seen = new Set();
  const queue = [];
  // a frozen Object.prototype would make \`counts["constructor"] = 1\` throw on any object: setters there define the property on the object itself
  for (const proto of [Object.prototype, Error.prototype]) for (const name of Object.getOwnPropertyNames(proto)) {
    const own = Object.getOwnPropertyDescriptor(proto, name);
    if (!("value" in own) || !own.configurable) continue;
    const { value } = own;
    Object.defineProperty(proto, name, {
      get() { return value; },
      set(next) {
        if (this === proto) throw new TypeError("built-in objects cannot be changed in features");
        Object.defineProperty(this, name, { value: next, writable: true, enumerable: true, configurable: true });
      },
      enumerable: false, configurable: true,
    });
    if (value !== null && typeof value === "object" || typeof value === "function") queue.push(value);
  }
  const add = (value) => {
    if (value !== null && (typeof value === "object" || typeof value === "function") && !seen.has(value)) { seen.add(value); queue.push(value); }
  };
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    if (name === "$plainDate") delete globalThis[name];
    const { value } = Object.getOwnPropertyDescriptor(globalThis, name) ?? {};
    if (value !== globalThis) add(value);
  }
  for (const value of [function* () {}, async function () {}, async function* () {}, [][Symbol.iterator](), new Map().entries(), new Set().values(), "".matchAll(/a/g), ""[Symbol.iterator]()]) add(Object.getPrototypeOf(value));
  while (queue.length > 0) {
    const value = queue.pop();
    Object.freeze(value);
    add(Object.getPrototypeOf(value));
    for (const key of Reflect.ownKeys(value)) {
      const own = Object.getOwnPropertyDescriptor(value, key);
      add(own.value); add(own.get); add(own.set);
    }
  }
})()`;

const scripts = { close: new Script(close, { filename: "features-realm" }), freeze: new Script(freeze, { filename: "features-realm" }) };

/** Evaluates a bundle and gives its driver. Throws what the bundle throws while it loads. */
export function openBundle(code: string): Driver {
  if (!code.endsWith(trailer)) throw new Error("features.mjs is not a features bundle of Touchstone: its last lines are not those that were written");
  const context = createContext(Object.create(null) as object, { codeGeneration: { strings: false, wasm: false }, name: "features" });
  scripts.close.runInContext(context);
  // locals are faster than a context's globals; `globalThis` of a library is a frozen object with the same names
  const locals = pureGlobals.filter((name) => !["undefined", "NaN", "Infinity"].includes(name));
  const set = locals.map((name) => `${name}=$global.${name}`).join(",");
  const shadow = `const ${set},$plainDate=$global.$plainDate;const globalThis=Object.freeze({__proto__:null,${locals.join(",")}}),self=globalThis,window=undefined,global=undefined,process=undefined,require=undefined;`;
  const script = new Script(
    `"use strict";(($global)=>{${shadow}return(($global)=>{${code.slice(0, -trailer.length)}\n;return bundle})()})(globalThis)`,
    {
      filename: "features.mjs",
    },
  );
  let bundle: Driver;
  try {
    bundle = script.runInContext(context) as Driver;
  } catch (error) {
    // the realm's errors are no Errors of ours
    throw new Error(`features.mjs fails while it loads: ${String((error as { message?: unknown } | null)?.message ?? error)}`, { cause: error });
  }
  scripts.freeze.runInContext(context);
  return bundle;
}
