/** Judging a staged version: copied and hashed, started without traffic, put through the six gates. The same bytes always give the same proposal id. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, sep } from "node:path";
import { list, readVersion, sha256 } from "../../kernels/paths/folder.js";
import { entry } from "../../kernels/paths/paths.js";
import { decodeEvaluation } from "../../kernels/protocol/evaluation.js";
import type { JudgeConfig, JudgeReport } from "../../kernels/protocol/judge.js";
import type { Gate, Proposal, ProposeRequest } from "../../kernels/protocol/serving.js";
import type { SampleLine, Signature } from "../../kernels/protocol/values.js";
import { startHost, type Host } from "../host/process.js";
import { baselineGate, budgetGate, incumbentGate, leakageGate, parityGate, passes, signatureGate, summary, type FormParity } from "./gates.js";
import { measureLatency, type Latency } from "./latency.js";
import type { Registry } from "./registry.js";

/** A request that cannot be judged at all: told to the caller, nothing was changed. */
export class ProposalError extends Error {
  override name = "ProposalError";
}

export interface Judged {
  proposal: Proposal;
  /** champion that the incumbent gate was judged against */
  champion: number | null;
  request: ProposeRequest;
}

export interface ProposeEffects {
  registry: Registry;
  sockets: string;
  log(message: string): void;
  /** the server is closing */
  signal: AbortSignal;
}

const namePattern = /^[a-z][a-z0-9-]{0,62}$/;

/** Checks what came over the wire. */
export function checkProposeRequest(request: ProposeRequest): void {
  const wrong = (field: string, expected: string, got: unknown): never => {
    throw new ProposalError(`Expected \`${field}\` to be ${expected}, got ${JSON.stringify(got)}`);
  };
  if (typeof request !== "object" || request === null) wrong("request", "an object", request);
  if (typeof request.name !== "string" || !namePattern.test(request.name))
    wrong("name", "an endpoint name: a lower-case letter, then letters, digits and hyphens, at most 63", request.name);
  for (const field of ["dir", "testRows", "trainKeys"] as const) {
    const path = request[field];
    if (field === "trainKeys" && path === undefined) continue;
    if (typeof path !== "string" || !existsSync(path)) wrong(field, "a path that exists", path);
    // links are followed first: a staged path must really lie in a staging folder
    if (!realpathSync(path!).includes(`${sep}.touchstone${sep}staging${sep}`)) wrong(field, "inside the workspace's .touchstone/staging", path);
  }
  if (typeof request.margin !== "number" || !Number.isFinite(request.margin)) wrong("margin", "a number", request.margin);
  for (const limit of ["p99Ms", "bytes"] as const) {
    const value = request.budget?.[limit];
    if (value !== undefined && !(typeof value === "number" && value > 0)) wrong(`budget.${limit}`, "a positive number", value);
  }
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest("hex");
}

/** The server's copy is still the version of this hash. */
function isWhole(folder: string, hash: string): boolean {
  try {
    return readVersion(folder).hash === hash;
  } catch {
    return false;
  }
}

