/** One request: which version answers, what happens when its host cannot, and what is logged of it. */
import { randomUUID } from "node:crypto";
import type { HostManager } from "../host/manager.js";
import { HostDied, HostRefused, type HostAnswer } from "../host/process.js";
import { assign } from "./assign.js";
import type { Logs } from "./logs.js";
import type { Counters } from "./metrics.js";
import { ServingError, type PredictAnswer, type PredictRequest, type Route } from "./types.js";

export interface PredictEffects {
  /** throws a ServingError when there is none */
  routeNamed(name: string): Route;
  manager: HostManager;
  counters: Counters;
  logs: Logs;
  /** versions that cannot be read, with the reason */
  damaged: ReadonlyMap<string, string>;
  now(): number;
}

/** Makes the function that answers a request. It throws a ServingError when no version can. */
export function createPredict({
  routeNamed,
  manager,
  counters,
  logs,
  damaged,
  now,
}: PredictEffects): (request: PredictRequest) => Promise<PredictAnswer> {
  return async (request: PredictRequest): Promise<PredictAnswer> => {
    const arrived = now();
    const started = performance.now();
    const { name, body, key, durable, form, contentType, headerLength } = request;
    const route = routeNamed(name);
    const id = request.id ?? randomUUID();
    const { version, probability } = choose(route, request.version, key);
    const send = (one: number): Promise<HostAnswer> => {
      const served = route.versions.get(one);
      if (!served) throw new HostRefused(damaged.get(keyOf(name, one)) ?? `version ${one} of ${name} cannot be read`);
      // an old version asked for by number is started when first asked
      void manager.ensure(served.key, served.dir).catch(() => undefined);
      return manager.request(served.key, { form, contentType, headerLength, name, version: String(one) }, body);
    };
    let answered = version;
    let degraded: string | null = null;
    let answer: HostAnswer;
    try {
      answer = await send(version);
    } catch (error) {
      if (!(error instanceof HostDied || error instanceof HostRefused)) throw error;
      const fallback = version === route.champion ? route.previous : route.champion;
      if (fallback === null || fallback === version) {
        counters.request({ name, version, arm: "champion", status: 503, ms: performance.now() - started, rows: 0, warnings: 0, at: arrived });
        throw new ServingError(503, `version ${version} of ${name} cannot answer: ${(error as Error).message}`);
      }
      degraded = (error as Error).message;
      answered = fallback;
      counters.count("touchstone_degraded_total", { model_name: name, version: String(version) });
      answer = await send(fallback).catch((second: Error) => {
        throw new ServingError(503, `neither version ${version} nor version ${fallback} of ${name} can answer: ${second.message}`);
      });
    }
    const arm = answered === route.challenger ? ("challenger" as const) : ("champion" as const);
    const ms = performance.now() - started;
    counters.request({ name, version: answered, arm, status: answer.status, ms, rows: answer.rows, warnings: answer.warnings, at: arrived });
    if (answer.rows > 0) {
      const entry = {
        id,
        at: arrived,
        name,
        version: answered,
        arm,
        key,
        probability,
        step: null,
        ms: answer.ms,
        status: degraded ? ("degraded" as const) : ("ok" as const),
        rows: answer.log,
      };
      const written = logs.predictions(entry, durable).catch((error: Error) => {
        counters.count("touchstone_log_dropped_total", { model_name: name }, answer.rows);
        if (durable) throw new ServingError(503, `the answer could not be logged: ${error.message}`);
      });
      if (durable) await written;
    }
    return { ...answer, version: answered, arm, degraded, id };
  };
}

function choose(route: Route, asked: PredictRequest["version"], key: string | null): { version: number; probability: number } {
  const { name } = route;
  if (asked === undefined) {
    if (route.arms.length === 0) throw new ServingError(404, `no version of ${name} is in use`);
    return assign(route.arms, route.salt, key);
  }
  const version = typeof asked === "number" ? asked : route[asked];
  if (version === null || !route.versions.has(version))
    throw new ServingError(
      404,
      `Servable not found for request: ${typeof asked === "number" ? `Specific(${name}, ${asked})` : `${asked} of ${name}`}`,
    );
  return { version, probability: 1 };
}

export const keyOf = (name: string, version: number): string => `${name}/v${version}`;
export const fromKey = (key: string): { name: string; version: number } => {
  const [name, version] = key.split("/v") as [string, string];
  return { name, version: Number(version) };
};
