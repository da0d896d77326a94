/** One step of Adam over a variable, four elements at a time; the last few one by one. */
import { F32, f32, get, I32, i32, repeat, set, V128, v128, when, type Code, type Func } from "./encode.js";

const scalars = ["beta1", "rest1", "beta2", "rest2", "step", "correct", "epsilon"];

/** m' = b1 m + (1 - b1) g; v' = b2 v + (1 - b2) g g; w' = w - step m' / (sqrt(v' correct) + epsilon). Addresses in bytes, `n` elements. */
export const adam: Func = {
  name: "adam",
  params: {
    ...{ n: I32, w: I32, g: I32, m: I32, v: I32, toW: I32, toM: I32, toV: I32 },
    ...Object.fromEntries(scalars.map((name) => [name, F32])),
  },
  locals: {
    ...{ i: I32, end: I32, gi: F32, mi: F32, vi: F32, g4: V128, m4: V128, v4: V128 },
    ...Object.fromEntries(scalars.map((name) => [`${name}4`, V128])),
  },
  body: (at) => {
    const v = (name: string) => get(at(name));
    const to = (name: string, value: Code) => set(at(name), value);
    const place = (name: string) => i32.add(v(name), v("i"));
    /** the same formulas for one and for four */
    const update = (
      f: Pick<typeof f32, "add" | "sub" | "mul" | "div" | "sqrt" | "load" | "store">,
      g: string,
      m: string,
      w: string,
      tail: string,
    ): Code => {
      const s = (name: string) => v(name + tail);
      return [
        ...to(g, f.load(place("g"))),
        ...to(m, f.add(f.mul(s("beta1"), f.load(place("m"))), f.mul(s("rest1"), v(g)))),
        ...to(w, f.add(f.mul(s("beta2"), f.load(place("v"))), f.mul(s("rest2"), f.mul(v(g), v(g))))),
        ...f.store(place("toM"), v(m)),
        ...f.store(place("toV"), v(w)),
        ...f.store(place("toW"), f.sub(f.load(place("w")), f.div(f.mul(s("step"), v(m)), f.add(f.sqrt(f.mul(v(w), s("correct"))), s("epsilon"))))),
      ];
    };
    const forward = (by: number) => to("i", i32.add(v("i"), i32.const(by)));
    return [
      ...scalars.flatMap((name) => to(`${name}4`, v128.splat(v(name)))),
      ...to("end", i32.shl(i32.and(v("n"), i32.const(-4)), 2)),
      ...when(i32.lt(v("i"), v("end")), repeat([...update(v128, "g4", "m4", "v4", "4"), ...forward(16)], i32.lt(v("i"), v("end")))),
      ...to("end", i32.shl(v("n"), 2)),
      ...when(i32.lt(v("i"), v("end")), repeat([...update(f32, "gi", "mi", "vi", ""), ...forward(4)], i32.lt(v("i"), v("end")))),
    ];
  },
};