/** Judges a staged folder. Throws a ProposalError when the folder is no version; a failed gate is part of the answer. */
export async function propose(effects: ProposeEffects, request: ProposeRequest): Promise<Judged> {
  checkProposeRequest(request);
  const { registry } = effects;
  const { disk, places } = registry;
  let staged;
  try {
    staged = readVersion(request.dir);
  } catch (error) {
    throw new ProposalError(`the staged folder is no whole version: ${(error as Error).message}`);
  }
  const { margin, budget, slices, rollout, notebook, name } = request;
  const data = await hashFile(request.testRows);
  const seen = request.trainKeys === undefined ? null : await hashFile(request.trainKeys);
  const id = sha256(JSON.stringify([staged.hash, data, seen, name, margin, budget ?? {}, slices ?? [], rollout ?? null, notebook])).slice(0, 32);
  const champion = registry.state().models.get(name)?.champion ?? null;
  const known = readProposal(registry, id);
  const folder = join(places.proposals, id, "version");
  if (known && (known.proposal.version !== null || (known.proposal.passed && known.champion === champion && isWhole(folder, staged.hash))))
    return known;

  // the server's own copy: what is judged is what will be committed. The old verdict goes first: it is never beside files that it was not made on
  disk.remove(join(places.proposals, id, "proposal.json"));
  disk.remove(folder);
  disk.folder(folder);
  for (const file of list(request.dir)) {
    disk.folder(dirname(join(folder, file)));
    disk.write(join(folder, file), readFileSync(join(request.dir, file)));
  }
  for (const inner of new Set(list(folder).map((file) => dirname(join(folder, file))))) disk.syncFolder(inner);
  const version = readVersion(folder);
  if (version.hash !== staged.hash) throw new ProposalError("the staged folder changed while it was copied; run the cell again");

  // kept until the commit: another version may come into use in between, and is then compared on them
  const kept = rowsOf(registry, id);
  disk.copy(request.testRows, kept.testRows);
  if (request.trainKeys !== undefined) disk.copy(request.trainKeys, kept.trainKeys);
  if ((await hashFile(kept.testRows)) !== data) throw new ProposalError("the test rows changed while they were copied; run the cell again");

  const evaluation = decodeEvaluation(readFileSync(join(folder, "evaluation.bin")));
  const sample = readSampleLines(folder);
  const { card, manifest, signature } = version;
  const baseline = baselineGate(evaluation, card, manifest.kind, margin);
  const incumbent = champion === null ? null : { version: champion, dir: registry.versionDir(name, champion) };
  const judged = await runJudge(
    {
      candidate: folder,
      incumbent,
      testRows: kept.testRows,
      trainKeys: request.trainKeys === undefined ? null : kept.trainKeys,
      slices: slices ?? [],
    },
    effects.signal,
  );
  const report = judged.report;
  if (report === null && judged.problem?.startsWith("slices: ")) throw new ProposalError(judged.problem);

  let host: Host | null = null;
  let latency: Latency | null = null;
  let problem: string | null = null;
  let forms: FormParity[] = [];
  try {
    host = await startHost({ dir: folder, sockets: effects.sockets, signal: effects.signal });
    forms = await proveForms(host, signature, sample);
    latency = await measureLatency(host, sample);
  } catch (error) {
    problem = (error as Error).message;
  }
  const parity = host?.parity ?? null;
  host?.kill();
  if (effects.signal.aborted) throw new ProposalError("the server is closing: run the cell again");

  const gates: Gate[] = [
    baseline.gate,
    incumbentGate(report?.incumbent ?? null, evaluation.metric, card.better, champion),
    budgetGate(budget ?? {}, manifest.bytes, latency, problem),
    signatureGate(report, judged.problem),
    parityGate(parity, forms, report?.rescored ?? null, manifest.kind === "model", problem),
    leakageGate(report, judged.problem),
  ];
  const proposal: Proposal = {
    ...{ id, name, version: null, url: null, gates, passed: passes(gates), sentence: summary(gates), manifest, metric: evaluation.metric },
    ...(report?.slices ? { slices: report.slices } : {}),
    candidate: baseline.candidate,
    baseline: { label: card.baseline.label, value: baseline.baseline },
    incumbent: report?.incumbent?.value != null ? { version: report.incumbent.version, value: report.incumbent.value } : null,
    latency: latency && { p50: latency.p50, p99: latency.p99, p99ci: latency.p99ci, jitter: latency.jitter },
  };
  const result: Judged = { proposal, champion, request };
  disk.replace(join(places.proposals, id, "proposal.json"), `${JSON.stringify(result)}\n`);
  effects.log(`proposal ${id} for ${name}: ${proposal.sentence}`);
  return result;
}

function rowsOf(registry: Registry, id: string): { testRows: string; trainKeys: string } {
  const folder = join(registry.places.proposals, id);
  return { testRows: join(folder, "test.parquet"), trainKeys: join(folder, "train-keys.parquet") };
}

