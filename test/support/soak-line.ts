/** A connection between a page and a session in one process, with delays. What is on its way when it ends is lost; each direction keeps its order. */
import type { Session } from "../../server/sessions/session.js";
import type { Viewer, Wire } from "../../server/sessions/viewer.js";
import type { SessionSocket } from "../../web/controllers/session.js";
import { killDisk } from "./disk.js";

export interface LineOptions {
  /** the session while its process lives; null: nobody answers */
  session(): Session | null;
  delay(): number;
}

export function connectLine({ session, delay }: LineOptions): { socket: SessionSocket; cut(): void } {
  let open = true;
  let viewer: Viewer | null = null;
  const way = () => {
    let last = 0;
    return (deliver: () => void) => {
      last = Math.max(last, Date.now() + delay());
      setTimeout(() => open && deliver(), last - Date.now());
    };
  };
  const [up, down] = [way(), way()];
  const end = (code: number, reason: string) => {
    if (!open) return;
    open = false;
    const [server, gone] = [session(), viewer];
    if (gone !== null && server !== null) killDisk.inside(() => server.leave(gone));
    setTimeout(() => socket.onclose?.({ code, reason }), 0);
  };
  const wire: Wire = {
    send: (text) => killDisk.outside(() => session() !== null && down(() => socket.onmessage?.({ data: text }))),
    pending: 0,
    close: (code, reason) => killDisk.outside(() => end(code, reason)),
  };
  const socket: SessionSocket = {
    send: (text) =>
      up(() => {
        const server = session();
        if (server === null) return;
        const message = JSON.parse(text) as Parameters<Session["receive"]>[1] | Parameters<Session["join"]>[1];
        killDisk.inside(() => {
          if (message.type === "hello") viewer = server.join(wire, message);
          else if (viewer !== null) server.receive(viewer, message);
        });
      }),
    close: () => end(1000, ""),
    ...{ onopen: null, onmessage: null, onclose: null },
  };
  const cut = () => end(1006, "");
  setTimeout(() => {
    if (session() === null) cut();
    else if (open) socket.onopen?.();
  }, 5);
  return { socket, cut };
}
