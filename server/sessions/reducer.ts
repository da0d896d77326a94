/** The session as a pure step: `apply(state, input)` gives the next state, the events that clients replay, and what is to be done. */
import { command } from "./commands.js";
import { other } from "./outside.js";
import type { Input, Outcome, SessionState } from "./state.js";
import { Step } from "./step.js";

/** The next state, or why not. The state that went in is not changed. */
export function apply(state: SessionState, input: Input): Outcome {
  const step = new Step(state);
  const refused = input.type === "command" ? command(step, input) : (other(step, input), null);
  if (refused !== null) return { refused };
  return { state: step.state, events: step.events, actions: step.actions, ...(step.value !== undefined && { value: step.value }) };
}
