/** What a teacher says, as targets to learn from, and how closely a student follows it. */
import type { Relation, Task } from "../../protocol/values.js";
import type { Outcome } from "../../models/build.js";
import type { Table } from "../../models/fit.js";
import { joinVectors, type Vectors } from "../../models/vectors.js";
import type { Answers } from "../../models/predictor.js";
import { classOf } from "../../stats/metrics.js";

/** Below this a probability's logarithm is cut: float32 holds no smaller one with full precision. */
const LEAST = 1e-37;

/**
 * Answers as logits: log p is the logits up to a constant a row, which no softmax sees at any temperature. Binary: log p / (1 - p).
 * Numbers are scaled as the student learns them.
 */
export function logitsOf({ values }: Answers, outcome: Outcome, scale: { mean: number; sd: number } | undefined): Float32Array {
  if (outcome === "multiclass") return values.map((p) => Math.log(Math.max(LEAST, p)));
  if (outcome === "binary") {
    return values.map((p) => {
      const q = Math.min(1 - 6e-8, Math.max(LEAST, p));
      return Math.log(q) - Math.log1p(-q);
    });
  }
  return values.map((v) => (v - scale!.mean) / scale!.sd);
}

/** Rows without labels put below those with: the hard loss is off for them. */
export interface Lesson {
  table: Table;
  logits: Float32Array;
  alpha: number | Float32Array;
}

export function withTransfer(
  train: Table,
  logits: Float32Array,
  alpha: number,
  more: { x: Vectors; rows: number; logits: Float32Array } | null,
): Lesson {
  if (!more || more.rows === 0) return { table: train, logits, alpha };
  const rows = train.rows + more.rows;
  const x = joinVectors(train.x, more.x, train.width);
  const y = new Float64Array(rows);
  y.set(train.y);
  const both = new Float32Array(logits.length + more.logits.length);
  both.set(logits);
  both.set(more.logits, logits.length);
  return { table: { x, y, rows, width: train.width }, logits: both, alpha: new Float32Array(rows).fill(alpha, 0, train.rows).fill(1, train.rows) };
}

/** Classes: share of rows with the same answer, and mean KL(teacher || student) in nats. Numbers: squared correlation, no KL. */
export function agreement(teacher: Answers, student: Answers, task: Task): { fidelity: number; kl: number | null } {
  const rows = teacher.values.length / teacher.width;
  const t = teacher.values;
  const s = student.values;
  if (task.kind === "binary" || task.kind === "multiclass") {
    const k = teacher.width;
    let same = 0;
    let kl = 0;
    const term = (p: number, q: number) => (p <= 0 ? 0 : p * Math.log(p / Math.max(LEAST, q)));
    for (let i = 0; i < rows; i++) {
      if (k === 1) {
        if (t[i]! > 0.5 === s[i]! > 0.5) same++;
        kl += term(t[i]!, s[i]!) + term(1 - t[i]!, 1 - s[i]!);
      } else {
        const [a, b] = [t.subarray(i * k, (i + 1) * k), s.subarray(i * k, (i + 1) * k)];
        if (classOf(a) === classOf(b)) same++;
        for (let c = 0; c < k; c++) kl += term(a[c]!, b[c]!);
      }
    }
    return { fidelity: same / rows, kl: kl / rows };
  }
  let [mt, ms] = [0, 0];
  for (let i = 0; i < rows; i++) {
    mt += t[i]! / rows;
    ms += s[i]! / rows;
  }
  let [tt, ss, ts] = [0, 0, 0];
  for (let i = 0; i < rows; i++) {
    tt += (t[i]! - mt) ** 2;
    ss += (s[i]! - ms) ** 2;
    ts += (t[i]! - mt) * (s[i]! - ms);
  }
  return { fidelity: tt === 0 || ss === 0 ? 0 : (ts * ts) / (tt * ss), kl: null };
}

/** Share of rows called wrongly; null for numbers. */
export function errorsOf(answers: Answers, ys: Float64Array, task: Task): number | null {
  if (task.kind !== "binary" && task.kind !== "multiclass") return null;
  const k = answers.width;
  let wrong = 0;
  for (let i = 0; i < ys.length; i++) if (classOf(k === 1 ? answers.values[i]! : answers.values.subarray(i * k, (i + 1) * k)) !== ys[i]) wrong++;
  return wrong;
}

export function isRelation(value: unknown): value is Relation {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as Relation).schema === "function" &&
    typeof (value as Relation).columns === "function"
  );
}
