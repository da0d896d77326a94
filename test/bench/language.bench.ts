/** The language service in a notebook of 200 cells with the types of TensorFlow.js loaded: each key is an edit and a question, over the notebook's WebSocket. */
import { readFileSync } from "node:fs";
import type { Completions, LanguageQuestion } from "../../kernels/protocol/language.js";
import { NotebookClient } from "../support/notebook.js";
import { startServer } from "../support/server.js";
import { quantile, type Figure } from "./figure.js";

const size = 200;
const path = "workspaces/bench/many.nb.ts";

/** Cells with functions, tensors and SQL, each of which reads some of those before it. */
export const largeCells = Array.from({ length: size }, (_, i) => {
  if (i % 10 === 3)
    return `// %% [sql] id="c${i}"\nconst q${i} = sql\`select range as n, range * 1.5 as share, 'x' || range as word from range(${i})\`\n`;
  if (i % 10 === 4)
    return `// %% id="c${i}"\nconst rows${i} = await q${i - 1}.rows()\nconst total${i} = rows${i}.reduce((sum, row) => sum + row.share, 0)\n`;
  if (i % 10 === 7)
    return `// %% id="c${i}"\nconst m${i} = tf.sequential({ layers: [tf.layers.dense({ units: ${i}, inputShape: [4] })] })\nm${i}.countParams()\n`;
  return `// %% id="c${i}"\nfunction f${i}(rows: { at: Date; value: number }[], limit = ${i}) {\n  return rows.filter((row) => row.value > limit).map(({ at, value }) => ({ at, share: value / limit }))\n}\nconst r${i} = f${i}([{ at: new Date(0), value: 1 }])\nconst t${i} = tf.tensor2d([[1, 2], [3, 4]]).matMul(tf.eye(2))\n`;
});

export async function bench(): Promise<Figure[]> {
  const server = await startServer({
    spare: false,
    files: { "workspaces/bench/package.json": `{ "name": "bench", "private": true }`, [path]: largeCells.join("\n") },
  });
  const figures: Figure[] = [];
  const add = (name: string, value: number, unit: string, goal?: string) => figures.push({ name, value, unit, ...(goal !== undefined && { goal }) });
  try {
    const client = await NotebookClient.open(server, path);
    const ask = async <T>(question: LanguageQuestion): Promise<T> => ((await client.do({ do: "language", question })) as { value: T }).value;
    const begin = performance.now();
    await ask({ ask: "problems" });
    add("language: all findings of 200 cells, from a cold start", performance.now() - begin, "ms");

    /** Types `text` key by key behind the source of a cell and asks after each key, then takes it back. */
    const type = async (id: string, text: string, times: number[], wanted: string) => {
      const source = client.state.source.cells.find((cell) => cell.id === id)!.source;
      let labels: string[] = [];
      for (let i = 0; i < text.length; i++) {
        const at = source.length + i;
        const sent = performance.now();
        await client.do({ do: "ops", ops: [{ op: "edit", id, at, remove: 0, insert: text[i]! }] });
        labels = (await ask<Completions>({ ask: "complete", cell: id, at: at + 1 })).items.map((item) => item.label);
        times.push(performance.now() - sent);
      }
      if (!labels.includes(wanted)) throw new Error(`${text} in ${id} does not offer ${wanted}`);
      await client.do({ do: "ops", ops: [{ op: "edit", id, at: source.length, remove: text.length, insert: "" }] });
    };
    const warm: number[] = [];
    const times: number[] = [];
    for (let i = 0; i < 9; i++) {
      const to = i < 2 ? warm : times;
      // a name of another cell, a member of a tensor, a column of a row
      await type(`c${(i * 29 + 11) % size}`, "\nr1", to, "r100");
      await type(`c${(i * 31 + 5) % size}`, "\ntf.laye", to, "layers");
      await type(`c${(i * 37 + 15) % size}`, "\nt2.su", to, "sum");
      await type(`c${(i * 41 + 25) % size}`, "\nrows4[0]!.sh", to, "share");
    }
    add("language: a key and its completions, 200 cells, p50", quantile(times, 0.5), "ms");
    add("language: a key and its completions, 200 cells, p95", quantile(times, 0.95), "ms", "< 100");
    const hovers: number[] = [];
    for (let i = 0; i < 60; i++) {
      const id = `c${(i * 37 + 15) % size}`;
      const sent = performance.now();
      await ask({ ask: "hover", cell: id, at: 9 });
      hovers.push(performance.now() - sent);
    }
    add("language: hover p95", quantile(hovers, 0.95), "ms", "< 100");
    const [pid] = server.server.sessions.languages.pids();
    const rss = Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024;
    add("language: memory of the service", rss, "MB");
    client.close();
  } finally {
    await server.close();
  }
  return figures;
}
