/** The three unix sockets that one kernel connects to, in a short 0700 folder (paths over 104 bytes fail). */
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeFrame, frameDecoder } from "../../kernels/protocol/frames.js";
import { sweep } from "./sweep.js";

export type Channel = "main" | "control" | "bulk";

export interface Sockets {
  paths: Record<Channel, string>;
  /** false when that channel is not connected; control waits for its worker, which connects a moment after main: a stop is never lost */
  send(channel: Channel, head: unknown): boolean;
  close(): void;
}

let folder: string | null = null;
let count = 0;

/** One folder a server process, removed with it. */
function socketFolder(): string {
  if (folder === null) {
    sweep(tmpdir(), (name) => /^ts-(\d+)-\w{6}$/.exec(name)?.[1]);
    folder = mkdtempSync(join(tmpdir(), `ts-${process.pid}-`));
    chmodSync(folder, 0o700);
    const made = folder;
    process.once("exit", () => rmSync(made, { recursive: true, force: true }));
  }
  return folder;
}

/** `on` gets the messages of one piece of a stream together, in order, so that they can be told on in one go. */
export async function listen(
  on: (channel: Channel, messages: unknown[]) => void,
  connected: () => void,
  broken: (error: Error) => void,
): Promise<Sockets> {
  const number = ++count;
  const sockets: Partial<Record<Channel, Socket>> = {};
  const early: unknown[] = [];
  const servers: Server[] = [];
  const paths = { main: "", control: "", bulk: "" };
  for (const channel of ["main", "control", "bulk"] as const) {
    // a named pipe on Windows has no folder
    paths[channel] =
      process.platform === "win32" ? `\\\\.\\pipe\\ts-${process.pid}-${number}${channel[0]}` : join(socketFolder(), `${number}${channel[0]}`);
    const server = createServer((socket) => {
      // one kernel, one connection: whoever comes later is not it
      server.close();
      sockets[channel] = socket;
      let batch: unknown[] = [];
      const decode = frameDecoder((frame) => batch.push(frame.head));
      socket.on("data", (piece) => {
        try {
          decode(piece);
        } catch (error) {
          broken(error as Error);
          return;
        }
        const messages = batch;
        batch = [];
        if (messages.length > 0) on(channel, messages);
      });
      socket.on("error", () => socket.destroy());
      if (channel === "control") for (const head of early.splice(0)) socket.write(encodeFrame(head));
      if (Object.keys(sockets).length === 3) connected();
    });
    servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(paths[channel], resolve);
    });
  }
  return {
    paths,
    send(channel, head) {
      const socket = sockets[channel];
      if (socket === undefined && channel === "control") {
        early.push(head);
        return true;
      }
      if (socket === undefined || socket.destroyed) return false;
      socket.write(encodeFrame(head));
      return true;
    },
    close() {
      for (const server of servers) server.close();
      for (const socket of Object.values(sockets)) socket.destroy();
      if (process.platform !== "win32") for (const path of Object.values(paths)) rmSync(path, { force: true });
    },
  };
}
