/** Which TensorFlow.js back end computes here: the first of a fixed chain that loads, or the one that is forced. */
import { createRequire } from "node:module";
import { dirname, join, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { repairCpu } from "./cpu.js";
import { keepLedger, walkable } from "./ledger.js";
import { repairWasm } from "./wasm/repair.js";

export type Tf = typeof import("@tensorflow/tfjs");

/** Best first. */
export const backends = ["cuda", "webgpu", "node", "wasm", "cpu"] as const;
export type BackendName = (typeof backends)[number];

export interface Backend {
  tf: Tf;
  name: BackendName;
  /** "WebAssembly SIMD, 1 thread", the GPU's name ... */
  device: string;
  /** better ones that were passed over */
  skipped: { name: BackendName; why: string }[];
}

export interface LoadOptions {
  /** the SIMD binary of @tensorflow/tfjs-backend-wasm, for a process that has no node_modules (the one-file export) */
  wasmBinary?: Uint8Array;
}

/** Thrown when TOUCHSTONE_BACKEND or the caller asks for a back end that does not load. */
export class BackendError extends Error {
  override name = "BackendError";
}

let loading: Promise<Backend> = Promise.resolve() as unknown as Promise<Backend>;
const loaded = new Map<string, Backend>();
let current: Backend | null = null;

/**
 * Loads TensorFlow.js and sets its back end. `forced` (default: the environment's TOUCHSTONE_BACKEND) names the only one that is tried;
 * otherwise the one in use, at first the first of `backends` that loads. Later calls with the same name give the same answer; another name switches.
 */
export function loadBackend(forced?: string | null, options: LoadOptions = {}): Promise<Backend> {
  const asked = forced ?? process.env["TOUCHSTONE_BACKEND"] ?? null;
  // one at a time: setBackend is global to the process
  loading = loading.catch(() => undefined).then(() => load(asked || null, options));
  return loading;
}

/** A strike has dropped what a load in progress waited for: the next one does not wait for it. */
export function abandonLoading(): void {
  loading = Promise.resolve() as unknown as Promise<Backend>;
}

async function load(asked: string | null, options: LoadOptions): Promise<Backend> {
  if (asked !== null && !backends.includes(asked as BackendName)) {
    throw new BackendError(`Expected \`TOUCHSTONE_BACKEND\` to be one of ${backends.join(", ")}, got \`${asked}\``);
  }
  // without a wish: what this process computes on already
  const known = asked === null && current ? current : loaded.get(asked ?? "");
  const tf = known?.tf ?? (await loadTf());
  if (known) {
    await tf.setBackend(engineName(known.name));
    current = known;
    return known;
  }
  const skipped: Backend["skipped"] = [];
  for (const name of asked ? [asked as BackendName] : backends) {
    try {
      const device = await loaders[name](tf, { ...options, forced: asked === name });
      await tf.ready();
      const backend: Backend = { tf, name, device, skipped };
      loaded.set(asked ?? "", backend);
      current = backend;
      loaded.set(name, backend);
      return backend;
    } catch (error) {
      skipped.push({ name, why: reason(error) });
    }
  }
  throw new BackendError(
    asked
      ? `the back end "${asked}" was asked for and does not load: ${skipped[0]?.why}`
      : `no TensorFlow.js back end loads: ${skipped.map((s) => `${s.name}: ${s.why}`).join("; ")}`,
  );
}

async function loadTf(): Promise<Tf> {
  // Node gives the names of a CommonJS entry, a bundler may leave them on `default`
  const loadedModule = (await import("@tensorflow/tfjs")) as unknown as Tf & { default?: Tf };
  const tf = typeof loadedModule.tensor === "function" ? loadedModule : (loadedModule.default as Tf);
  return tf;
}

type Loader = (tf: Tf, options: LoadOptions & { forced: boolean }) => Promise<string>;

const loaders: Record<BackendName, Loader> = {
  cuda: async (tf) => {
    await optional("@tensorflow/tfjs-node-gpu", "optional: it needs an NVIDIA GPU and downloads hundreds of MB");
    await set(tf, "tensorflow");
    const native = tf.backend() as unknown as { isUsingGpuDevice?: boolean };
    if (!native.isUsingGpuDevice) throw new Error("@tensorflow/tfjs-node-gpu is installed, but TensorFlow sees no CUDA device");
    return "NVIDIA GPU by CUDA (libtensorflow)";
  },
  webgpu: async (tf, { forced }) => {
    const dawn = (await optional("webgpu", "the package is not installed (132 MB, optional)")) as {
      create(flags: string[]): GpuEntry;
      globals: object;
    };
    const glue = (await optional("@tensorflow/tfjs-backend-webgpu", "the package is not installed (optional)")) as unknown as {
      WebGPUBackend: new (device: unknown, info?: unknown) => import("@tensorflow/tfjs").KernelBackend;
    };
    Object.assign(globalThis, dawn.globals);
    const gpu = dawn.create([]);
    // Node 20 has no navigator; from 21 on it is read-only
    Object.defineProperty(globalThis, "navigator", { value: { ...globalThis.navigator, gpu }, configurable: true, writable: true });
    const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
    if (!adapter) throw new Error("no WebGPU adapter was found");
    const about = [adapter.info.vendor, adapter.info.architecture, adapter.info.device, adapter.info.description].filter(Boolean).join(" ");
    const software = adapter.info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|software|basic render/i.test(about);
    if (software && !forced) throw new Error(`only a software adapter (${about}), which is slower than wasm`);
    const limits = adapter.limits;
    const device = await adapter.requestDevice({
      requiredLimits: {
        maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
        maxBufferSize: limits.maxBufferSize,
        maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
        maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
      },
    });
    if (!tf.findBackend("webgpu")) tf.registerBackend("webgpu", () => new glue.WebGPUBackend(device, adapter.info), 3);
    await set(tf, "webgpu");
    return about || "WebGPU adapter";
  },
  node: async (tf) => {
    // tfjs-node-gpu without a GPU registers the same "tensorflow" and computes on the CPU
    if (!tf.findBackendFactory("tensorflow")) await optional("@tensorflow/tfjs-node", "the package is not installed (optional)");
    await set(tf, "tensorflow");
    return "CPU by libtensorflow";
  },
  wasm: async (tf, { wasmBinary }) => {
    const wasm = await import("@tensorflow/tfjs-backend-wasm");
    if (!tf.findBackend("wasm")) {
      if (wasmBinary) {
        const url = `data:application/wasm;base64,${Buffer.from(wasmBinary).toString("base64")}`;
        // emscripten's glue reads the CommonJS name, which a bundled ES module lacks; nothing is found by it here
        (globalThis as { __dirname?: string }).__dirname ??= "/";
        wasm.setWasmPaths({ "tfjs-backend-wasm.wasm": url, "tfjs-backend-wasm-simd.wasm": url, "tfjs-backend-wasm-threaded-simd.wasm": url }, true);
      } else {
        wasm.setWasmPaths(wasmFolder() + sep);
      }
    }
    repairWasm(tf);
    await set(tf, "wasm");
    walkable(tf.backend());
    keepLedger(tf);
    const simd = await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT");
    return `WebAssembly${simd ? " SIMD" : ""}, 1 thread`;
  },
  cpu: async (tf) => {
    const backend = tf.findBackend("cpu") as unknown as { firstUse?: boolean } | undefined;
    // else the first tensor prints an advertisement to the console
    if (backend) backend.firstUse = false;
    repairCpu(tf);
    await set(tf, "cpu");
    return "plain JavaScript, 1 thread";
  },
};

interface GpuEntry {
  requestAdapter(options: object): Promise<{
    info: { vendor?: string; architecture?: string; device?: string; description?: string; isFallbackAdapter?: boolean };
    limits: Record<string, number>;
    requestDevice(options: object): Promise<unknown>;
  } | null>;
}

/** The folder of the installed package that holds the .wasm files. */
export function wasmFolder(): string {
  return join(dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm/package.json")), "dist");
}

/** TFJS's own name of a back end. */
function engineName(name: BackendName): string {
  return name === "cuda" || name === "node" ? "tensorflow" : name;
}

async function set(tf: Tf, name: string): Promise<void> {
  if (!(await tf.setBackend(name))) throw new Error(`TensorFlow.js could not initialise "${name}"`);
}

/** A package that may be absent: beside us, or in the folder that TOUCHSTONE_BACKENDS names. */
async function optional(name: string, absent: string): Promise<unknown> {
  const elsewhere = process.env["TOUCHSTONE_BACKENDS"];
  const require = [import.meta.url, ...(elsewhere ? [join(elsewhere, "package.json")] : [])]
    .map((from) => createRequire(from))
    .find((one) => has(one, name));
  if (!require) throw new Error(absent);
  // tfjs-node 4.22 calls util.isNullOrUndefined, which Node 23 dropped
  const util = require("node:util") as { isNullOrUndefined?: (value: unknown) => boolean };
  util.isNullOrUndefined ??= (value) => value == null;
  // by the same path as the require above: an import would look beside us alone
  const module = (await import(pathToFileURL(require.resolve(name)).href)) as { default?: unknown };
  return module.default && Object.keys(module).length === 1 ? module.default : module;
}

function has(require: NodeJS.Require, name: string): boolean {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}

function reason(error: unknown): string {
  const text = error instanceof Error ? error.message : String((error as { message?: unknown })?.message ?? error);
  return text.split("\n")[0] ?? text;
}
