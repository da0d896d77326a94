/** Several predictors that answer as one: the weighted mean of their answers. */
import { keptBy } from "../protocol/kept.js";
import type { Field, Prediction, Predictor, Signature } from "../protocol/values.js";
import { answersOf, answersTo, type Answers } from "./predictor.js";

/** Weights need not sum to one. Throws where the members do not answer the same question. */
export function ensemble<R extends object>(...members: [predictor: Predictor<R>, weight: number][]): Predictor<R> {
  if (members.length === 0) throw new RangeError("Expected `ensemble` to get at least one [predictor, weight], got none");
  for (const [i, member] of members.entries()) {
    if (!Array.isArray(member) || typeof member[0]?.predict !== "function")
      throw new TypeError(`Expected member ${i + 1} of \`ensemble\` to be [predictor, weight]`);
    if (!(member[1] > 0) || !Number.isFinite(member[1]))
      throw new RangeError(`Expected the weight of member ${i + 1} of \`ensemble\` to be above 0, got \`${member[1]}\``);
  }
  const first = members[0]![0];
  for (const [one] of members) {
    const [a, b] = [first.task, one.task];
    if (a.kind !== b.kind || a.target !== b.target || JSON.stringify(classes(a)) !== JSON.stringify(classes(b))) {
      throw new RangeError(
        `members of an ensemble answer one question: ${first.label} answers ${a.kind} of \`${a.target}\`, ${one.label} ${b.kind} of \`${b.target}\``,
      );
    }
  }
  const total = members.reduce((sum, [, weight]) => sum + weight, 0);
  const label = members.length === 1 ? first.label : `ensemble of ${members.length}`;
  const blend = (all: Float32Array[]): Float32Array => {
    const out = new Float32Array(all[0]!.length);
    for (let i = 0; i < out.length; i++) {
      let sum = 0;
      for (const [m, values] of all.entries()) sum += members[m]![1] * values[i]!;
      out[i] = sum / total;
    }
    return out;
  };
  const made = Object.assign(
    {
      label,
      task: first.task,
      input: unite(members.map(([one]) => one.input)),
      params: members.reduce((sum, [one]) => sum + one.params, 0),
      bytes: members.reduce((sum, [one]) => sum + one.bytes, 0),
      provenance: first.provenance,
      predict: async (rows: object[]): Promise<Prediction[]> => {
        if (rows.length === 0) return [];
        const all: Prediction[][] = [];
        for (const [one] of members) all.push(await one.predict(rows));
        return rows.map((_, row) => {
          const answers = all.map((predictions) => predictions[row]!);
          if (typeof answers[0] === "number") return answers.reduce<number>((sum, p, m) => sum + members[m]![1] * (p as number), 0) / total;
          return blend(answers as Float32Array[]);
        });
      },
      stage: async () => {
        throw new Error(`${label} has not been evaluated: distil it, or give it to \`baseline({ using: [...] })\``);
      },
    },
    {
      [answersTo]: async (relation: Parameters<typeof answersOf>[1], breathe?: () => Promise<void>): Promise<Answers> => {
        const all: Answers[] = [];
        for (const [one] of members) all.push(await answersOf(one as unknown as Predictor, relation, breathe));
        return { values: blend(all.map((one) => one.values)), width: all[0]!.width };
      },
      members: members.map(([one]) => one),
    },
  );
  return keptBy(made, "ensemble", { members });
}

function classes(task: Predictor["task"]): string[] | undefined {
  return "classes" in task ? task.classes : undefined;
}

function unite(all: Signature[]): Signature {
  const fields = new Map<string, Field>();
  for (const { inputs } of all) {
    for (const field of inputs) {
      const known = fields.get(field.name);
      if (known && known.type !== field.type)
        throw new RangeError(`members of the ensemble read \`${field.name}\` as ${known.type} and as ${field.type}`);
      fields.set(field.name, known ? { ...known, nullable: known.nullable && field.nullable } : field);
    }
  }
  return { inputs: [...fields.values()], output: all[0]!.output };
}
