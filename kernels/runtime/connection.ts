/** One local socket that speaks frames. Writes go out at once, also while the thread that made them spins. */
import { connect, type Socket } from "node:net";
import { encodeFrame, frameDecoder } from "../protocol/frames.js";

export interface Connection {
  send(head: unknown, body?: Uint8Array): void;
  /** resolves when everything sent so far is in the system's hands */
  flush(): Promise<void>;
  close(): void;
}

/** Connects to a unix socket; messages sent before it is open are kept. */
export function connectFrames(path: string, on: { message?(head: unknown, body: Uint8Array): void; close(): void }): Connection {
  const socket: Socket = connect(path);
  const decode = frameDecoder(({ head, body }) => on.message?.(head, body));
  socket.on("data", decode);
  socket.on("error", () => socket.destroy());
  socket.on("close", on.close);
  return {
    send: (head, body) => void socket.write(encodeFrame(head, body)),
    flush: () => new Promise((resolve) => void socket.write(new Uint8Array(0), () => resolve())),
    close: () => void socket.end(),
  };
}
