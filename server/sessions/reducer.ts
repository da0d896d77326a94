/** The session as a pure step: `apply(state, input)` gives the next state, the events that clients replay, and what is to be done. */
import { command } from "./commands.js";
import { other } from "./outside.js";
import type { Input, Outcome, RunAction, SessionState } from "./state.js";
import { Step } from "./step.js";

/**
 * The next state, or why not. The state that went in is not changed. `early` is given what the kernel has to do as soon as that is decided, so that
 * it computes while the rest of the step is worked out; it is not among the actions then.
 */
export function apply(state: SessionState, input: Input, early?: (action: RunAction) => void): Outcome {
  const step = new Step(state, early);
  const refused = input.type === "command" ? command(step, input) : (other(step, input), null);
  if (refused !== null) return { refused };
  return { state: step.state, events: step.events, actions: step.actions, ...(step.value !== undefined && { value: step.value }) };
}
