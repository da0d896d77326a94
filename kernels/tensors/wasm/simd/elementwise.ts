/** Arithmetic, comparison, logic and choice of two operands of one length; a float operand may be one number for all. Addresses in bytes, `n` elements. */
import { f32, get, I32, i32, repeat, set, V128, v128, when, type Code, type Func } from "./encode.js";

type Binary = (a: Code, b: Code) => Code;

/** to[n] = a[n] op b[n] of floats; `stepA` and `stepB` are 1, or 0 where one number stands for all. `bytes`: the results are truth values, a byte each. */
function binary(name: string, four: Binary, one: Binary, bytes: boolean): Func {
  return {
    name,
    params: { a: I32, stepA: I32, b: I32, stepB: I32, to: I32, n: I32 },
    locals: { end: I32, x: V128, y: V128, m0: V128, m1: V128, m2: V128, m3: V128 },
    body: (at) => {
      const v = (local: string) => get(at(local));
      const to = (local: string, value: Code) => set(at(local), value);
      const forward = (wide: number): Code => [
        ...to("a", i32.add(v("a"), i32.mul(v("stepA"), i32.const(wide * 4)))),
        ...to("b", i32.add(v("b"), i32.mul(v("stepB"), i32.const(wide * 4)))),
        ...to("to", i32.add(v("to"), i32.const(bytes ? wide : wide * 4))),
        ...to("n", i32.sub(v("n"), i32.const(wide))),
      ];
      const pair = (part: number): Code => [
        ...when(v("stepA"), to("x", v128.load(v("a"), part * 16))),
        ...when(v("stepB"), to("y", v128.load(v("b"), part * 16))),
      ];
      const through = (wide: number, body: Code) =>
        when(i32.le(i32.const(wide), v("n")), repeat([...body, ...forward(wide)], i32.le(i32.const(wide), v("n"))));
      const many = bytes
        ? through(16, [
            ...[0, 1, 2, 3].flatMap((part) => [...pair(part), ...to(`m${part}`, four(v("x"), v("y")))]),
            ...v128.store(v("to"), v128.truths(v128.narrow(v("m0"), v("m1"), v("m2"), v("m3")))),
          ])
        : through(4, [...pair(0), ...v128.store(v("to"), four(v("x"), v("y")))]);
      const single = one(f32.load(v("a")), f32.load(v("b")));
      return [
        ...to("x", v128.loadSplat(v("a"))),
        ...to("y", v128.loadSplat(v("b"))),
        ...many,
        ...through(1, bytes ? i32.store8(v("to"), single) : f32.store(v("to"), single)),
      ];
    },
  };
}

/** to[n] = a[n] op b[n] of truth values, a byte each. */
function logic(name: string, many: Binary, one: Binary): Func {
  return {
    name,
    params: { a: I32, b: I32, to: I32, n: I32 },
    locals: {},
    body: (at) => {
      const v = (local: string) => get(at(local));
      const forward = (wide: number) => [
        ...["a", "b", "to"].flatMap((local) => set(at(local), i32.add(v(local), i32.const(wide)))),
        ...set(at("n"), i32.sub(v("n"), i32.const(wide))),
      ];
      const through = (wide: number, body: Code) =>
        when(i32.le(i32.const(wide), v("n")), repeat([...body, ...forward(wide)], i32.le(i32.const(wide), v("n"))));
      return [
        ...through(16, v128.store(v("to"), many(v128.load(v("a")), v128.load(v("b"))))),
        ...through(1, i32.store8(v("to"), one(i32.load8(v("a")), i32.load8(v("b"))))),
      ];
    },
  };
}

/** to[n] = yes[n] where the mask's byte is set, else no[n]; of numbers of four bytes. */
const select: Func = {
  name: "select",
  params: { mask: I32, yes: I32, no: I32, to: I32, n: I32 },
  locals: {},
  body: (at) => {
    const v = (local: string) => get(at(local));
    const forward = (wide: number) => [
      ...set(at("mask"), i32.add(v("mask"), i32.const(wide))),
      ...["yes", "no", "to"].flatMap((local) => set(at(local), i32.add(v(local), i32.const(wide * 4)))),
      ...set(at("n"), i32.sub(v("n"), i32.const(wide))),
    ];
    const through = (wide: number, body: Code) =>
      when(i32.le(i32.const(wide), v("n")), repeat([...body, ...forward(wide)], i32.le(i32.const(wide), v("n"))));
    return [
      ...through(4, v128.store(v("to"), v128.select(v128.load(v("yes")), v128.load(v("no")), v128.wideMask(v("mask"))))),
      ...through(1, when(i32.load8(v("mask")), f32.store(v("to"), f32.load(v("yes"))), f32.store(v("to"), f32.load(v("no"))))),
    ];
  },
};

/** by the name of TFJS's kernel */
export const arithmetic: Record<string, Func> = {
  Add: binary("Add", v128.add, f32.add, false),
  Sub: binary("Sub", v128.sub, f32.sub, false),
  Multiply: binary("Multiply", v128.mul, f32.mul, false),
  RealDiv: binary("RealDiv", v128.div, f32.div, false),
  Maximum: binary("Maximum", v128.max, f32.max, false),
  Minimum: binary("Minimum", v128.min, f32.min, false),
};
export const comparison: Record<string, Func> = {
  Equal: binary("Equal", v128.eq, f32.eq, true),
  NotEqual: binary("NotEqual", v128.ne, f32.ne, true),
  Less: binary("Less", v128.lt, f32.lt, true),
  Greater: binary("Greater", v128.gt, f32.gt, true),
  LessEqual: binary("LessEqual", v128.le, f32.le, true),
  GreaterEqual: binary("GreaterEqual", v128.ge, f32.ge, true),
};
export const logical: Record<string, Func> = {
  LogicalAnd: logic("LogicalAnd", v128.and, i32.and),
  LogicalOr: logic("LogicalOr", v128.or, i32.or),
};
export const elementwise: Func[] = [...Object.values(arithmetic), ...Object.values(comparison), ...Object.values(logical), select];
