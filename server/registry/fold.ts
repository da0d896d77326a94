/** The registry's state as a pure fold over the history. */
import type { HistoryLine } from "../../kernels/protocol/serving.js";

type Promoted = Extract<HistoryLine, { type: "promote" }>;

export interface ModelState {
  name: string;
  versions: Map<number, Promoted>;
  champion: number | null;
  challenger: number | null;
  /** champion before this one: kept warm, where a rollback goes */
  previous: number | null;
  /** live split; empty = all traffic to the champion */
  arms: { version: number; share: number }[];
  salt: string;
  retired: boolean;
  /** a reason for the last move, for the page's banner */
  last: { at: string; why: string } | null;
}

export interface RegistryState {
  models: ReadonlyMap<string, ModelState>;
  /** proposal id -> where it was committed */
  committed: ReadonlyMap<string, { name: string; version: number }>;
}

export const emptyRegistry: RegistryState = { models: new Map(), committed: new Map() };

/** One line on top of a state; the state is not changed. */
export function applyLine(state: RegistryState, line: HistoryLine): RegistryState {
  const before = state.models.get(line.name);
  const model: ModelState = before
    ? { ...before }
    : {
        ...{ name: line.name, versions: new Map(), champion: null, challenger: null, previous: null },
        ...{ arms: [], salt: "", retired: false, last: null },
      };
  let committed = state.committed;
  switch (line.type) {
    case "promote":
      model.versions = new Map(model.versions).set(line.version, line);
      model.retired = false;
      committed = new Map(committed).set(line.proposal, { name: line.name, version: line.version });
      if (line.alias === "champion") takeOver(model, line.version);
      else model.challenger = line.version;
      break;
    case "alias":
      if (line.alias === "challenger") model.challenger = line.version;
      else if (line.version !== null) takeOver(model, line.version);
      else model.champion = null;
      model.last = { at: line.at, why: line.why };
      break;
    case "rollback":
      model.champion = line.to;
      model.previous = line.from;
      model.challenger = null;
      model.arms = [];
      model.last = { at: line.at, why: line.why };
      break;
    case "arms":
      model.arms = line.arms;
      model.salt = line.salt;
      model.last = { at: line.at, why: line.why };
      break;
    case "retire":
      model.retired = true;
      model.champion = model.challenger = model.previous = null;
      model.arms = [];
      model.last = { at: line.at, why: line.why };
      break;
  }
  return { models: new Map(state.models).set(line.name, model), committed };
}

function takeOver(model: ModelState, version: number): void {
  if (model.champion !== null && model.champion !== version) model.previous = model.champion;
  model.champion = version;
  if (model.challenger === version) model.challenger = null;
  model.arms = [];
}

/** The whole history. */
export function foldHistory(lines: Iterable<HistoryLine>): RegistryState {
  let state = emptyRegistry;
  for (const line of lines) state = applyLine(state, line);
  return state;
}
