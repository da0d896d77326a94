/** Serving: which version answers, who may change that, and what is remembered of each answer. Started once by the server; owns registry, hosts and logs. */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readVersion } from "../../kernels/paths/folder.js";
import type { ModelSummary, Proposal, ServerCalls } from "../../kernels/protocol/serving.js";
import type { VersionRef } from "../../kernels/protocol/values.js";
import { createHostManager, type HostManager } from "../host/manager.js";
import { forgetRows, judgeAgain, propose, readProposal } from "../registry/propose.js";
import { openRegistry } from "../registry/registry.js";
import { createLogs } from "./logs.js";
import { createCounters } from "./metrics.js";
import { createPredict, fromKey, keyOf } from "./predict.js";
import { servingRoutes } from "./routes.js";
import { createRoutes, wanted } from "./table.js";
import { ServingError, type Route, type Serving, type ServingEvent, type ServingOptions } from "./types.js";

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

  const { routeOf, damaged } = createRoutes(registry, log);
  let table: ReadonlyMap<string, Route> = new Map([...registry.state().models].map(([name, model]) => [name, routeOf(model)]));

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

  /** One assignment; hosts that are not wanted any more are drained afterwards. */
  const swap = (name: string): void => {
    table = new Map(table).set(name, routeOf(registry.state().models.get(name)!));
    manager.keep(wanted(table));
    emit({ type: "model", name });
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
        manager.keep(wanted(table));
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
            "prompt() asks the person at the notebook's page or at a Jupyter client; here nobody is there to answer. Give the value in the code, or read it from the environment",
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
          values: [...wanted(table)].map((key) => ({
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
