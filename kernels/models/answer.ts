/** From a request's bytes to an answer's bytes: parse, check, predict (batched with what waits), serialise. Shared by the model host and the exported server. */
import { jsonLine } from "../protocol/lines.js";
import type { Prediction } from "../protocol/values.js";
import { errorBody, readForm, type FormRequest, type Rows } from "./forms.js";
import { FeatureError } from "./features-load.js";
import type { LoadedPredictor } from "./load.js";
import { recordChecker, toWire, WireError, type Checked } from "./wire.js";

export interface Answer {
  status: number;
  type: string;
  body: Uint8Array;
  headerLength?: number;
  rows: number;
  /** per row `"record":..,"prediction":..,"warnings":..` as JSON members, for the log */
  log: string[];
  warnings: number;
  /** of an error: the field it names */
  field?: string | null;
}

/** Most rows in one request; a larger one is told to split. */
export const maxRows = 10_000;

export interface Answerer {
  answer(request: FormRequest): Promise<Answer>;
}

/** Requests that arrive while one is computed are answered together in the next product. */
export function createAnswerer(predictor: LoadedPredictor): Answerer {
  const check = recordChecker(predictor.signature);
  const waiting: { records: object[]; done(predictions: Prediction[]): void; failed(error: unknown): void }[] = [];
  let running = false;

  const drain = async (): Promise<void> => {
    if (running) return;
    running = true;
    while (waiting.length > 0) {
      const batch: typeof waiting = [];
      let rows = 0;
      while (waiting.length > 0 && (rows === 0 || rows + waiting[0]!.records.length <= 1024)) {
        rows += waiting[0]!.records.length;
        batch.push(waiting.shift()!);
      }
      try {
        const all = await predictor.predict(batch.flatMap((one) => one.records));
        let at = 0;
        for (const one of batch) {
          one.done(all.slice(at, at + one.records.length));
          at += one.records.length;
        }
      } catch (error) {
        // one record may be at fault: answer each request on its own
        if (batch.length === 1) batch[0]!.failed(error);
        else for (const one of batch) await predictor.predict(one.records).then(one.done, one.failed);
      }
    }
    running = false;
  };

  return {
    async answer(request) {
      let form: Rows;
      let checked: Checked[];
      let predictions: Prediction[];
      try {
        form = readForm(request, predictor.signature);
        if (form.rows.length > maxRows)
          throw new WireError(`the request has ${form.rows.length} rows; at most ${maxRows} are answered at once: split it`, null, 413);
        checked = form.rows.map((row, i) => check(row, form.where(i)));
        const records = checked.map((one) => one.record);
        predictions = await new Promise<Prediction[]>((done, failed) => {
          waiting.push({ records, done, failed });
          void drain();
        });
        const bad = predictions.findIndex((prediction) =>
          typeof prediction === "number" ? !Number.isFinite(prediction) : !prediction.every(Number.isFinite),
        );
        if (bad >= 0) throw new WireError(`${form.where(bad)}: the model's answer is not a finite number for this record`, null, 422);
      } catch (error) {
        const status = error instanceof WireError ? error.status : error instanceof RangeError || error instanceof FeatureError ? 400 : 500;
        const message = (error as Error).message;
        const body = new TextEncoder().encode(JSON.stringify(errorBody(request.form, status, message)));
        return {
          status,
          type: "application/json",
          body,
          rows: 0,
          log: [],
          warnings: 0,
          field: error instanceof WireError || error instanceof FeatureError ? error.field : null,
        };
      }
      const log = checked.map((one, i) => {
        const prediction = predictions[i]!;
        const record: Record<string, unknown> = {};
        for (const name in one.record) record[name] = toWire(one.record[name]);
        const answer = typeof prediction === "number" ? prediction : Array.from(prediction);
        return `"record":${jsonLine(record)},"prediction":${JSON.stringify(answer)},"warnings":${jsonLine(one.warnings)}`;
      });
      return {
        status: 200,
        ...form.answer(predictions),
        rows: checked.length,
        log,
        warnings: checked.reduce((sum, one) => sum + one.warnings.length, 0),
      };
    },
  };
}
