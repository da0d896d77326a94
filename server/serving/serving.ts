/** Serving: which version answers, who may change that, and what is remembered of each answer. Started once by the server; owns registry, hosts and logs. */
import { randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Hono } from "hono";
import { readVersion } from "../../kernels/paths/folder.js";
import type {
  FeedbackRecord,
  HistoryLine,
  ModelSummary,
  Proposal,
  ProposeRequest,
  ServerCalls,
  VersionCard,
} from "../../kernels/protocol/serving.js";
import type { Manifest, Signature, VersionRef } from "../../kernels/protocol/values.js";
import { createHostManager, type HostManager } from "../host/manager.js";
import type { HostAnswer, HostOptions, HostRequest, Host } from "../host/process.js";
import type { Step } from "../registry/disk.js";
import type { ModelState } from "../registry/fold.js";
import { forgetRows, judgeAgain, propose, ProposalError, readProposal, type Judged } from "../registry/propose.js";
import { openRegistry } from "../registry/registry.js";
import type { Arm } from "./assign.js";
import { createLogs } from "./logs.js";
import { createCounters } from "./metrics.js";
import { createPredict, fromKey, keyOf } from "./predict.js";
import { servingRoutes } from "./routes.js";

export interface Logger {
  info(message: string): void;
  error(message: string): void;
}

export interface ServingOptions {
  root: string;
  log: Logger;
  now?: () => number;
  /** fault-injection seam: called at each named step of disk work */
  step?: Step | null;
  /** how hosts are started; tests replace it */
  start?: (options: HostOptions) => Promise<Host>;
  /** ms between looks at the log's segments; 0 = never */
  compactEvery?: number;
}

export type ServingEvent =
  /** table, hosts or aliases of a model changed */
  | { type: "model"; name: string }
  | { type: "proposal"; proposal: Proposal }
  /** for the page's banner: a fall-back, a dead host */
  | { type: "notice"; level: "info" | "warning" | "error"; name: string; text: string };

/** A version as routing knows it: read once, immutable. */
export interface Served {
  version: number;
  dir: string;
  key: string;
  manifest: Manifest;
  signature: Signature;
  card: VersionCard;
  proposal: Proposal;
}

/** What one model's requests are routed by; never changed, only replaced. */
export interface Route {
  name: string;
  champion: number | null;
  challenger: number | null;
  previous: number | null;
  arms: readonly Arm[];
  salt: string;
  versions: ReadonlyMap<number, Served>;
  retired: boolean;
}

export interface PredictRequest extends Omit<HostRequest, "name" | "version"> {
  name: string;
  /** asked for by path or label; else by assignment */
  version?: number | "champion" | "challenger";
  body: Uint8Array;
  key: string | null;
  id: string | null;
  durable: boolean;
}

export interface PredictAnswer extends HostAnswer {
  version: number;
  arm: "champion" | "challenger";
  degraded: string | null;
  id: string;
}

export class ServingError extends Error {
  override name = "ServingError";
  readonly status: 400 | 404 | 409 | 503;
  constructor(status: 400 | 404 | 409 | 503, message: string) {
    super(message);
    this.status = status;
  }
}

export interface Serving {
  /** /v1 /v2 /invocations /metrics /ping /health */
  app: Hono;
  /** calls of kernels */
  handle<M extends keyof ServerCalls>(method: M, params: ServerCalls[M]["params"]): Promise<ServerCalls[M]["result"]>;
  models(): ModelSummary[];
  model(name: string): ModelSummary | null;
  history(name: string): HistoryLine[];
  served(name: string, version: number): Served | null;
  /** judged lately, oldest first */
  proposals(): Proposal[];
  proposal(id: string): Proposal | null;
  propose(request: ProposeRequest): Promise<Proposal>;
  commit(proposal: string, by: string): Promise<Proposal>;
  rollback(name: string, by: string, why?: string): Promise<ModelSummary>;
  /** share of traffic for the challenger, 0 to 1; 1 makes it champion, 0 takes it out */
  share(name: string, share: number, by: string): Promise<ModelSummary>;
  retire(name: string, by: string, why?: string): Promise<void>;
  predict(request: PredictRequest): Promise<PredictAnswer>;
  feedback(records: FeedbackRecord[]): Promise<void>;
  subscribe(listener: (event: ServingEvent) => void): () => void;
  compact(all?: boolean): Promise<void>;
  metrics(): string;
  routes(): ReadonlyMap<string, Route>;
  /** all hosts that were in service are ready, or have failed */
  ready: Promise<void>;
  close(): Promise<void>;
}

