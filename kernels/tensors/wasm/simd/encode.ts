/**
 * A small assembler of WebAssembly with 128-bit SIMD: expressions are lists of bytes that nest. The kernels beside this file are written with it,
 * so that they need no compiler and can be read in the repository.
 */
export type Code = number[];

/** Types of parameters and locals. */
export const I32 = 0x7f;
export const F32 = 0x7d;
export const V128 = 0x7b;

/** Name of a parameter or local, turned into its number when the function is closed. */
type Names = Record<string, number>;

export interface Func {
  name: string;
  params: Names;
  locals: Names;
  body: (at: (name: string) => number) => Code;
}

function unsigned(value: number): Code {
  const bytes: Code = [];
  do {
    const low = value & 0x7f;
    value >>>= 7;
    bytes.push(value ? low | 0x80 : low);
  } while (value);
  return bytes;
}

function signed(value: number): Code {
  const bytes: Code = [];
  for (;;) {
    const low = value & 0x7f;
    value >>= 7;
    if ((value === 0 && !(low & 0x40)) || (value === -1 && low & 0x40)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

const simd = (op: number): Code => [0xfd, ...unsigned(op)];
const binary =
  (op: Code) =>
  (a: Code, b: Code): Code => [...a, ...b, ...op];
/** All accesses are to aligned floats: 2 ** 2. */
const memory = (op: Code, offset: number): Code => [...op, 2, ...unsigned(offset)];

export const i32 = {
  const: (value: number): Code => [0x41, ...signed(value)],
  add: binary([0x6a]),
  sub: binary([0x6b]),
  mul: binary([0x6c]),
  and: binary([0x71]),
  or: binary([0x72]),
  load8: (at: Code): Code => [...at, 0x2d, 0, 0],
  store8: (at: Code, value: Code): Code => [...at, ...value, 0x3a, 0, 0],
  shl: (a: Code, bits: number): Code => [...a, 0x41, ...signed(bits), 0x74],
  /** comparisons are unsigned: addresses reach beyond 2 GB */
  lt: binary([0x49]),
  le: binary([0x4d]),
  min: (a: Code, b: Code): Code => [...a, ...b, ...a, ...b, 0x49, 0x1b],
};
export const f32 = {
  const: (value: number): Code => [0x43, ...new Uint8Array(new Float32Array([value]).buffer)],
  load: (at: Code, offset = 0): Code => [...at, ...memory([0x2a], offset)],
  store: (at: Code, value: Code, offset = 0): Code => [...at, ...value, ...memory([0x38], offset)],
  add: binary([0x92]),
  sub: binary([0x93]),
  mul: binary([0x94]),
  div: binary([0x95]),
  min: binary([0x96]),
  max: binary([0x97]),
  eq: binary([0x5b]),
  ne: binary([0x5c]),
  lt: binary([0x5d]),
  gt: binary([0x5e]),
  le: binary([0x5f]),
  ge: binary([0x60]),
  sqrt: (a: Code): Code => [...a, 0x91],
};
export const v128 = {
  zero: [...simd(12), ...Array<number>(16).fill(0)] as Code,
  load: (at: Code, offset = 0): Code => [...at, ...memory(simd(0), offset)],
  /** one float into all four lanes */
  loadSplat: (at: Code, offset = 0): Code => [...at, ...memory(simd(9), offset)],
  store: (at: Code, value: Code, offset = 0): Code => [...at, ...value, ...memory(simd(11), offset)],
  /** the first lane alone */
  storeFirst: (at: Code, value: Code): Code => [...at, ...value, ...memory(simd(90), 0), 0],
  splat: (a: Code): Code => [...a, ...simd(19)],
  add: binary(simd(228)),
  sub: binary(simd(229)),
  mul: binary(simd(230)),
  div: binary(simd(231)),
  max: binary(simd(233)),
  min: binary(simd(232)),
  sqrt: (a: Code): Code => [...a, ...simd(227)],
  abs: (a: Code): Code => [...a, ...simd(224)],
  and: binary(simd(78)),
  or: binary(simd(80)),
  // all bits of a lane where the comparison holds
  eq: binary(simd(65)),
  ne: binary(simd(66)),
  lt: binary(simd(67)),
  gt: binary(simd(68)),
  le: binary(simd(69)),
  ge: binary(simd(70)),
  /** four masks of four lanes as one of sixteen bytes */
  narrow: (a: Code, b: Code, c: Code, d: Code): Code => [...a, ...b, ...simd(133), ...c, ...d, ...simd(133), ...simd(101)],
  /** 1 for each byte that is set */
  truths: (mask: Code): Code => [...mask, 0x41, 1, ...simd(15), ...simd(78)],
  /** four truth values at an address as a mask of four lanes */
  wideMask: (at: Code): Code => [...at, ...memory(simd(92), 0), ...simd(135), ...simd(167), ...simd(12), ...Array<number>(16).fill(0), ...simd(56)],
  /** bits of a where the mask has them, else of b */
  select: (a: Code, b: Code, mask: Code): Code => [...a, ...b, ...mask, ...simd(82)],
  /** four floats out of the eight of a and b */
  shuffle: (a: Code, b: Code, lanes: number[]): Code => [...a, ...b, ...simd(13), ...lanes.flatMap((lane) => [0, 1, 2, 3].map((i) => lane * 4 + i))],
};

export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number, value: Code): Code => [...value, 0x21, ...unsigned(local)];
export const when = (condition: Code, then: Code, otherwise?: Code): Code => [
  ...condition,
  0x04,
  0x40,
  ...then,
  ...(otherwise ? [0x05, ...otherwise] : []),
  0x0b,
];
/** Runs the body, then again while the condition holds. */
export const repeat = (body: Code, condition: Code): Code => [0x03, 0x40, ...body, ...condition, 0x0d, 0, 0x0b];
/** `for (local = 0; local < end; local += step)` */
export const loop = (local: number, end: Code, step: number, body: Code): Code => [
  ...set(local, i32.const(0)),
  ...when(i32.lt(get(local), end), repeat([...body, ...set(local, i32.add(get(local), i32.const(step)))], i32.lt(get(local), end))),
];

const vector = (items: Code[]): Code => [...unsigned(items.length), ...items.flat()];
const section = (id: number, content: Code): Code => [id, ...unsigned(content.length), ...content];
const text = (value: string): Code => [...unsigned(value.length), ...Buffer.from(value, "latin1")];

/** A module of these functions, none of which returns a value, over the imported memory `env.memory`. */
export function assemble(functions: Func[]): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ params }) => [0x60, ...vector(Object.values(params).map((type) => [type])), 0]);
  const codes = functions.map(({ params, locals, body }) => {
    const names = [...Object.keys(params), ...Object.keys(locals)];
    const at = (name: string) => {
      const index = names.indexOf(name);
      if (index < 0) throw new Error(`no local ${name}`);
      return index;
    };
    const code = [...vector(Object.values(locals).map((type) => [1, type])), ...body(at), 0x0b];
    return [...unsigned(code.length), ...code];
  });
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector(types)),
    ...section(2, vector([[...text("env"), ...text("memory"), 2, 0, 0]])),
    ...section(3, vector(functions.map((_, i) => unsigned(i)))),
    ...section(7, vector(functions.map(({ name }, i) => [...text(name), 0, ...unsigned(i)]))),
    ...section(10, vector(codes)),
  ]);
}
