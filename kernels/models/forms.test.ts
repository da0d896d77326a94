/** Every request form gives the same prediction for the same records, and refuses the same ones. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Field, Signature } from "../protocol/values.js";
import { createAnswerer } from "./answer.js";
import type { FormName } from "./forms.js";
import type { LoadedPredictor } from "./load.js";

const types = ["double", "integer", "bigint", "boolean", "string", "timestamp", "decimal"] as const;
const datatypes = { double: "FP64", integer: "INT64", bigint: "INT64", boolean: "BOOL", string: "BYTES", timestamp: "BYTES", decimal: "FP64" };
const inputs = types.map((type): Field => ({ name: type, type, nullable: false }));
const signature: Signature = { inputs, output: { name: "y", kind: "number" } };
/** A number that each bit of the record moves. */
const digest = (record: object): number => {
  const text = JSON.stringify(record, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : Object.is(value, -0) ? "-0" : value));
  let sum = 0;
  for (let i = 0; i < text.length; i++) sum = (sum * 31 + text.charCodeAt(i)) % 1_000_003;
  return sum / 7;
};
const predictor = { signature, predict: async (records: object[]) => records.map(digest) } as unknown as LoadedPredictor;
const answerer = createAnswerer(predictor);

type Rec = Record<(typeof types)[number], unknown>;
const good = fc.record({
  double: fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => (Object.is(x, -0) ? 0 : x)),
  integer: fc.maxSafeInteger(),
  bigint: fc.maxSafeInteger(),
  boolean: fc.boolean(),
  string: fc.string({ unit: "grapheme" }),
  timestamp: fc.date({ min: new Date(0), max: new Date("2100-01-01"), noInvalidDate: true }).map((date) => date.toISOString()),
  decimal: fc.integer({ min: -1e9, max: 1e9 }).map((x) => x / 100),
});

function binary(records: Rec[]): { body: Buffer; headerLength: number } {
  const parts = types.map((type) => {
    const values = records.map((record) => record[type]);
    if (datatypes[type] === "FP64") return Buffer.from(Float64Array.from(values as number[]).buffer);
    if (datatypes[type] === "INT64") return Buffer.from(BigInt64Array.from(values.map((value) => BigInt(value as number))).buffer);
    if (datatypes[type] === "BOOL") return Buffer.from(values.map(Number));
    return Buffer.concat(
      values.map((value) => {
        const text = Buffer.from(String(value));
        const length = Buffer.alloc(4);
        length.writeUInt32LE(text.length);
        return Buffer.concat([length, text]);
      }),
    );
  });
  const tensors = types.map((type, i) => ({
    ...{ name: type, shape: [records.length], datatype: datatypes[type], parameters: { binary_data_size: parts[i]!.length } },
  }));
  const head = Buffer.from(JSON.stringify({ inputs: tensors }));
  return { body: Buffer.concat([head, ...parts]), headerLength: head.length };
}

async function ask(form: FormName, body: Buffer | object, headerLength: number | null = null): Promise<{ status: number; values: unknown }> {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  const answer = await answerer.answer({ form, body: bytes, type: "application/json", headerLength, name: "m", version: "1" });
  const read = JSON.parse(Buffer.from(answer.body).toString()) as { predictions?: unknown; outputs?: unknown };
  const values = form === "v2" ? (read.outputs as { data: unknown }[] | undefined)?.[0]?.data : (read.predictions ?? read.outputs);
  return { status: answer.status, values };
}

const forms = (records: Rec[]): Promise<{ status: number; values: unknown }>[] => {
  const columns = Object.fromEntries(types.map((type) => [type, records.map((record) => record[type])]));
  return [
    ask("v1", { instances: records }),
    ask("v1", { inputs: columns }),
    ask("v2", { inputs: types.map((type) => ({ name: type, shape: [records.length], datatype: datatypes[type], data: columns[type] })) }),
    ask("mlflow", { dataframe_records: records }),
    ask("mlflow", { dataframe_split: { columns: types, data: records.map((record) => types.map((type) => record[type])) } }),
    ask("mlflow", { inputs: columns }),
    ask("mlflow", { instances: records }),
  ];
};