/** The incumbent gate again, against the version that is in use now; the other gates do not depend on it. */
export async function judgeAgain(effects: ProposeEffects, judged: Judged): Promise<Judged> {
  const { registry } = effects;
  const { id, name, metric } = judged.proposal;
  const folder = join(registry.places.proposals, id, "version");
  const { card } = readVersion(folder);
  const champion = registry.state().models.get(name)?.champion ?? null;
  const incumbent = champion === null ? null : { version: champion, dir: registry.versionDir(name, champion) };
  const { report, problem } = await runJudge(
    { candidate: folder, incumbent, testRows: rowsOf(registry, id).testRows, trainKeys: null },
    effects.signal,
  );
  if (report === null) throw new ProposalError(`the proposal could not be judged against version ${champion}: ${problem}`);
  const gate = incumbentGate(report.incumbent, metric, card.better, champion);
  const gates = judged.proposal.gates.map((one) => (one.name === "incumbent" ? gate : one));
  const proposal: Proposal = {
    ...judged.proposal,
    ...{ gates, passed: passes(gates), sentence: summary(gates) },
    incumbent: report.incumbent?.value != null ? { version: report.incumbent.version, value: report.incumbent.value } : null,
  };
  const result: Judged = { ...judged, proposal, champion };
  registry.disk.replace(join(registry.places.proposals, id, "proposal.json"), `${JSON.stringify(result)}\n`);
  effects.log(`proposal ${id} for ${name}, judged again: ${proposal.sentence}`);
  return result;
}

/** Removes what a committed proposal no longer needs; its verdict stays. */
export function forgetRows(registry: Registry, id: string): void {
  const { testRows, trainKeys } = rowsOf(registry, id);
  for (const path of [join(registry.places.proposals, id, "version"), testRows, trainKeys]) registry.disk.remove(path);
}

/** A stored proposal with its version when committed; null when there is none or its folder is not whole. */
export function readProposal(registry: Registry, id: string): Judged | null {
  if (!/^[0-9a-f]{32}$/.test(id)) return null;
  let stored: Judged;
  try {
    stored = JSON.parse(readFileSync(join(registry.places.proposals, id, "proposal.json"), "utf8")) as Judged;
  } catch {
    return null;
  }
  const done = registry.state().committed.get(id);
  const proposal: Proposal = { ...stored.proposal, version: done?.version ?? null, url: done ? `/v1/models/${done.name}:predict` : null };
  return { ...stored, proposal };
}

function readSampleLines(dir: string): SampleLine[] {
  return readFileSync(join(dir, "sample.jsonl"), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as SampleLine);
}

