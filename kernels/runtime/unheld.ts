/**
 * Tensors that nothing holds any more: no name, closure, timer, promise or package. Who holds what only the garbage collector knows, so it is asked:
 * a tensor that it has collected gives its memory in the back end back. TensorFlow.js by itself never does.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Tensor } from "@tensorflow/tfjs";
import type { Tf } from "../tensors/backend.js";
import type { Remains } from "../tensors/ledger.js";

interface Engine {
  trackTensor(tensor: Tensor, backend?: unknown): void;
  disposeTensor(tensor: Remains): void;
  endScope(result?: unknown): void;
  state: { activeScope: { track: Tensor[] } | null; scopeStack: unknown[] };
}

export interface Unheld {
  /** Looks for them now when so many tensors or bytes came since the last look that it is worth a pause. Did it? */
  look(): boolean;
  /** After a stop, which may have come between the making of a tensor and looking after it. */
  catchUp(): void;
}

/** a look costs a full collection: tensors, or bytes of them, that make it worth one */
const many = 200;
const large = 32 * 2 ** 20;

/** `books` hold tensors until they are told not to; `own` runs what must not be cut in the middle. */
export function freeUnheld(tf: Tf, own: <T>(work: () => T) => T, books: typeof import("../tensors/ledger.js")): Unheld {
  const engine = tf.engine() as unknown as Engine;
  const { trackTensor, disposeTensor, endScope } = engine;
  const followed = new WeakSet<Tensor>();
  /** followed since the last look, and not disposed of by then */
  let [count, bytes] = [0, 0];
  let collect: (() => void) | null = null;

  const gone = new FinalizationRegistry<Remains>((remains) => own(() => disposeTensor.call(engine, remains)));
  const follow = (tensor: Tensor) => {
    // a variable is held by its engine until it is disposed of
    if (tensor.isDisposed || followed.has(tensor) || "assign" in tensor) return;
    const { id, dataId, dtype, size, shape } = tensor;
    const remains = { id, dataId, dtype, size, shape };
    // in this order: what a stop cuts here is still held by the books, and looked after by `catchUp`
    gone.register(tensor, remains, tensor);
    books.weaken(tf, tensor, remains);
    followed.add(tensor);
    count++;
    bytes += size * 4;
  };
  // inside a scope tensors come and go by the million; those that outlive the outermost one are looked after
  engine.trackTensor = (tensor, backend) => {
    trackTensor.call(engine, tensor, backend);
    if (engine.state.activeScope === null) follow(tensor);
  };
  engine.endScope = (result) => {
    const { activeScope, scopeStack } = engine.state;
    const track = scopeStack.length === 1 ? activeScope?.track : undefined;
    endScope.call(engine, result);
    if (track !== undefined) for (const tensor of track) follow(tensor);
  };
  engine.disposeTensor = (tensor) => {
    disposeTensor.call(engine, tensor);
    // last: where a stop cuts in before, the collector still brings it back
    if (followed.delete(tensor as Tensor)) {
      gone.unregister(tensor);
      count--;
      bytes -= tensor.size * 4;
    }
  };

  return {
    look() {
      if (count < many && bytes < large) return false;
      [count, bytes] = [0, 0];
      if (collect === null) {
        setFlagsFromString("--expose-gc");
        collect = runInNewContext("gc") as () => void;
      }
      collect();
      return true;
    },
    catchUp() {
      for (const tensor of books.heldByBooks(tf)) follow(tensor);
    },
  };
}
