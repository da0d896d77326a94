/** Process entry (dist/language.js): the language service of one workspace, apart from the server because TypeScript needs 300 MB. */
import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";
import { entry } from "../paths/paths.js";
import { encodeFrame } from "../protocol/frames.js";
import type { FromLanguage, ToLanguage } from "../protocol/language.js";
import { createService } from "./service.js";

const { port1: port, port2 } = new MessageChannel();
const send = (message: FromLanguage): void => {
  const frame = encodeFrame(message);
  port.postMessage(frame, [frame.buffer as ArrayBuffer]);
};
const service = createService(send, () => {
  const next = (receiveMessageOnPort(port) as { message: ToLanguage | null } | undefined)?.message;
  if (next === null) process.exit(0);
  return next;
});
// a service whose server is gone ends itself
port.on("message", (message: ToLanguage | null) =>
  message === null ? void service.close().finally(() => process.exit(0)) : service.receive(message),
);
const worker = new Worker(entry("language-wire"), {
  workerData: { path: process.env["TOUCHSTONE_LANGUAGE_SOCKET"] ?? "", port: port2 },
  transferList: [port2],
});
worker.on("error", () => process.exit(1));
send({ type: "ready", pid: process.pid });
