/**
 * Products of matrices of any strides: blocks of both operands are laid out in panels (Goto and van de Geijn 2008), then tiles of 4 x 8 sums stay in registers.
 * A transposed operand is only packed along another axis, so it costs nothing more.
 */
import { F32, get, f32, I32, i32, loop, repeat, set, V128, v128, when, type Code, type Func } from "./encode.js";

/** Rows and columns of a tile. */
export const MR = 4;
export const NR = 8;

const range = (n: number) => Array.from({ length: n }, (_, i) => i);

/**
 * Panels of `wide` lines of a matrix, `depth` long, from float strides `line` and `step` in bytes: to[panel][depth][wide], zeros where the lines end.
 * When neighbours lie side by side along the lines (line = 4) four are copied at once; along the depth (step = 4), blocks of 4 x 4 are turned.
 */
function pack(name: string, wide: number): Func {
  return {
    name,
    params: { from: I32, line: I32, step: I32, lines: I32, depth: I32, to: I32 },
    locals: {
      ...{ p: I32, k: I32, r: I32, src: I32, dst: I32, left: I32, s1: I32, s2: I32, s3: I32 },
      ...{ r0: V128, r1: V128, r2: V128, r3: V128, t0: V128, t1: V128, t2: V128, t3: V128, value: F32 },
    },
    body: (at) => {
      const v = (name: string) => get(at(name));
      const to = (name: string, value: Code) => set(at(name), value);
      const next = (name: string, by: Code) => to(name, i32.add(v(name), by));
      const sides = repeat(
        [
          ...range(wide / 4).flatMap((q) => v128.store(v("dst"), v128.load(v("src"), q * 16), q * 16)),
          ...next("src", v("step")),
          ...next("dst", i32.const(wide * 4)),
          ...next("k", i32.const(1)),
        ],
        i32.lt(v("k"), v("depth")),
      );
      const turned = (q: number): Code => [
        ...to("s1", i32.add(v("src"), i32.mul(v("line"), i32.const(q * 4)))),
        ...to("r0", v128.load(v("s1"))),
        ...to("s2", i32.add(v("s1"), v("line"))),
        ...to("r1", v128.load(v("s2"))),
        ...to("s3", i32.add(v("s2"), v("line"))),
        ...to("r2", v128.load(v("s3"))),
        ...to("r3", v128.load(i32.add(v("s3"), v("line")))),
        ...to("t0", v128.shuffle(v("r0"), v("r1"), [0, 4, 1, 5])),
        ...to("t1", v128.shuffle(v("r0"), v("r1"), [2, 6, 3, 7])),
        ...to("t2", v128.shuffle(v("r2"), v("r3"), [0, 4, 1, 5])),
        ...to("t3", v128.shuffle(v("r2"), v("r3"), [2, 6, 3, 7])),
        ...v128.store(v("dst"), v128.shuffle(v("t0"), v("t2"), [0, 1, 4, 5]), q * 16),
        ...v128.store(v("dst"), v128.shuffle(v("t0"), v("t2"), [2, 3, 6, 7]), wide * 4 + q * 16),
        ...v128.store(v("dst"), v128.shuffle(v("t1"), v("t3"), [0, 1, 4, 5]), wide * 8 + q * 16),
        ...v128.store(v("dst"), v128.shuffle(v("t1"), v("t3"), [2, 3, 6, 7]), wide * 12 + q * 16),
      ];
      const blocks = when(
        i32.le(i32.const(4), v("depth")),
        repeat(
          [...range(wide / 4).flatMap(turned), ...next("src", i32.const(16)), ...next("dst", i32.const(wide * 16)), ...next("k", i32.const(4))],
          i32.le(i32.add(v("k"), i32.const(4)), v("depth")),
        ),
      );
      // what is left, number by number
      const rest = when(
        i32.lt(v("k"), v("depth")),
        repeat(
          [
            ...loop(at("r"), i32.const(wide), 1, [
              ...to("value", f32.const(0)),
              ...when(i32.lt(v("r"), v("left")), to("value", f32.load(i32.add(v("src"), i32.mul(v("r"), v("line")))))),
              ...f32.store(i32.add(v("dst"), i32.shl(v("r"), 2)), v("value")),
            ]),
            ...next("src", v("step")),
            ...next("dst", i32.const(wide * 4)),
            ...next("k", i32.const(1)),
          ],
          i32.lt(v("k"), v("depth")),
        ),
      );
      return [
        ...to("dst", v("to")),
        ...loop(at("p"), v("lines"), wide, [
          ...to("k", i32.const(0)),
          ...to("src", i32.add(v("from"), i32.mul(v("p"), v("line")))),
          ...to("left", i32.sub(v("lines"), v("p"))),
          ...when(i32.le(i32.const(wide), v("left")), [
            ...when(i32.and(i32.le(v("line"), i32.const(4)), i32.le(i32.const(4), v("line"))), when(i32.lt(v("k"), v("depth")), sides), [
              ...when(i32.and(i32.le(v("step"), i32.const(4)), i32.le(i32.const(4), v("step"))), blocks),
            ]),
          ]),
          ...rest,
        ]),
      ];
    },
  };
}

