/** What a client asks, answered: commands change the document, calls ask the kernel, language questions the service. */
import type { ClientMessage, ServerMessage } from "../../kernels/protocol/document.js";
import { StaleQuestion } from "../language/languages.js";
import { LanguageError } from "../language/process.js";
import { KernelGone } from "./kernel.js";
import type { Session, SessionEffects } from "./session.js";
import type { Refusal } from "./state.js";
import type { Viewer } from "./viewer.js";

type Failure = Extract<ServerMessage, { type: "reply"; ok: false }>["error"];

export function receive(
  session: Session,
  effects: Pick<SessionEffects, "languages" | "log" | "now">,
  viewer: Viewer,
  message: Exclude<ClientMessage, { type: "hello" }>,
): void {
  if (message.type === "ping") return viewer.message({ type: "pong", id: message.id });
  if (message.type === "cancel") return viewer.calls.get(message.id)?.abort();
  const { id, rev, command } = message;
  const reply = (rest: { ok: true; value?: unknown } | { ok: false; error: Failure }) => viewer.message({ type: "reply", id, ...rest });
  /** replies with what comes of it */
  const answer = (value: Promise<unknown>, failed: (error: Error) => Failure) =>
    void value.then(
      (given) => reply({ ok: true, value: given }),
      (error: Error) => reply({ ok: false, error: failed(error) }),
    );
  if (command.do === "call") {
    const stop = new AbortController();
    viewer.calls.set(id, stop);
    const working = (percent: number) => viewer.message({ type: "working", id, percent });
    const asked = session.query(command.call, { signal: stop.signal, working }).finally(() => viewer.calls.delete(id));
    return answer(asked, (error) => ({ code: error instanceof KernelGone ? "gone" : "kernel", message: error.message }));
  }
  if (command.do === "language") {
    if (effects.languages === null) return reply({ ok: false, error: { code: "not-found", message: "There is no language service here." } });
    const stop = new AbortController();
    viewer.calls.set(id, stop);
    const asked = effects.languages.ask(session, viewer.client, command.question, rev, stop.signal).finally(() => viewer.calls.delete(id));
    return answer(asked, (error) => ({
      code: error instanceof StaleQuestion ? "stale" : error instanceof LanguageError ? "language" : "internal",
      message: error.message,
      rev: session.state.rev,
    }));
  }
  if (command.do === "flush")
    return answer(
      session.flush().then(() => ({ savedAt: session.state.savedAt })),
      ({ message }) => ({ code: "internal", message }),
    );
  let refused: Refusal | null;
  try {
    refused = session.dispatch({ type: "command", client: viewer.client, rev, command, at: effects.now() });
  } catch (error) {
    effects.log.error({ error, command: command.do, notebook: session.place.path }, "command failed");
    refused = { code: "internal", message: `The server could not do this: ${(error as Error).message}` };
  }
  if (refused === null) return reply({ ok: true });
  reply({ ok: false, error: { ...refused, rev: session.state.rev } });
}