async function runJudge(config: JudgeConfig, signal: AbortSignal): Promise<{ report: JudgeReport | null; problem: string | null }> {
  const folder = mkdtempSync(join(tmpdir(), "touchstone-judge-"));
  try {
    const files = { config: join(folder, "config.json"), result: join(folder, "result.json") };
    writeFileSync(files.config, JSON.stringify(config));
    const problem = await new Promise<string | null>((resolve) => {
      const child = spawn(process.execPath, ["--max-old-space-size=2048", entry("judge"), files.config, files.result], {
        ...{ stdio: ["ignore", "ignore", "pipe"], signal, killSignal: "SIGKILL" },
        env: { PATH: process.env["PATH"], HOME: process.env["HOME"], TZ: "UTC", LANG: "C.UTF-8", TF_CPP_MIN_LOG_LEVEL: "2" },
      });
      let words = "";
      const limit = setTimeout(() => child.kill("SIGKILL"), 300_000);
      child.stderr.setEncoding("utf8").on("data", (text: string) => (words = (words + text).slice(-2000)));
      child.on("error", (error) => resolve(error.message));
      child.on("close", (code, signal) => {
        clearTimeout(limit);
        resolve(
          code === 0 ? null : signal ? `the judge was ended by ${signal}` : (words.trim().split("\n").at(-1) ?? `the judge ended with code ${code}`),
        );
      });
    });
    if (problem !== null) return { report: null, problem };
    return { report: JSON.parse(readFileSync(files.result, "utf8")) as JudgeReport, problem: null };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type Body = { predictions?: unknown; outputs?: unknown };

/** The sample through every request form, as a caller would send it. */
export async function proveForms(host: Host, signature: Signature, sample: SampleLine[]): Promise<FormParity[]> {
  const lines = sample.slice(0, 64);
  const records = lines.map((line) => line.record);
  const fields = signature.inputs.map((field) => field.name);
  const column = (name: string): unknown[] => records.map((record) => record[name] ?? null);
  const wide = signature.inputs.some((field) => field.nullable || field.type === "double[]" || field.type === "image");
  const json = "application/json";
  const bodies: { form: "v1" | "v2" | "mlflow"; label: string; body: unknown }[] = [
    { form: "v1", label: "v1 instances", body: { instances: records } },
    { form: "v1", label: "v1 inputs", body: { inputs: Object.fromEntries(fields.map((name) => [name, column(name)])) } },
    { form: "mlflow", label: "MLflow dataframe_records", body: { dataframe_records: records } },
    {
      form: "mlflow",
      label: "MLflow dataframe_split",
      body: { dataframe_split: { columns: fields, data: records.map((record) => fields.map((name) => record[name] ?? null)) } },
    },
  ];
  // tensors have no null, and rows of lists may differ in length
  if (!wide && lines.length > 0)
    bodies.push({
      ...{ form: "v2", label: "v2 infer" },
      body: {
        inputs: signature.inputs.map((field) => ({
          name: field.name,
          shape: [lines.length],
          datatype: datatypeOf(field.type),
          data: column(field.name),
        })),
      },
    });
  const proofs: FormParity[] = [];
  for (const { form, label, body } of bodies) {
    const answer = await host.request(
      { form, contentType: json, headerLength: null, name: "candidate", version: "0" },
      Buffer.from(JSON.stringify(body)),
    );
    const parsed = JSON.parse(Buffer.from(answer.body).toString()) as Body & { error?: string; message?: string };
    if (answer.status !== 200) {
      proofs.push({ form: label, rows: 0, largest: 0, problem: parsed.error ?? parsed.message ?? `status ${answer.status}` });
      continue;
    }
    const found =
      form === "v2" ? unflatten(parsed.outputs as { shape: number[]; data: number[] }[]) : ((parsed.predictions ?? parsed.outputs) as unknown[]);
    let largest = 0;
    lines.forEach((line, i) => (largest = Math.max(largest, apart(found[i], line.prediction))));
    const problem = largest > host.parity.tolerance ? `a prediction differs by ${largest.toPrecision(2)}, allowed is ${host.parity.tolerance}` : null;
    proofs.push({ form: label, rows: lines.length, largest, problem });
  }
  return proofs;
}

function unflatten([output]: { shape: number[]; data: number[] }[]): unknown[] {
  const { shape, data } = output!;
  const width = shape[1];
  return width === undefined ? data : Array.from({ length: shape[0]! }, (_, row) => data.slice(row * width, (row + 1) * width));
}

function apart(found: unknown, stored: number | number[]): number {
  const a = Array.isArray(found) ? (found as number[]) : [found as number];
  const b = Array.isArray(stored) ? stored : [stored];
  if (a.length !== b.length) return Infinity;
  return a.reduce(
    (most, value, i) => Math.max(most, typeof value === "number" ? Math.abs(value - b[i]!) / Math.max(1, Math.abs(b[i]!)) : Infinity),
    0,
  );
}

/** Open Inference Protocol's name of a declared type. */
export function datatypeOf(type: Signature["inputs"][number]["type"]): string {
  const names: Record<typeof type, string> = {
    ...{ double: "FP64", integer: "INT32", bigint: "INT64", boolean: "BOOL", string: "BYTES", timestamp: "BYTES", date: "BYTES" },
    ...{ decimal: "BYTES", "double[]": "FP64", image: "FP64" },
  };
  return names[type];
}
