/** Outputs of a kernel on their way into the session: gathered 50 ms, long text cut to what is shown, also an error's, displays past the first fifty on disk alone. */
import { mime, type Output } from "../../kernels/protocol/output.js";
import type { BulkMessage } from "../../kernels/protocol/kernel.js";
import { errorText, joined, shortened, shortError, shownItems, shownText } from "../../kernels/notebook/shown.js";
import type { OutputStore } from "./outputs.js";
import type { Input } from "./state.js";

type Message = Extract<BulkMessage, { type: "output" }>;
type Batch = Extract<Input, { type: "outputs" }>;

export interface Inlet {
  take(messages: readonly Message[]): void;
  /** tells what waits; called before anything else of the kernel is told, so that the order stays */
  flush(): void;
}

const windowMs = 50;

/** `store` null: nothing is kept (headless), and only results go past the limit. */
export function createInlet(store: Pick<OutputStore, "print" | "fail" | "overflow"> | null, tell: (batch: Batch) => void): Inlet {
  /** what each cell's run shows already */
  const shown = new Map<string, { run: string; ids: Set<string>; errors: number; more: number }>();
  let waiting: Message[] = [];
  let more = new Map<string, { cell: string; run: string; count: number }>();
  let last = -Infinity;
  let timer: NodeJS.Timeout | null = null;

  const known = ({ cell, run, clear }: Message) => {
    let of = shown.get(cell);
    if (of?.run !== run || clear === true) shown.set(cell, (of = { run, ids: new Set(), errors: 0, more: 0 }));
    return of;
  };
  /** is there room for it among what is shown? */
  const fits = (of: ReturnType<typeof known>, output: Exclude<Output, { kind: "stream" }>): boolean => {
    if (output.kind === "error") return of.errors++ < shownItems;
    if (of.ids.has(output.id)) return true;
    if (of.ids.size >= shownItems && (store !== null || !(mime.finding in output.data))) return false;
    of.ids.add(output.id);
    return true;
  };

  /** An error whose whole text is on the disk where it is long. */
  const kept = (cell: string, run: string, output: Extract<Output, { kind: "error" }>): Output => {
    const error = store === null ? output.error : shortError(output.error);
    if (error === output.error) return output;
    store!.fail(cell, run, `${errorText(output.error)}\n`);
    return { kind: "error", error };
  };

  const flush = () => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (waiting.length === 0 && more.size === 0) return;
    const batch: Batch = {
      type: "outputs",
      messages: store === null ? waiting : gathered(waiting),
      ...(more.size > 0 && { more: [...more.values()] }),
    };
    waiting = [];
    more = new Map();
    last = performance.now();
    tell(batch);
  };

  return {
    take(messages) {
      const prints = new Map<string, { run: string; outputs: Output[] }>();
      for (const given of messages) {
        const message = given.output.kind === "error" ? { ...given, output: kept(given.cell, given.run, given.output) } : given;
        const { cell, run, output } = message;
        const of = known(message);
        if (output.kind === "stream") {
          const own = prints.get(cell);
          if (own?.run === run) own.outputs.push(output);
          else {
            if (own !== undefined) store?.print(cell, own.run, own.outputs);
            prints.set(cell, { run, outputs: [output] });
          }
          waiting.push(message);
        } else if (fits(of, output)) waiting.push(message);
        else {
          of.more = store?.overflow(cell, run, output) ?? of.more + 1;
          more.set(cell, { cell, run, count: of.more });
        }
      }
      for (const [cell, { run, outputs }] of prints) store?.print(cell, run, outputs);
      // the first of a run is told at once
      if (performance.now() - last >= windowMs) flush();
      else timer ??= setTimeout(flush, windowMs);
    },
    flush,
  };
}

/** Text that follows text of the same stream joins it; of a long one only its end goes on. */
function gathered(messages: readonly Message[]): Message[] {
  const all: Message[] = [];
  for (const message of messages) {
    const before = all.at(-1);
    const { output } = message;
    if (
      output.kind === "stream" &&
      before?.output.kind === "stream" &&
      before.output.name === output.name &&
      before.cell === message.cell &&
      before.run === message.run &&
      message.clear !== true
    ) {
      const both = joined(before.output, output);
      all[all.length - 1] = { ...before, output: both.text.length > shownText * 2 ? shortened(both, shownText) : both };
    } else all.push(message);
  }
  return all.map((message) => (message.output.kind === "stream" ? { ...message, output: shortened(message.output, shownText) } : message));
}