/** Takes the lock, folds the history, opens the routing table at once and starts the hosts. Throws a LockedError when another process owns ROOT. */
export function createServing(options: ServingOptions): Serving {
  const { root, log } = options;
  const now = options.now ?? Date.now;
  const step = options.step ?? null;
  const registry = openRegistry({ root, step });
  const sockets = mkdtempSync(join(tmpdir(), "tsh-"));
  const counters = createCounters();
  const logs = createLogs({ root, now, step, log: log.error, ...(options.compactEvery === undefined ? {} : { every: options.compactEvery }) });
  const listeners = new Set<(event: ServingEvent) => void>();
  const recent = new Map<string, Proposal>();
  let turn: Promise<unknown> = Promise.resolve();
  const stopping = new AbortController();
  let closed = false;

  const judging = { registry, sockets, log: log.info, signal: stopping.signal };

  const emit = (event: ServingEvent): void => {
    for (const listener of listeners) listener(event);
  };
  /** changes of the registry, one at a time */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = turn.then(work, work);
    turn = result.catch(() => undefined);
    return result;
  };
  const at = (): string => new Date(now()).toISOString();

  const manager: HostManager = createHostManager({
    sockets,
    now,
    ...(options.start ? { start: options.start } : {}),
    onDeath(key, reason) {
      const { name, version } = fromKey(key);
      counters.count("touchstone_host_deaths_total", { model_name: name, version: String(version) });
      log.error(`host of ${key}: ${reason}`);
      emit({ type: "notice", level: "warning", name, text: `The host of version ${version} died: ${reason}. It is started again.` });
      emit({ type: "model", name });
    },
    onOpen(key, reason) {
      const { name, version } = fromKey(key);
      const why = `its host died three times within a minute, last: ${reason}`;
      void inTurn(async () => {
        const route = table.get(name);
        if (!route || closed) return;
        if (route.challenger === version) dropChallenger(name, "touchstone", why);
        else if (route.champion === version && route.previous !== null) goBack(name, route, "touchstone", why);
        else
          emit({
            type: "notice",
            level: "error",
            name,
            text: `Version ${version} cannot be served: ${why}. There is no earlier version to fall back to.`,
          });
      });
    },
  });

  const cache = new Map<string, Served>();
  /** versions that cannot be read, with the reason */
  const damaged = new Map<string, string>();
  const servedOf = (name: string, version: number): Served => {
    const key = keyOf(name, version);
    const known = cache.get(key);
    if (known) return known;
    const dir = registry.versionDir(name, version);
    const { manifest, signature, card, hash } = readVersion(dir);
    const line = registry.state().models.get(name)?.versions.get(version);
    if (line && line.manifest !== hash)
      throw new Error(`${key} is not the version that was promoted: its manifest has another hash than the history's`);
    const { proposal } = JSON.parse(readFileSync(join(dir, "proposal.json"), "utf8")) as Judged;
    const served = { version, dir, key, manifest, signature, card: { ...card, name }, proposal };
    cache.set(key, served);
    return served;
  };

  const routeOf = (model: ModelState): Route => {
    const versions = new Map<number, Served>();
    for (const version of [...model.versions.keys()].sort((a, b) => a - b)) {
      try {
        versions.set(version, servedOf(model.name, version));
      } catch (error) {
        damaged.set(keyOf(model.name, version), (error as Error).message);
        log.error(`${keyOf(model.name, version)} cannot be read: ${(error as Error).message}`);
      }
    }
    const { name, champion, challenger, previous, salt, retired } = model;
    const arms = model.arms.length > 0 ? model.arms : champion === null ? [] : [{ version: champion, share: 1 }];
    return { name, champion, challenger, previous, arms, salt, versions, retired };
  };
  const tableOf = (): ReadonlyMap<string, Route> => new Map([...registry.state().models].map(([name, model]) => [name, routeOf(model)]));

  let table = tableOf();

  /** One assignment; hosts that are not wanted any more are drained afterwards. */
  const swap = (name: string): void => {
    table = new Map(table).set(name, routeOf(registry.state().models.get(name)!));
    manager.keep(wanted());
    emit({ type: "model", name });
  };
  const wanted = (): Set<string> => {
    const keys = new Set<string>();
    for (const route of table.values())
      for (const version of [route.champion, route.challenger, route.previous, ...route.arms.map((arm) => arm.version)])
        if (version !== null) keys.add(keyOf(route.name, version));
    return keys;
  };
  const ensureAll = async (): Promise<void> => {
    // those who made the server are told as well
    await Promise.resolve();
    for (const route of table.values())
      for (const version of new Set([route.champion, route.challenger, route.previous])) {
        const served = version === null ? undefined : route.versions.get(version);
        const why = version === null ? undefined : damaged.get(keyOf(route.name, version));
        if (why !== undefined) emit({ type: "notice", level: "error", name: route.name, text: `Version ${version} cannot be served: ${why}` });
        if (!served || closed) continue;
        await manager.ensure(served.key, served.dir).catch((error: Error) => {
          log.error(`${served.key} cannot be served: ${error.message}`);
          emit({ type: "notice", level: "error", name: route.name, text: `Version ${served.version} cannot be served: ${error.message}` });
        });
        emit({ type: "model", name: route.name });
      }
  };

  const goBack = (name: string, route: Route, by: string, why: string): void => {
    registry.append({ at: at(), type: "rollback", name, from: route.champion!, to: route.previous!, why, by });
    swap(name);
    emit({ type: "notice", level: "warning", name, text: `Rolled back to v${route.previous}: ${why}` });
  };
  const dropChallenger = (name: string, by: string, why: string): void => {
    const version = table.get(name)?.challenger ?? null;
    registry.append({ at: at(), type: "arms", name, salt: "", arms: [], why, by });
    registry.append({ at: at(), type: "alias", name, alias: "challenger", version: null, why, by });
    swap(name);
    emit({ type: "notice", level: "warning", name, text: `Version ${version} was taken out of the live split: ${why}` });
  };
  const routeNamed = (name: string): Route => {
    const route = table.get(name);
    if (!route || route.retired) throw new ServingError(404, `no model is called ${JSON.stringify(name)}`);
    return route;
  };

  const commit = (id: string, by: string): Promise<Proposal> =>
    inTurn(async () => {
      const stored = readProposal(registry, id);
      if (!stored) throw new ServingError(404, `no proposal has the id ${JSON.stringify(id)}: run the promote cell again`);
      if (stored.proposal.version !== null) return stored.proposal;
      const { name } = stored.proposal;
      const champion = registry.state().models.get(name)?.champion ?? null;
      // another version came into use since: compared with that one before it may replace it
      const judged = champion === stored.champion ? stored : await judgeAgain(judging, stored);
      const { proposal, request } = judged;
      if (judged !== stored) {
        recent.set(id, proposal);
        emit({ type: "proposal", proposal });
      }
      if (!proposal.passed) throw new ServingError(409, proposal.sentence);
      const from = join(registry.places.proposals, id, "version");
      checkUnchanged(from, proposal);
      const { version, dir, manifest } = registry.place(name, from, `${JSON.stringify(judged)}\n`);
      const key = keyOf(name, version);
      const discard = (error: Error): never => {
        manager.keep(wanted());
        registry.disk.remove(dir);
        throw error;
      };
      // ready and proved before the line is written: the swap then never waits
      const host = await manager
        .ensure(key, dir)
        .catch((error: Error) => discard(new ServingError(503, `version ${version} does not start: ${error.message}. Nothing was changed.`)));
      if (host.hash !== manifest) discard(new ServingError(409, "the version changed while it was committed. Nothing was changed."));
      const canary = request.rollout !== null && champion !== null;
      try {
        registry.append({
          ...{ at: at(), type: "promote", name, version, alias: canary ? "challenger" : "champion", proposal: id, manifest, by },
          ...{ metric: proposal.metric, value: proposal.candidate, baseline: proposal.baseline, incumbent: proposal.incumbent?.value ?? null },
        });
      } catch (error) {
        discard(new ServingError(503, `the history could not be written: ${(error as Error).message}. Nothing was changed.`));
      }
      swap(name);
      if (canary) {
        setShare(name, 0.01, champion, version, by);
        swap(name);
      }
      forgetRows(registry, id);
      log.info(`${key} is ${canary ? "challenger" : "champion"}, committed by ${by}`);
      const done = readProposal(registry, id)!.proposal;
      recent.set(id, done);
      emit({ type: "proposal", proposal: done });
      return done;
    });

  const setShare = (name: string, share: number, champion: number, challenger: number, by: string): void => {
    const salt = registry.state().models.get(name)?.salt || randomUUID();
    const arms = [
      { version: challenger, share },
      { version: champion, share: 1 - share },
    ];
    registry.append({ at: at(), type: "arms", name, salt, arms, why: `${share * 100} % to version ${challenger}`, by });
  };

  const summaryOf = (route: Route): ModelSummary => {
    const state = registry.state().models.get(route.name)!;
    const versions = [...route.versions.values()].map(({ version, manifest, card, proposal }) => ({
      ...{ version, label: manifest.label, metric: card.metric, better: card.better, value: card.value, ci: card.ci },
      baseline: { label: card.baseline.label, value: card.baseline.value },
      ...{ incumbent: proposal.incumbent, gates: proposal.gates, bytes: manifest.bytes, params: manifest.params, p99: proposal.latency?.p99 ?? null },
      ...{ at: state.versions.get(version)!.at, notebook: card.notebook, cell: card.cell },
    }));
    const hosts: ModelSummary["hosts"] = {};
    for (const version of state.versions.keys()) {
      const why = damaged.get(keyOf(route.name, version));
      const found = why === undefined ? manager.state(keyOf(route.name, version)) : { state: "dead" as const, backend: null, reason: why };
      if (found) hosts[version] = found;
    }
    const { name, champion, challenger } = route;
    return { name, champion, challenger, versions, hosts, traffic: counters.traffic(name, now()) };
  };

  const predict = createPredict({ routeNamed, manager, counters, logs, damaged, now });

  const serving: Omit<Serving, "app"> = {
    async handle(method, params) {
      const calls: { [M in keyof ServerCalls]: (params: ServerCalls[M]["params"]) => Promise<ServerCalls[M]["result"]> } = {
        "registry.propose": (request) => serving.propose(request),
        "registry.commit": ({ proposal, by }) => commit(proposal, by),
        "registry.resolve": async (ref) => resolve(ref),
        "log.files": (range) => logs.files(range),
        prompt: async () => {
          throw new ServingError(
            400,
            "prompt() asks the person at a Jupyter client; here nobody can answer. Give the value in the code, or read it from the environment",
          );
        },
      };
      if (!Object.hasOwn(calls, method)) throw new ServingError(404, `no such call: ${String(method)}`);
      return calls[method](params);
    },
    models: () => [...table.values()].filter((route) => !route.retired).map(summaryOf),
    model: (name) => {
      const route = table.get(name);
      return route && !route.retired ? summaryOf(route) : null;
    },
    history: (name) => registry.lines().filter((line) => line.name === name),
    served: (name, version) => table.get(name)?.versions.get(version) ?? null,
    proposals: () => [...recent.values()],
    proposal: (id) => recent.get(id) ?? readProposal(registry, id)?.proposal ?? null,
    async propose(request) {
      const judged = await inTurn(() => propose(judging, request));
      recent.set(judged.proposal.id, judged.proposal);
      if (recent.size > 50) recent.delete(recent.keys().next().value!);
      emit({ type: "proposal", proposal: judged.proposal });
      return judged.proposal;
    },
    commit,
    rollback: (name, by, why = `asked for by ${by}`) =>
      inTurn(async () => {
        const route = routeNamed(name);
        if (route.challenger !== null && route.arms.some((arm) => arm.version === route.challenger)) dropChallenger(name, by, why);
        else if (route.champion === null || route.previous === null) throw new ServingError(409, `${name} has no earlier version to go back to`);
        else goBack(name, route, by, why);
        return summaryOf(table.get(name)!);
      }),
    share: (name, share, by) =>
      inTurn(async () => {
        const route = routeNamed(name);
        if (!(share >= 0 && share <= 1)) throw new ServingError(400, `Expected \`share\` to be from 0 to 1, got ${String(share)}`);
        if (route.challenger === null || route.champion === null)
          throw new ServingError(409, `${name} has no challenger: promote one with a rollout`);
        if (share === 0) dropChallenger(name, by, `asked for by ${by}`);
        else if (share === 1) {
          registry.append({ at: at(), type: "alias", name, alias: "champion", version: route.challenger, why: `100 % by ${by}`, by });
          swap(name);
        } else {
          setShare(name, share, route.champion, route.challenger, by);
          swap(name);
        }
        return summaryOf(table.get(name)!);
      }),
    retire: (name, by, why = `asked for by ${by}`) =>
      inTurn(async () => {
        routeNamed(name);
        registry.append({ at: at(), type: "retire", name, why, by });
        swap(name);
      }),
    predict,
    feedback: (records) => logs.feedback(records),
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    compact: (all) => logs.compact(all),
    metrics: () =>
      counters.text([
        {
          ...{ name: "touchstone_host_up", help: "1 when the version's host is ready." },
          values: [...wanted()].map((key) => ({
            labels: { model_name: fromKey(key).name, version: String(fromKey(key).version) },
            value: manager.state(key)?.state === "ready" ? 1 : 0,
          })),
        },
      ]),
    routes: () => table,
    ready: ensureAll(),
    async close() {
      if (closed) return;
      closed = true;
      stopping.abort();
      await turn;
      await manager.close();
      await logs.close();
      registry.close();
      rmSync(sockets, { recursive: true, force: true });
    },
  };

  const resolve = ({ name, version }: VersionRef): { name: string; version: number; dir: string } | null => {
    const route = table.get(name);
    const found = typeof version === "number" ? version : route?.[version];
    const served = found == null ? undefined : route?.versions.get(found);
    return served ? { name, version: served.version, dir: served.dir } : null;
  };
  return { ...serving, app: servingRoutes(serving, root) };
}

/** What was judged is what is committed. */
function checkUnchanged(from: string, proposal: Proposal): void {
  let why = "its manifest is another one";
  try {
    if (JSON.stringify(readVersion(from).manifest) === JSON.stringify(proposal.manifest)) return;
  } catch (error) {
    why = (error as Error).message;
  }
  throw new ServingError(409, `the version was changed after it was judged: ${why}. Nothing was changed here; run the promote cell again`);
}

export { ProposalError };
