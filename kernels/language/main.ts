/** Process entry (dist/language.js): the language service of one workspace, apart from the server because TypeScript needs 300 MB. */
import { connect } from "node:net";
import { encodeFrame, frameDecoder } from "../protocol/frames.js";
import type { FromLanguage, ToLanguage } from "../protocol/language.js";
import { createService } from "./service.js";

const socket = connect(process.env["TOUCHSTONE_LANGUAGE_SOCKET"] ?? "");
const send = (message: FromLanguage) => void socket.write(encodeFrame(message));
const service = createService(send);
const feed = frameDecoder(({ head }) => service.receive(head as ToLanguage));
socket.on("data", feed);
socket.on("connect", () => send({ type: "ready", pid: process.pid }));
// a service whose server is gone ends itself
socket.on("close", () => void service.close().finally(() => process.exit(0)));
socket.on("error", () => process.exit(1));
