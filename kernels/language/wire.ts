/**
 * Worker entry (dist/language-wire.js): reads and writes the service's socket, so that what comes while TypeScript is at work lies ready
 * for the main thread to look at. `null` on the port: the server is gone.
 */
import { connect } from "node:net";
import { workerData, type MessagePort } from "node:worker_threads";
import { frameDecoder } from "../protocol/frames.js";

const { path, port } = workerData as { path: string; port: MessagePort };
const socket = connect(path);
const gone = (): void => {
  port.postMessage(null);
  port.close();
};
const feed = frameDecoder(({ head }) => port.postMessage(head));
socket.on("data", feed);
socket.on("error", () => undefined);
socket.on("close", gone);
port.on("message", (frame: Uint8Array) => void socket.write(frame));
