/**
 * What is killed: `ROOT commit PROPOSAL` commits and rolls back, `ROOT propose REQUEST.json` judges (by real processes), `ROOT log COUNT` answers requests and takes feedback. Hosts are stand-ins that answer at once;
 * everything on disk is the real thing. Each acknowledged act is printed before the next begins.
 */
import { readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "../../kernels/paths/folder.js";
import type { ProposeRequest } from "../../kernels/protocol/serving.js";
import type { Host } from "../../server/host/process.js";
import { createServing } from "../../server/serving/serving.js";

let left = Number(process.env["TOUCHSTONE_KILL_AT"] ?? 0);
const step = (): void => {
  if (left > 0 && --left === 0) process.kill(process.pid, "SIGKILL");
};
const say = (line: string): void => void writeSync(1, `${line}\n`);

/** A host that adds three. */
export function standIn(dir: string): Host {
  return {
    ...{ pid: 0, backend: "none", hash: sha256(readFileSync(join(dir, "manifest.json"))), memory: 0 },
    parity: { ok: true, rows: 1, vectorsDiffer: 0, largest: 0, tolerance: 1e-5, why: null },
    busy: () => 0,
    alive: () => true,
    async request(_, body) {
      const { instances } = JSON.parse(Buffer.from(body).toString()) as { instances: number[] };
      const log = instances.map((x) => `"record":{"x":${x}},"prediction":${x + 3},"warnings":[]`).join("\n");
      const answer = Buffer.from(JSON.stringify({ predictions: instances.map((x) => x + 3) }));
      return {
        status: 200,
        contentType: "application/json",
        headerLength: null,
        body: answer,
        rows: instances.length,
        warnings: 0,
        ms: 0,
        field: null,
        log: Buffer.from(log),
      };
    },
    ping: async () => 0,
    drain: async () => undefined,
    kill: () => undefined,
    death: new Promise(() => undefined),
  };
}

const [root, act, argument] = process.argv.slice(2) as [string, string, string];
const fail = (text: string): void => void process.stderr.write(`${text}\n`);
const serving = createServing({ root, log: { info: () => undefined, error: fail }, step, start: async ({ dir }) => standIn(dir), compactEvery: 0 });
if (act === "commit") {
  const { version } = await serving.commit(argument, "test");
  say(`committed ${version}`);
  await serving.rollback("tiny", "test");
  say("rolled back");
} else if (act === "propose") {
  const { id, passed } = await serving.propose(JSON.parse(readFileSync(argument, "utf8")) as ProposeRequest);
  say(`proposed ${id} ${passed}`);
} else {
  for (let i = 0; i < Number(argument); i++) {
    const id = `r${process.pid}-${i}`;
    const body = Buffer.from(JSON.stringify({ instances: [i, i + 1] }));
    await serving.predict({ name: "tiny", form: "v1", contentType: "application/json", headerLength: null, body, key: null, id, durable: true });
    say(`answered ${id}`);
    await serving.feedback([{ id, row: 0, name: "tiny", outcome: "outcome", value: i, eventAt: i, at: Date.now() }]);
    say(`heard ${id}`);
  }
}
await serving.close();
process.exit(0);
