import { expect, test } from "vitest";
import { rateAt, type Schedule } from "./schedule.js";

const rates = (schedule: Schedule | undefined, epochs: number, more = {}, losses: number[] = []) =>
  Array.from({ length: epochs }, (_, epoch) =>
    rateAt({ rate: 0.1, epochs, ...(schedule && { schedule }), ...more }, epoch, 1, losses.slice(0, epoch)),
  );
const near = (actual: number[], expected: number[]) => {
  expect(actual.length).toBe(expected.length);
  for (const [i, e] of expected.entries()) expect(actual[i]).toBeCloseTo(e, 9);
};

test("constant, and step: torch.optim.lr_scheduler.StepLR(step_size=2, gamma=0.5)", () => {
  near(rates(undefined, 3), [0.1, 0.1, 0.1]);
  near(rates({ name: "step", every: 2, factor: 0.5 }, 6), [0.1, 0.1, 0.05, 0.05, 0.025, 0.025]);
});

test("cosine: keras.optimizers.schedules.CosineDecay(0.1, 4, alpha=0.1) and its warm-up", () => {
  near(rates({ name: "cosine" }, 4), [0.1, 0.0853553391, 0.05, 0.0146446609]);
  near(rates({ name: "cosine", floor: 0.1 }, 4), [0.1, 0.0868198052, 0.055, 0.0231801948]);
  near(rates({ name: "cosine" }, 6, { warmup: 2 }), [0.05, 0.1, 0.1, 0.0853553391, 0.05, 0.0146446609]);
});

test("warm-up rises by the step, also without a schedule", () => {
  near(
    [0, 0.25, 0.5, 0.75, 1].map((at) => rateAt({ rate: 0.1, epochs: 5, warmup: 1 }, at, 0.25, [])),
    [0.025, 0.05, 0.075, 0.1, 0.1],
  );
});

test("plateau: keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=2, min_delta=0)", () => {
  const losses = [1, 0.9, 0.95, 0.92, 0.91, 0.93, 0.8, 0.81];
  near(rates({ name: "plateau", patience: 2 }, 8, {}, losses), [0.1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.025, 0.025]);
  near(rates({ name: "plateau", patience: 1, factor: 0.1, floor: 0.05 }, 4, {}, [1, 1, 1, 1]), [0.1, 0.1, 0.01, 0.005]);
});
