/** From the stop to the end of the run, over every kind of runaway, in one kernel. */
import { runawayKernel, runaways } from "../support/runaways.js";
import { quantile, type Figure } from "./figure.js";

export async function bench(): Promise<Figure[]> {
  const kernel = await runawayKernel();
  await kernel.run("tf.zeros([1]).dispose(); await sql`select 1 as a`.rows()", { id: "warm" });
  const times: number[] = [];
  for (let round = 0; round < 3; round++)
    for (const [, source] of runaways) {
      const word = `go r${kernel.runs + 1}`;
      const { run, done } = kernel.start(source(`console.log("${word}");`), { id: "loop" });
      await kernel.until((message) => "kind" in message && message.kind === "stream" && message.text.includes(word));
      const at = performance.now();
      kernel.interrupt(run);
      await done;
      times.push(performance.now() - at);
      await kernel.until((message) => "how" in message && message.run === run && message.how !== "stuck");
      await kernel.run("0", { id: "loop" });
    }
  await kernel.close();
  const name = `stop, ${runaways.length} kinds of runaway`;
  return [
    { name: `${name}, p95`, value: quantile(times, 0.95), unit: "ms", goal: "<= 500" },
    { name: `${name}, longest`, value: Math.max(...times), unit: "ms", goal: "<= 500" },
  ];
}
