/** A console whose lines belong to one run. */
import { Console } from "node:console";
import { cleanStack } from "./inspection.js";

/** `write` gets whole pieces of text, line ends included. */
export function createConsole(write: (name: "stdout" | "stderr", text: string) => void): Console {
  const stream = (name: "stdout" | "stderr") =>
    ({
      write(text: string) {
        write(name, cleanStack(String(text)));
        return true;
      },
      on() {},
      once() {},
      removeListener() {},
      listenerCount: () => 0,
    }) as unknown as NodeJS.WriteStream;
  return new Console({ stdout: stream("stdout"), stderr: stream("stderr"), colorMode: false });
}
