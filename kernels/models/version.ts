/**
 * A version's folder (contracts 5): written once by a predictor's `stage(dir)`, verified by hash whenever it is read.
 *
 *   manifest.json    Manifest: format, kind, label, runtime, sha256 of each other file, params, bytes, provenance
 *   model.json       TFJS layers-model topology and weight specs      weights.bin   their bytes
 *   features.mjs     the bundled row function                         state.json    its fitted state; of a baseline: its whole state; of an ensemble: {weights}
 *   signature.json   Signature       card.json   VersionCard          evaluation.bin   see evaluation.ts
 *   reference.json   sketches for drift                               sample.jsonl  SampleLine a line
 *   source/          cells as they were      lookups/  snapshots      members/N/    model files of an ensemble's members
 *
 * Nothing in it depends on the clock: the same predictor always gives the same bytes, so the same proposal.
 */
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { runtimeMajor, sha256, syncFolder, writeDurably } from "../paths/folder.js";
import { decodeEvaluation, encodeEvaluation, type EvaluationFile } from "../protocol/evaluation.js";
import type { VersionCard } from "../protocol/serving.js";
import type { Manifest, Provenance, SampleLine, Signature } from "../protocol/values.js";
export { readVersion, sha256, type Version } from "../paths/folder.js";

/** Fields of TFJS's ModelArtifacts that a version keeps. */
export interface ModelParts {
  modelTopology: unknown;
  weightSpecs: unknown[];
  /** the weights' bytes in the order of the specs */
  weightData: ArrayBuffer | Uint8Array;
}

/** What answers records: one of three kinds. */
export type PredictorParts =
  | {
      kind: "model";
      model: ModelParts;
      /** bundled row function and its fitted state */
      features: { code: string; state: unknown };
    }
  /** answered by kernels/stats/baselines.ts `predictBaseline(state, records)` */
  | { kind: "baseline"; state: unknown }
  | { kind: "ensemble"; members: { weight: number; parts: PredictorParts }[] };

/** What `stage(dir)` hands to writeVersion. */
export type VersionParts = PredictorParts & {
  label: string;
  signature: Signature;
  /** name, machine and createdBy are filled in when left out (the endpoint's name is known to promote only) */
  card: Omit<VersionCard, "name" | "machine" | "createdBy"> & Partial<Pick<VersionCard, "name" | "machine" | "createdBy">>;
  evaluation: EvaluationFile;
  /** 256 records (random, extremes, nulls, rarest category, longest string) with exact vectors and predictions */
  sample: SampleLine[];
  /** sketches for drift, JSON */
  reference: unknown;
  params: number;
  provenance: Provenance;
  /** file name -> text, under source/ */
  source?: Record<string, string>;
  /** file name -> bytes, under lookups/ */
  lookups?: Record<string, Uint8Array>;
};

const tfjsVersion = "4.22.0";

/** Writes the version's files into `dir` (made if absent, must be empty), each one fsynced, the manifest last. */
export function writeVersion(dir: string, parts: VersionParts): Manifest {
  mkdirSync(dir, { recursive: true });
  if (readdirSync(dir).length > 0) throw new Error(`Expected \`dir\` to be an empty folder, got ${dir} with ${readdirSync(dir).length} entries`);
  const files = new Map<string, Uint8Array>();
  const put = (name: string, content: Uint8Array | string): void =>
    void files.set(name, typeof content === "string" ? Buffer.from(content) : content);
  const json = (value: unknown): string => `${JSON.stringify(value)}\n`;
  putPredictor(parts, "", put);
  put("signature.json", json(parts.signature));
  put("card.json", json({ name: "", machine: machine(parts.provenance.backend), createdBy: "touchstone", ...parts.card }));
  put("evaluation.bin", encodeEvaluation(parts.evaluation));
  put("reference.json", json(parts.reference ?? {}));
  put("sample.jsonl", parts.sample.map((line) => json(line)).join(""));
  for (const [name, text] of Object.entries(parts.source ?? {})) put(`source/${safe(name)}`, text);
  for (const [name, bytes] of Object.entries(parts.lookups ?? {})) put(`lookups/${safe(name)}`, bytes);

  const names = [...files.keys()].sort();
  for (const name of names) writeDurably(join(dir, name), files.get(name)!);
  const manifest: Manifest = {
    format: 1,
    kind: parts.kind,
    label: parts.label,
    runtime: { touchstone: runtimeMajor, tfjs: tfjsVersion, node: process.versions.node.split(".")[0]! },
    files: Object.fromEntries(names.map((name) => [name, sha256(files.get(name)!)])),
    params: parts.params,
    bytes: names.filter((name) => servingFile(name)).reduce((sum, name) => sum + files.get(name)!.length, 0),
    provenance: parts.provenance,
  };
  writeDurably(join(dir, "manifest.json"), Buffer.from(json(manifest)));
  for (const folder of new Set(["", ...names.map((name) => dirname(name))])) syncFolder(join(dir, folder));
  return manifest;
}

/** The files that are loaded to answer: what the size budget counts. */
function servingFile(name: string): boolean {
  return /(^|\/)(model\.json|weights\.bin|features\.mjs|state\.json)$/.test(name) || name.startsWith("lookups/");
}

function putPredictor(parts: PredictorParts, prefix: string, put: (name: string, content: Uint8Array | string) => void): void {
  if (parts.kind === "model") {
    const { modelTopology, weightSpecs, weightData } = parts.model;
    put(
      `${prefix}model.json`,
      `${JSON.stringify({ format: "layers-model", modelTopology, weightsManifest: [{ paths: ["weights.bin"], weights: weightSpecs }] })}\n`,
    );
    put(`${prefix}weights.bin`, weightData instanceof Uint8Array ? weightData : new Uint8Array(weightData));
    put(`${prefix}features.mjs`, parts.features.code);
    put(`${prefix}state.json`, `${JSON.stringify(parts.features.state ?? null)}\n`);
  } else if (parts.kind === "baseline") put(`${prefix}state.json`, `${JSON.stringify(parts.state)}\n`);
  else {
    put(`${prefix}state.json`, `${JSON.stringify({ members: parts.members.map(({ weight, parts }) => ({ weight, kind: parts.kind })) })}\n`);
    parts.members.forEach((member, i) => putPredictor(member.parts, `${prefix}members/${i}/`, put));
  }
}

/** evaluation.bin of a version. */
export function readEvaluation(dir: string): EvaluationFile {
  return decodeEvaluation(readFileSync(join(dir, "evaluation.bin")));
}

/** sample.jsonl of a version. */
export function readSample(dir: string): SampleLine[] {
  return readFileSync(join(dir, "sample.jsonl"), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as SampleLine);
}

/** float32 vector as little-endian hex, for sample.jsonl. */
export function vectorHex(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("hex");
}

/** Machine facts for card.json. */
export function machine(backend: string): Record<string, string | number> {
  const all = cpus();
  return {
    cpu: all[0]?.model.trim() ?? "unknown",
    cores: all.length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.versions.node,
    backend,
  };
}

function safe(name: string): string {
  if (!/^[\w.-]+(\/[\w.-]+)*$/.test(name) || name.split("/").includes(".."))
    throw new Error(`Expected a plain relative file name, got ${JSON.stringify(name)}`);
  return name;
}
