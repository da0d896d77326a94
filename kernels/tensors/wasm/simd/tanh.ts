/**
 * tanh by the rational function of degree 13 over 6 that Eigen uses (MathFunctionsImpl.h, ptanh_float), which is within a few units of the last place;
 * beyond 7.9 it is 1. The stock kernel calls the C library number by number, 30 ns each.
 */
import { get, I32, i32, repeat, set, V128, v128, when, f32, type Code, type Func } from "./encode.js";

const limit = 7.90531110763549805;
const tiny = 0.0004;
const over = [
  -2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-8, 1.48572235717979e-5, 6.37261928875436e-4,
  4.89352455891786e-3,
];
const under = [1.19825839466702e-6, 1.18534705686654e-4, 2.268434632439e-3, 4.89352518554385e-3];

/** to[n] = tanh(from[n]), four at a time, the last few one by one. */
export const tanh: Func = {
  name: "tanh",
  params: { from: I32, to: I32, n: I32 },
  locals: { end: I32, raw: V128, x: V128, s: V128, p: V128, q: V128 },
  body: (at) => {
    const v = (name: string) => get(at(name));
    const to = (name: string, value: Code) => set(at(name), value);
    const all = (value: number) => v128.splat(f32.const(value));
    const horner = (terms: number[]) => terms.slice(1).reduce((sum, term) => v128.add(v128.mul(sum, v("s")), all(term)), all(terms[0]!));
    const compute: Code = [
      ...to("x", v128.max(v128.min(v("raw"), all(limit)), all(-limit))),
      ...to("s", v128.mul(v("x"), v("x"))),
      ...to("p", v128.mul(v("x"), horner(over))),
      ...to("q", horner(under)),
      // near 0 the number itself is nearer
      ...to("raw", v128.select(v("raw"), v128.div(v("p"), v("q")), v128.lt(v128.abs(v("raw")), all(tiny)))),
    ];
    const next = (bytes: number): Code => [...to("from", i32.add(v("from"), i32.const(bytes))), ...to("to", i32.add(v("to"), i32.const(bytes)))];
    const through = (body: Code): Code => when(i32.lt(v("from"), v("end")), repeat(body, i32.lt(v("from"), v("end"))));
    return [
      ...to("end", i32.add(v("from"), i32.shl(i32.and(v("n"), i32.const(-4)), 2))),
      ...through([...to("raw", v128.load(v("from"))), ...compute, ...v128.store(v("to"), v("raw")), ...next(16)]),
      ...to("end", i32.add(v("end"), i32.shl(i32.and(v("n"), i32.const(3)), 2))),
      ...through([...to("raw", v128.loadSplat(v("from"))), ...compute, ...v128.storeFirst(v("to"), v("raw")), ...next(4)]),
    ];
  },
};
