/** Messages of Jupyter's protocol 5.4 as they cross the WebSocket. */

export type Channel = "shell" | "control" | "stdin" | "iopub";

export interface Header {
  msg_id: string;
  msg_type: string;
  session: string;
  username: string;
  /** ISO; some clients leave it out */
  date?: string;
  version?: string;
  [more: string]: unknown;
}

export interface Message {
  channel: Channel;
  header: Header;
  /** the request's header, unchanged; {} for what no request caused */
  parent_header: Header | Record<string, never>;
  metadata: Record<string, unknown>;
  content: Record<string, unknown>;
  buffers: Uint8Array[];
}

export const protocolVersion = "5.4";

export class FramingError extends Error {
  override name = "FramingError";
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/** Checks what a client has sent; throws a FramingError that says what is wrong. */
export function toMessage(parts: Record<"channel" | "header" | "parent_header" | "metadata" | "content", unknown>, buffers: Uint8Array[]): Message {
  const { channel, header, parent_header: parent = {}, metadata = {}, content = {} } = parts;
  if (channel !== "shell" && channel !== "control" && channel !== "stdin")
    throw new FramingError(`expected a channel shell, control or stdin, got ${JSON.stringify(channel)?.slice(0, 60)}`);
  if (!isObject(header)) throw new FramingError("expected a header object");
  for (const name of ["msg_id", "msg_type", "session", "username"])
    if (typeof header[name] !== "string") throw new FramingError(`expected a string \`${name}\` in the header`);
  for (const [name, value] of Object.entries({ parent_header: parent, metadata, content }))
    if (!isObject(value)) throw new FramingError(`expected \`${name}\` to be an object`);
  return {
    channel,
    header: header as Header,
    parent_header: parent as Message["parent_header"],
    metadata: metadata as Message["metadata"],
    content: content as Message["content"],
    buffers,
  };
}
