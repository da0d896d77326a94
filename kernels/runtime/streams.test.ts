/** Every kind of runaway once more, while the cell's timers print all the time. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { TestKernel } from "../../test/support/kernel.js";
import { runawayKernel, runaways } from "../../test/support/runaways.js";

let kernel: TestKernel;
beforeAll(async () => {
  kernel = await runawayKernel();
});
afterAll(() => kernel.close());

// few enough to be sent before a loop that leaves no room to send more
const streaming = `setInterval(() => console.log("tick".repeat(200)), 1); for (let i = 0; i < 10; i++) console.log("line " + i)\n`;
for (const [name, source] of runaways) {
  it(`stops ${name} while output streams`, async () => {
    const { run, done } = kernel.start(streaming + source(`console.log("go r${kernel.runs + 1}");`), { id: "loop" });
    await kernel.until((message) => "kind" in message && message.kind === "stream" && message.text.includes(`go ${run}`));
    kernel.interrupt(run);
    const { result, stdout } = await done;
    expect(result).toBe("interrupted");
    expect(stdout.startsWith(Array.from({ length: 10 }, (_, i) => `line ${i}\n`).join(""))).toBe(true);
    const after = await kernel.run("kept.length + 1", { id: "after" });
    expect(after.displays).toEqual([{ "text/plain": "4" }]);
  });
}
