/** The chain of contracts 2, compiled by `npm run types`: a break in the spine is a type error here. Never run. */
import type { Library } from "../../kernels/protocol/library.js";
import type { Relation } from "../../kernels/protocol/values.js";

interface Flight {
  date: Date;
  distance: number;
  late: boolean;
  weight: number;
}

export async function chain(
  flights: Relation<Flight>,
  { baseline, train, distill, abTest, drift, promote, features, log, ensemble }: Library,
): Promise<void> {
  const split = flights.split({ by: "time", key: "date", cut: ["2001-04-01", "2001-05-01"] });
  const floor = await baseline({ split, task: { kind: "binary", target: "late" }, metric: "log loss", using: ["prior", { rate: ["dow", "hour"] }] });
  const feats = features({
    input: { distance: "double" },
    fit: async (rows) => ({ n: await rows.count() }),
    row: (r: { distance: number }, s) => [r.distance / s.n],
  });
  const model = await train({ split, task: { kind: "binary", target: "late" }, against: floor, features: feats, model: "mlp" });
  const d = await distill({ teacher: [model, ensemble([model, 1])], split, against: floor, students: [32] });
  const test = await abTest({ outcome: { kind: "proportion", rate: 0.2 } });
  await promote({ name: "flights", model: d.student, against: floor, rollout: test.plan });
  await promote({ name: "flights", model: floor.bar, against: model });
  await drift({ reference: { name: "flights", version: "champion" }, current: log("flights") });
  await train({ split: split.with(flights), against: floor, features: feats, weight: "weight" });
  // @ts-expect-error a column that the relation lacks
  await baseline({ split, task: { kind: "binary", target: "delayed" } });
  // @ts-expect-error a relation is no split
  await train({ split: flights, against: floor, features: feats });
  // @ts-expect-error an unknown metric
  await baseline({ split, task: { kind: "binary", target: "late" }, metric: "logloss" });
}
