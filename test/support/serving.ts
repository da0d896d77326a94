/** Serving for tests of the workbench alone: no models, and every change refused. */
import { Hono } from "hono";
import type { ServingPort } from "../../server/effects.js";

const refuse = () => Promise.reject(new Error("this server serves no models"));

export const noServing: ServingPort = {
  app: new Hono(),
  handle: refuse,
  models: () => [],
  model: () => null,
  history: () => [],
  served: () => null,
  proposals: () => [],
  proposal: () => null,
  commit: refuse,
  rollback: refuse,
  share: refuse,
  retire: refuse,
  close: async () => {},
};
