/** Frames between the server and one model host, over a unix socket that the server listens on. A request's body is the caller's bytes, unread by the server. */

export type ToHost =
  | {
      type: "request";
      id: number;
      form: "v1" | "v2" | "mlflow";
      contentType: string;
      /** Inference-Header-Content-Length of v2's binary extension */
      headerLength: number | null;
      name: string;
      version: string;
    }
  | { type: "ping"; id: number }
  | { type: "exit" };

/** What the stored sample gave on this host. */
export interface ParityReport {
  ok: boolean;
  rows: number;
  vectorsDiffer: number;
  largest: number;
  tolerance: number;
  why: string | null;
}

export type FromHost =
  | { type: "ready"; pid: number; backend: string; hash: string; parity: ParityReport; memory: number }
  | { type: "failed"; message: string }
  | { type: "pong"; id: number; memory: number }
  /** body: the answer's bytes up to `split`, then one line a row for the log (`"record":..,"prediction":..,"warnings":..`) */
  | {
      type: "answer";
      id: number;
      status: number;
      contentType: string;
      headerLength?: number;
      split: number;
      rows: number;
      warnings: number;
      /** ms between the frame's arrival and the answer */
      ms: number;
      field?: string;
    };
