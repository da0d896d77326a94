/**
 * Model host: one process, one version. `node dist/model-host.js DIR SOCKET` connects to the server's unix socket, loads and verifies the version, proves
 * parity on its sample, says ready, then answers requests whose bytes the server forwards. It ends when the socket closes, so that no host outlives its server.
 */
import { connect } from "node:net";
import type { FromHost, ToHost } from "../protocol/host.js";
import { encodeFrame, frameDecoder } from "../protocol/frames.js";
import { createAnswerer, type Answerer } from "./answer.js";
import { loadPredictor } from "./load.js";
import { proveParity } from "./parity.js";
import { readSample } from "./version.js";

const [dir, path] = process.argv.slice(2) as [string, string];
const socket = connect(path);
const send = (head: FromHost, body?: Uint8Array): void => void socket.write(encodeFrame(head, body));
let answerer: Answerer | null = null;

socket.on("close", () => process.exit(0));
socket.on("error", () => process.exit(0));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined); // the server ends its hosts

const feed = frameDecoder(({ head, body }) => {
  const message = head as ToHost;
  if (message.type === "ping") send({ type: "pong", id: message.id, memory: process.memoryUsage.rss() });
  else if (message.type === "exit") socket.end(() => process.exit(0));
  else void answer(message, body);
});
socket.on("data", (piece) => feed(piece));

async function answer(request: Extract<ToHost, { type: "request" }>, body: Uint8Array): Promise<void> {
  const started = performance.now();
  const { id, form, contentType, headerLength, name, version } = request;
  const found = await answerer!.answer({ form, body, type: contentType, headerLength, name, version });
  const log = Buffer.from(found.log.join("\n"));
  const { status, type, rows, warnings, field } = found;
  const head: FromHost = {
    ...{ type: "answer", id, status, contentType: type, split: found.body.length, rows, warnings, ms: performance.now() - started },
    ...(found.headerLength === undefined ? {} : { headerLength: found.headerLength }),
    ...(field ? { field } : {}),
  };
  send(head, Buffer.concat([found.body, log]));
}

try {
  const predictor = await loadPredictor(dir);
  const parity = await proveParity(predictor, readSample(dir));
  answerer = createAnswerer(predictor);
  send({ type: "ready", pid: process.pid, backend: predictor.backend, hash: predictor.hash, parity, memory: process.memoryUsage.rss() });
  if (!parity.ok) socket.end();
} catch (error) {
  send({ type: "failed", message: (error as Error).message });
  socket.end();
}
