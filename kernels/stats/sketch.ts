/** What is kept of a column so that later data can be compared with it: counts of values, or of bins between quantiles. JSON, part of a version. */
export interface ColumnSketch {
  /** name shown: the column, or "date: hour" for a part of a time */
  column: string;
  kind: "number" | "category";
  /** rows, and how many of them had no value */
  rows: number;
  missing: number;
  /** numbers: rising values (each one's own, or the mean of its bin); categories: most frequent first */
  values: (number | string)[];
  counts: number[];
  /** numbers in bins: bin i holds edges[i] <= x < edges[i + 1], the last everything above; null = each value on its own */
  edges: number[] | null;
  /** categories beyond the most frequent 1,000: rows */
  other: number;
}

export interface Sketch {
  format: 1;
  rows: number;
  columns: ColumnSketch[];
  /** the column that the model answers for: known later than the record, so never part of it */
  target?: string;
}

/** Two columns over the same atoms: everything that a two-sample statistic needs. */
export interface Compared {
  kind: "number" | "category";
  /** labels of categories, or values (bins: the reference's mean) of numbers */
  labels: (number | string)[];
  reference: Float64Array;
  current: Float64Array;
  /** values of the current side where bins' means differ */
  currentValues: Float64Array | null;
  /** reference values of numbers */
  referenceValues: Float64Array | null;
}

/** Lines up a reference and what was seen later. `current` must have been counted with the reference's edges, or by value. */
export function lineUp(reference: ColumnSketch, current: ColumnSketch): Compared {
  if (reference.kind === "category") {
    const labels = [...new Set([...reference.values, ...current.values].map(String))];
    const of = (sketch: ColumnSketch): Map<string, number> => new Map(sketch.values.map((value, i) => [String(value), sketch.counts[i]!]));
    const [r, c] = [of(reference), of(current)];
    const reference_ = [...labels.map((label) => r.get(label) ?? 0), reference.other];
    const current_ = [...labels.map((label) => c.get(label) ?? 0), current.other];
    labels.push("(other)");
    const missing = reference.missing + current.missing > 0;
    if (missing) {
      labels.push("(missing)");
      reference_.push(reference.missing);
      current_.push(current.missing);
    }
    const keep = labels.map((_, i) => i).filter((i) => reference_[i]! + current_[i]! > 0);
    return {
      kind: "category",
      labels: keep.map((i) => labels[i]!),
      reference: Float64Array.from(keep, (i) => reference_[i]!),
      current: Float64Array.from(keep, (i) => current_[i]!),
      currentValues: null,
      referenceValues: null,
    };
  }
  if (reference.edges) {
    const values = Float64Array.from(reference.values as number[]);
    return {
      kind: "number",
      labels: reference.values,
      reference: Float64Array.from(reference.counts),
      current: Float64Array.from(current.counts),
      referenceValues: values,
      currentValues: Float64Array.from(current.values as number[]),
    };
  }
  const values = [...new Set([...(reference.values as number[]), ...(current.values as number[])])].sort((a, b) => a - b);
  const at = new Map(values.map((value, i) => [value, i]));
  const count = (sketch: ColumnSketch): Float64Array => {
    const out = new Float64Array(values.length);
    sketch.values.forEach((value, i) => (out[at.get(value as number)!] = sketch.counts[i]!));
    return out;
  };
  const both = Float64Array.from(values);
  return { kind: "number", labels: values, reference: count(reference), current: count(current), referenceValues: both, currentValues: both };
}

/** Joins neighbouring atoms into at most `bins` bins of about equal reference share: the cells of PSI and of histograms. */
export function merge(
  compared: Compared,
  bins: number,
): { labels: string[]; reference: Float64Array; current: Float64Array; from: number[]; to: number[] } {
  const { labels, reference, current } = compared;
  if (compared.kind === "category" || labels.length <= bins)
    return { labels: labels.map(String), reference, current, from: labels.map((_, i) => i), to: labels.map((_, i) => i) };
  const total = reference.reduce((a, b) => a + b, 0);
  const from: number[] = [];
  const to: number[] = [];
  const r: number[] = [];
  const c: number[] = [];
  let seen = 0;
  let open = false;
  for (let i = 0; i < labels.length; i++) {
    if (!open) {
      from.push(i);
      to.push(i);
      r.push(0);
      c.push(0);
    }
    const at = r.length - 1;
    r[at]! += reference[i]!;
    c[at]! += current[i]!;
    to[at] = i;
    seen += reference[i]!;
    // a bin closes where its share of the reference is full; what remains joins the last bin
    open = r.length === bins || seen < (total * r.length) / bins;
  }
  const number = (i: number): string => String(Number((labels[i] as number).toPrecision(4)));
  return {
    labels: from.map((f, i) => (f === to[i] ? number(f) : `${number(f)} to ${number(to[i]!)}`)),
    reference: Float64Array.from(r),
    current: Float64Array.from(c),
    from,
    to,
  };
}
