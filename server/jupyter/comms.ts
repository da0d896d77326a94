/** Comm messages of Jupyter's protocol and those of the kernel's wire, either way. Pure. */
import type { CommMessage } from "../../kernels/protocol/kernel.js";

/** Null: the message is not one of a comm, or names none. */
export function toComm(type: string, content: Record<string, unknown>, buffers: readonly Uint8Array[]): CommMessage | null {
  const { comm_id: id, target_name: target, data = {} } = content;
  if (typeof id !== "string") return null;
  const rest = { id, data, buffers: buffers.map((bytes) => Buffer.from(bytes).toString("base64")) };
  if (type === "comm_open") return { do: "open", target: typeof target === "string" ? target : "", ...rest };
  if (type === "comm_msg") return { do: "message", ...rest };
  return type === "comm_close" ? { do: "close", ...rest } : null;
}

export function fromComm(message: CommMessage): { type: string; content: Record<string, unknown>; buffers: Uint8Array[] } {
  const { id, data } = message;
  const type = message.do === "message" ? "comm_msg" : `comm_${message.do}`;
  const content = { comm_id: id, ...(message.do === "open" && { target_name: message.target }), data };
  return { type, content, buffers: message.buffers.map((text) => new Uint8Array(Buffer.from(text, "base64"))) };
}
