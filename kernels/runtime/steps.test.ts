import { expect, it } from "vitest";
import { inSteps, type Step } from "./steps.js";

const own = <T>(work: () => T) => work();

it("goes on where a strike has dropped the end of a step, and takes no end twice", async () => {
  const seen: string[] = [];
  let lost = true;
  let first: (() => void) | null = null;
  const over = new Promise<void>((done) => {
    const steps: Step[] = [
      { call: (next) => (seen.push("call"), (first = next), next()) },
      { wait: () => (seen.push("wait"), lost ? new Promise(() => (lost = false)) : Promise.resolve()) },
      { wait: () => (seen.push("fails"), Promise.reject(new Error("is over too"))) },
    ];
    const running = inSteps(own, steps, done, () => seen.push("broken"));
    first!();
    running.landed();
    running.landed();
  });
  await over;
  expect(seen).toEqual(["call", "wait", "wait", "wait", "fails"]);
});

it("ends with what a step throws", () => {
  const seen: unknown[] = [];
  const steps: Step[] = [
    {
      call() {
        throw new Error("no");
      },
    },
  ];
  inSteps(
    own,
    steps,
    () => seen.push("done"),
    (error) => seen.push((error as Error).message),
  );
  expect(seen).toEqual(["no"]);
});
