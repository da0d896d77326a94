/** What the server says of itself; pino's shape. No `console`, no secret. */
export interface Log {
  info(about: object, text: string): void;
  warn(about: object, text: string): void;
  error(about: object, text: string): void;
}

export const silent: Log = { info() {}, warn() {}, error() {} };