it("gives the same prediction in eight forms, bit for bit", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(good, { minLength: 1, maxLength: 5 }), async (records) => {
      const { body, headerLength } = binary(records);
      const answers = await Promise.all([...forms(records), ask("v2", body, headerLength)]);
      const wire = JSON.parse(JSON.stringify(records)) as Rec[];
      const values = wire.map((record) => digest({ ...record, timestamp: new Date(record.timestamp as string) }));
      for (const answer of answers) expect(answer).toEqual({ status: 200, values });
    }),
    { numRuns: 200 },
  );
});

it("refuses the same records in each form", async () => {
  const bad: [keyof Rec, unknown][] = [
    ...types.map((type): [keyof Rec, unknown] => [type, null]),
    ...[true, "1", { a: 1 }].map((value): [keyof Rec, unknown] => ["double", value]),
    ...[1.5, "x", 2 ** 53].map((value): [keyof Rec, unknown] => ["integer", value]),
    ...[2 ** 53, "1e3", true].map((value): [keyof Rec, unknown] => ["bigint", value]),
    ...["soon", "2001-02-30", "2001-05-31T25:00:00Z", true].map((value): [keyof Rec, unknown] => ["timestamp", value]),
    ...["true", 1].map((value): [keyof Rec, unknown] => ["boolean", value]),
    ...[1, false].map((value): [keyof Rec, unknown] => ["string", value]),
  ];
  const [record] = fc.sample(good, 1) as Rec[];
  for (const [name, value] of bad)
    for (const [i, answer] of (await Promise.all(forms([{ ...record!, [name]: value }]))).entries())
      expect([name, value, i, answer.status]).toEqual([name, value, i, 400]);
});

it("refuses what could only be read by guessing: a column twice, a quote that is not closed, a datatype that is none", async () => {
  const one: Signature = { inputs: [{ name: "x", type: "double", nullable: true }], output: { name: "y", kind: "number" } };
  const { answer } = createAnswerer({ signature: one, predict: async (records: object[]) => records.map(digest) } as unknown as LoadedPredictor);
  const told = async (form: FormName, body: string | object, type = "application/json"): Promise<string> => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const { status, body: bytes } = await answer({ form, body: Buffer.from(text), type, headerLength: null, name: "m", version: "1" });
    return `${status} ${Buffer.from(bytes).toString()}`;
  };
  const tensor = { name: "x", shape: [1], datatype: "FP64", data: [1] };
  expect(await told("v2", { inputs: [tensor, tensor] })).toMatch(/400.*`x` is there twice/);
  for (const datatype of ["toString", "constructor", "__proto__"])
    expect(await told("v2", { inputs: [{ ...tensor, datatype }] })).toMatch(/400.*datatype/);
  for (const [datatype, value] of [
    ["INT8", 128],
    ["INT8", -129],
    ["INT32", 1.5],
    ["UINT16", -1],
    ["UINT8", 256],
  ] as const)
    expect(await told("v2", { inputs: [{ ...tensor, datatype, data: [value] }] })).toMatch(
      new RegExp(`400.*Expected values of ${datatype}, got ${value}`),
    );
  for (const [datatype, value] of [
    ["INT8", -128],
    ["UINT8", 255],
  ] as const)
    expect(await told("v2", { inputs: [{ ...tensor, datatype, data: [value] }] })).toMatch(/^200/);
  expect(await told("mlflow", { dataframe_split: { columns: ["x", "x"], data: [[1, 2]] } })).toMatch(/400.*`x` is there twice/);
  expect(await told("mlflow", "x,x\n1,2\n", "text/csv")).toMatch(/400.*`x` is there twice/);
  expect(await told("mlflow", 'x,s\n1,"a\n2,b\n', "text/csv")).toMatch(/400.*line 2: a quote is not closed/);
  expect(await told("mlflow", 'x,s\n1,"a"b\n', "text/csv")).toMatch(/400.*line 2: a quote/);
  expect(await told("mlflow", 'x,"s"\r\n"1","a ""b"", c\nd"\r\n', "text/csv")).toMatch(/^200/);
});
