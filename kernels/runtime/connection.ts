/** One local socket that speaks frames. Writes go out at once, also while the thread that made them spins. */
import { connect, type Socket } from "node:net";
import { encodeFrame, encodeText, frameDecoder } from "../protocol/frames.js";

export interface Connection {
  send(head: unknown, body?: Uint8Array): void;
  /** a head that is JSON already */
  sendText(json: string): void;
  /** resolves when everything sent so far is in the system's hands */
  flush(): Promise<void>;
  close(): void;
}

/** Connects to a unix socket; messages sent before it is open are kept. `own` runs what must not be cut in the middle: a write. */
export function connectFrames(
  path: string,
  on: { message?(head: unknown, body: Uint8Array): void; close(): void },
  own: <T>(work: () => T) => T = (work) => work(),
): Connection {
  const socket: Socket = connect(path);
  const decode = frameDecoder(({ head, body }) => on.message?.(head, body));
  socket.on("data", decode);
  socket.on("error", () => socket.destroy());
  socket.on("close", on.close);
  const write = (frame: Uint8Array) => own(() => void socket.write(frame));
  return {
    // what is sent may be a cell's, whose code runs when it is made to text
    send: (head, body) => write(encodeFrame(head, body)),
    sendText: (json) => write(encodeText(json)),
    flush: () => new Promise((resolve) => void socket.write(new Uint8Array(0), () => resolve())),
    close: () => void socket.end(),
  };
}
