/** An end that a person can cause: one sentence and an exit code (0 ok, 1 failed, 2 a gate, 64 usage, 130 Ctrl-C). */
export class Failure extends Error {
  readonly exitCode: number;
  constructor(exitCode: number, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}
