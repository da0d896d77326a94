/** The WebSocket of a Jupyter kernel: /api/kernels/ID/channels, in the framing that the client offers. */
import type { RawData } from "ws";
import type { SocketRoute } from "../sessions/socket.js";
import { decode, encode, v1, type Framing } from "./framing.js";
import type { JupyterKernels } from "./kernels.js";
import { FramingError } from "./message.js";

export function channels(jupyter: JupyterKernels): SocketRoute {
  return {
    path: /^\/api\/kernels\/([\w-]+)\/channels$/,
    options: { maxPayload: 64 * 2 ** 20, handleProtocols: (offered) => (offered.has(v1) ? v1 : false) },
    refusal: ([, id]) => (jupyter.kernels.has(id!) ? null : `Kernel does not exist: ${id}`),
    serve(socket, _, [, id]) {
      const kernel = jupyter.kernels.get(id!)!;
      const framing: Framing = socket.protocol === v1 ? v1 : "default";
      const { receive, leave } = kernel.connect({
        send: (message) => socket.readyState === socket.OPEN && socket.send(encode(framing, message)),
        close: (code, reason) => socket.close(code, reason),
      });
      socket.on("message", (data, binary) => {
        try {
          receive(decode(framing, binary ? bytesOf(data) : String(data)));
        } catch (error) {
          if (!(error instanceof FramingError)) throw error;
          socket.close(1007, error.message.slice(0, 120));
        }
      });
      socket.on("close", leave);
      socket.on("error", () => socket.terminate());
    },
  };
}

function bytesOf(data: RawData): Uint8Array {
  return Array.isArray(data) ? Buffer.concat(data) : new Uint8Array(data as ArrayBuffer);
}
