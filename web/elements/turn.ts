/** Tasks one after the other, with room for frames and keys between them. */
const waiting: (() => void)[] = [];
let port: MessagePort | null = null;

/** a message is a task that is not held back as timers are */
function channel(): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    waiting.shift()?.();
    if (waiting.length > 0) port2.postMessage(null);
  };
  return port2;
}

/** Resolves in a task of its own, behind those that asked before. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    if (waiting.push(resolve) === 1) (port ??= channel()).postMessage(null);
  });
}
