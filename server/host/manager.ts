/** Keeps the hosts of served versions alive: start, drain, restart after a death, and an open circuit after three deaths in a minute. */
import { HostDied, HostRefused, startHost, type Host, type HostAnswer, type HostOptions, type HostRequest } from "./process.js";

export type HostState = { state: "starting" | "ready" | "draining" | "dead"; backend: string | null; reason?: string; memory?: number };

export interface HostManager {
  /** starts the version's host unless it runs; resolves when ready, throws a HostRefused */
  ensure(key: string, dir: string): Promise<Host>;
  /** sends to the version's host; after a death once more to the restarted one. Throws HostDied or HostRefused when that fails too */
  request(key: string, request: HostRequest, body: Uint8Array): Promise<HostAnswer>;
  /** hands a running host (a judged candidate) over to a key */
  adopt(key: string, dir: string, host: Host): void;
  state(key: string): HostState | null;
  /** drains hosts whose keys are not wanted any more */
  keep(wanted: ReadonlySet<string>): void;
  close(): Promise<void>;
}

export interface ManagerEffects {
  sockets: string;
  now(): number;
  /** a host died while serving */
  onDeath(key: string, reason: string): void;
  /** three deaths in 60 s: the circuit is open, the version is not started again */
  onOpen(key: string, reason: string): void;
  start?: (options: HostOptions) => Promise<Host>;
}

interface Slot {
  dir: string;
  host: Promise<Host>;
  live: Host | null;
  state: HostState;
  deaths: number[];
  /** when it last could not be started */
  refused: number;
}

/** ms until a version that does not start is tried again: else each request would start a process */
const pause = 10_000;

export function createHostManager(effects: ManagerEffects): HostManager {
  const slots = new Map<string, Slot>();
  const draining = new Set<Promise<void>>();
  const start = effects.start ?? startHost;
  const stopping = new AbortController();
  let closed = false;

  const watch = (key: string, slot: Slot, host: Host): void => {
    slot.live = host;
    slot.state = { state: "ready", backend: host.backend, memory: host.memory };
    void host.death.then((reason) => {
      if (slots.get(key) !== slot || closed) return;
      slot.live = null;
      const now = effects.now();
      slot.deaths = [...slot.deaths.filter((at) => now - at < 60_000), now];
      slot.state = { state: "dead", backend: host.backend, reason };
      effects.onDeath(key, reason);
      if (slot.deaths.length >= 3) {
        slot.host = Promise.reject(new HostRefused(`its host died ${slot.deaths.length} times within a minute, last: ${reason}`));
        slot.host.catch(() => undefined);
        effects.onOpen(key, reason);
      } else boot(key, slot);
    });
  };

  const boot = (key: string, slot: Slot): void => {
    slot.state = { state: "starting", backend: null };
    slot.host = start({ dir: slot.dir, sockets: effects.sockets, signal: stopping.signal }).then(
      (host) => {
        if (slots.get(key) !== slot || closed) {
          host.kill();
          throw new HostDied("the version was taken out of service");
        }
        watch(key, slot, host);
        return host;
      },
      (error: Error) => {
        slot.state = { state: "dead", backend: null, reason: error.message };
        slot.refused = effects.now();
        throw error;
      },
    );
    slot.host.catch(() => undefined);
  };

  const drain = (slot: Slot): void => {
    slot.state = { ...slot.state, state: "draining" };
    const work = slot.host.then(
      (host) => host.drain(),
      () => undefined,
    );
    draining.add(work);
    void work.finally(() => draining.delete(work));
  };

  return {
    ensure(key, dir) {
      let slot = slots.get(key);
      if (!slot || (slot.state.state === "dead" && slot.deaths.length < 3 && effects.now() - slot.refused >= pause)) {
        slot = {
          dir,
          live: null,
          deaths: slot?.deaths ?? [],
          refused: 0,
          state: { state: "starting", backend: null },
          host: null as unknown as Promise<Host>,
        };
        slots.set(key, slot);
        boot(key, slot);
      }
      return slot.host;
    },
    async request(key, request, body) {
      const slot = slots.get(key);
      if (!slot) throw new HostRefused("no host serves this version");
      try {
        return await (slot.live ?? (await slot.host)).request(request, body);
      } catch (error) {
        if (!(error instanceof HostDied) || error.hung) throw error;
        // the death is noted in a microtask of its own; then the slot holds the restarted host
        await new Promise((done) => setImmediate(done));
        return (await slot.host).request(request, body);
      }
    },
    adopt(key, dir, host) {
      const old = slots.get(key);
      if (old) drain(old);
      const slot: Slot = { dir, live: null, deaths: [], refused: 0, state: { state: "ready", backend: host.backend }, host: Promise.resolve(host) };
      slots.set(key, slot);
      watch(key, slot, host);
    },
    state: (key) => {
      const slot = slots.get(key);
      return slot ? { ...slot.state, ...(slot.live ? { memory: slot.live.memory } : {}) } : null;
    },
    keep(wanted) {
      for (const [key, slot] of slots) {
        if (wanted.has(key)) continue;
        slots.delete(key);
        drain(slot);
      }
    },
    async close() {
      closed = true;
      stopping.abort();
      for (const slot of slots.values()) void slot.host.then((host) => host.kill()).catch(() => undefined);
      await Promise.allSettled([...slots.values()].map((slot) => slot.host));
      await Promise.allSettled([...draining]);
      slots.clear();
    },
  };
}
