/** Comms: messages between a cell and a Jupyter client's front end, beside the outputs. `cell.comm` is one run's hold on them. */
import { randomUUID } from "node:crypto";
import type { CommMessage } from "../protocol/kernel.js";
import type { Comm, CommTargets } from "../protocol/library.js";
import type { Run } from "./run.js";

export interface Comms {
  /** the run's `cell.comm` */
  of(run: Run): CommTargets;
  /** a client's message, given to the cell's code; false: there is no such target or comm */
  receive(message: CommMessage): Promise<boolean>;
}

interface Open {
  run: Run;
  comm: Comm;
  message: ((data: unknown, buffers: Uint8Array[]) => void) | null;
  closed: ((data: unknown) => void) | null;
}

export function createComms(tell: (message: CommMessage) => void): Comms {
  const targets = new Map<string, { run: Run; opened: (comm: Comm, data: unknown, buffers: Uint8Array[]) => void }>();
  const comms = new Map<string, Open>();
  const handles = new WeakMap<Run, CommTargets>();
  /** messages whose handler was called: one that a stop has cut is not called again */
  const delivered = new WeakSet<CommMessage>();

  const hold = (run: Run, id: string): Open => {
    const close = (data: unknown = {}) => {
      if (comms.delete(id)) tell({ do: "close", id, data: plain(data), buffers: [] });
    };
    const open: Open = {
      run,
      message: null,
      closed: null,
      comm: Object.freeze({
        id,
        send(data: unknown, buffers: Uint8Array[] = []) {
          if (!comms.has(id)) throw new Error("This comm is closed.");
          tell({ do: "message", id, data: plain(data), buffers: buffers.map(encode) });
        },
        onMessage: (handler: (data: unknown, buffers: Uint8Array[]) => void) => void (open.message = functionOf(handler)),
        onClose: (handler: (data: unknown) => void) => void (open.closed = functionOf(handler)),
        close,
      }),
    };
    comms.set(id, open);
    return open;
  };

  const make = (run: Run): CommTargets => {
    run.volatile ??= "it speaks with a Jupyter client";
    // with the cell's next run, or when it is gone
    run.scope.onDispose(() => {
      for (const [name, target] of targets) if (target.run === run) targets.delete(name);
      for (const open of [...comms.values()]) if (open.run === run) open.comm.close();
    });
    const live = () => {
      if (run.scope.stopped) throw new Error("This cell was stopped; run it again.");
    };
    return Object.freeze({
      register(target: string, opened: (comm: Comm, data: unknown, buffers: Uint8Array[]) => void) {
        live();
        targets.set(nameOf(target), { run, opened: functionOf(opened) });
      },
      open(target: string, data: unknown = {}, buffers: Uint8Array[] = []) {
        live();
        const message = { do: "open" as const, id: randomUUID(), target: nameOf(target), data: plain(data), buffers: buffers.map(encode) };
        const { comm } = hold(run, message.id);
        tell(message);
        return comm;
      },
    });
  };

  /** Calls the cell's code from a stack of its own, so that a stop can reach it. */
  const call = (run: Run, work: () => void) =>
    new Promise<boolean>((resolve) =>
      process.nextTick(() => {
        run.scope.call(work);
        resolve(true);
      }),
    );

  return {
    of(run) {
      let made = handles.get(run);
      if (!made) handles.set(run, (made = make(run)));
      return made;
    },
    async receive(message) {
      if (delivered.has(message)) return true;
      const { id, data } = message;
      const buffers = message.buffers.map((text) => new Uint8Array(Buffer.from(text, "base64")));
      if (message.do === "open") {
        const target = targets.get(message.target);
        if (target === undefined || target.run.scope.stopped || comms.has(id)) return false;
        delivered.add(message);
        const { comm } = hold(target.run, id);
        return await call(target.run, () => target.opened(comm, data, buffers));
      }
      const open = comms.get(id);
      if (open === undefined || open.run.scope.stopped) return false;
      delivered.add(message);
      if (message.do === "close") {
        comms.delete(id);
        return await call(open.run, () => open.closed?.(data));
      }
      return await call(open.run, () => open.message?.(data, buffers));
    },
  };
}

const encode = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");

/** What JSON keeps of it: that is what the client gets. */
function plain(data: unknown): unknown {
  const text = JSON.stringify(data) as string | undefined;
  if (text === undefined) throw new TypeError("Expected `data` to be something that JSON can say; bytes go in `buffers`");
  return JSON.parse(text) as unknown;
}

function functionOf<F>(handler: F): F {
  if (typeof handler !== "function") throw new TypeError(`Expected a function, got \`${String(handler)}\``);
  return handler;
}

function nameOf(target: string): string {
  if (typeof target !== "string" || target === "") throw new TypeError(`Expected the target's name to be a string, got \`${String(target)}\``);
  return target;
}