/** c[m, n] = (or, with `more`, +=) packed a times packed b; `spare` has room for one tile. `row` is c's row in bytes, `depth` the common length. */
const tiles: Func = {
  name: "tiles",
  params: { a: I32, b: I32, c: I32, row: I32, m: I32, n: I32, depth: I32, more: I32, spare: I32 },
  locals: {
    ...{ i: I32, j: I32, pa: I32, pb: I32, end: I32, dst: I32, ld: I32, whole: I32, y: I32, x: I32, from: I32, to: I32 },
    ...{ b0: V128, b1: V128, s: V128 },
    ...Object.fromEntries(range(MR * 2).map((i) => [`c${i}`, V128])),
  },
  body: (at) => {
    const v = (name: string) => get(at(name));
    const to = (name: string, value: Code) => set(at(name), value);
    // written once: V8 spills registers when several steps are written out, which made it slower by 40 %
    const step: Code = [
      ...to("b0", v128.load(v("pb"))),
      ...to("b1", v128.load(v("pb"), 16)),
      ...range(MR).flatMap((r) => [
        ...to("s", v128.loadSplat(v("pa"), r * 4)),
        ...to(`c${2 * r}`, v128.add(v(`c${2 * r}`), v128.mul(v("s"), v("b0")))),
        ...to(`c${2 * r + 1}`, v128.add(v(`c${2 * r + 1}`), v128.mul(v("s"), v("b1")))),
      ]),
    ];
    const row = (r: number): Code => [
      ...(r > 0 ? to("dst", i32.add(v("dst"), v("ld"))) : []),
      ...when(i32.and(v("more"), v("whole")), [
        ...to(`c${2 * r}`, v128.add(v(`c${2 * r}`), v128.load(v("dst")))),
        ...to(`c${2 * r + 1}`, v128.add(v(`c${2 * r + 1}`), v128.load(v("dst"), 16))),
      ]),
      ...v128.store(v("dst"), v(`c${2 * r}`)),
      ...v128.store(v("dst"), v(`c${2 * r + 1}`), 16),
    ];
    const place = i32.add(v("c"), i32.add(i32.mul(v("i"), v("row")), i32.shl(v("j"), 2)));
    return loop(at("j"), v("n"), NR, [
      ...loop(at("i"), v("m"), MR, [
        ...to("pa", i32.add(v("a"), i32.shl(i32.mul(v("i"), v("depth")), 2))),
        ...to("pb", i32.add(v("b"), i32.shl(i32.mul(v("j"), v("depth")), 2))),
        ...to("end", i32.add(v("pb"), i32.shl(v("depth"), 5))),
        ...range(MR * 2).flatMap((q) => to(`c${q}`, v128.zero)),
        ...repeat(
          [...step, ...to("pa", i32.add(v("pa"), i32.const(MR * 4))), ...to("pb", i32.add(v("pb"), i32.const(NR * 4)))],
          i32.lt(v("pb"), v("end")),
        ),
        ...to("whole", i32.and(i32.le(i32.add(v("i"), i32.const(MR)), v("m")), i32.le(i32.add(v("j"), i32.const(NR)), v("n")))),
        ...when(v("whole"), [...to("dst", place), ...to("ld", v("row"))], [...to("dst", v("spare")), ...to("ld", i32.const(NR * 4))]),
        ...range(MR).flatMap(row),
        ...when(
          v("whole"),
          [],
          loop(at("y"), i32.min(i32.const(MR), i32.sub(v("m"), v("i"))), 1, [
            ...to("from", i32.add(v("spare"), i32.mul(v("y"), i32.const(NR * 4)))),
            ...to("to", i32.add(place, i32.mul(v("y"), v("row")))),
            ...loop(at("x"), i32.min(i32.const(NR), i32.sub(v("n"), v("j"))), 1, [
              ...when(v("more"), f32.store(v("to"), f32.add(f32.load(v("to")), f32.load(v("from")))), f32.store(v("to"), f32.load(v("from")))),
              ...to("from", i32.add(v("from"), i32.const(4))),
              ...to("to", i32.add(v("to"), i32.const(4))),
            ]),
          ]),
        ),
      ]),
    ]);
  },
};

/** c[m, n] += bias[n] where there is one (not 0); then, with `relu`, nothing below 0. */
const finish: Func = {
  name: "finish",
  params: { c: I32, bias: I32, m: I32, n: I32, relu: I32 },
  locals: { i: I32, j: I32, whole: I32, at: I32, v: V128, s: F32 },
  body: (at) => {
    const v = (name: string) => get(at(name));
    const to = (name: string, value: Code) => set(at(name), value);
    const beside = i32.add(v("bias"), i32.shl(v("j"), 2));
    return [
      ...to("whole", i32.and(v("n"), i32.const(-4))),
      ...to("at", v("c")),
      ...loop(at("i"), v("m"), 1, [
        ...loop(at("j"), v("whole"), 4, [
          ...to("v", v128.load(v("at"))),
          ...when(v("bias"), to("v", v128.add(v("v"), v128.load(beside)))),
          ...when(v("relu"), to("v", v128.max(v("v"), v128.zero))),
          ...v128.store(v("at"), v("v")),
          ...to("at", i32.add(v("at"), i32.const(16))),
        ]),
        ...to("j", v("whole")),
        ...when(
          i32.lt(v("j"), v("n")),
          repeat(
            [
              ...to("s", f32.load(v("at"))),
              ...when(v("bias"), to("s", f32.add(v("s"), f32.load(beside)))),
              ...when(v("relu"), to("s", f32.max(v("s"), f32.const(0)))),
              ...f32.store(v("at"), v("s")),
              ...to("at", i32.add(v("at"), i32.const(4))),
              ...to("j", i32.add(v("j"), i32.const(1))),
            ],
            i32.lt(v("j"), v("n")),
          ),
        ),
      ]),
    ];
  },
};

export const gemm: Func[] = [pack("packA", MR), pack("packB", NR), tiles, finish];
