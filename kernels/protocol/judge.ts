/** What the server asks the judge process, and what it answers (files, JSON). */
import type { Slice } from "./serving.js";
import type { Paired } from "./values.js";

export interface JudgeConfig {
  /** folder of the candidate */
  candidate: string;
  incumbent: { version: number; dir: string } | null;
  /** Parquet: input columns, `__y` the truth, `__key` the split's key, `__warm` true for rows before the test part that only give a forecast its history */
  testRows: string | null;
  /** Parquet: `__key` of the training rows */
  trainKeys: string | null;
  /** columns of the test rows by which the score is shown as well */
  slices?: string[];
}

export interface JudgeReport {
  slices?: Slice[];
  rows: number;
  /** declared input against the test rows' types */
  signature: { problems: string[]; upcasts: string[] };
  /** the candidate's answers to the test rows against evaluation.bin; null when it could not answer */
  rescored: { /** the rows are those of evaluation.bin, in order */ sameRows: boolean; rows: number; largest: number; differ: number } | null;
  incumbent: { version: number; label: string; n: number; why: string; value: number | null; candidate: number | null; paired: Paired | null } | null;
  leakage: {
    /** keys in training and in test; null when the training keys were not given */
    overlap: number | null;
    /** training rows at or after the first test row of a time split */
    late: number | null;
    /** the target itself is an input */
    target: string | null;
    /** the input that tells the target best alone */
    single: { field: string; score: number; measure: string } | null;
  } | null;
}
