/** Review queues: rows that wait for a person. */
import { Hono } from "hono";
import { z } from "zod";
import type { TablePage } from "../../kernels/protocol/document.js";
import { mime, type FindingView } from "../../kernels/protocol/output.js";
import type { ReviewView } from "../../kernels/protocol/review.js";
import type { Effects } from "../effects.js";
import { createReviews } from "../review/reviews.js";
import { listWorkspaces } from "./home.js";
import { body, RequestError, text } from "./problem.js";

const key = z.string().min(1).max(120);
const act = z.object({ key, rev: z.number().int().min(0), by: z.string().trim().min(1).max(100).default("reviewer") });
const remark = act.omit({ rev: true });
const note = remark.extend({ text: z.string().trim().max(2000) });
const flag = remark.extend({ flagged: z.boolean() });
const answer = act.extend({
  use: z.enum(["use", "unusable", "unsure"]),
  label: z.string().min(1).max(1000),
  guessSeen: z.boolean().default(false),
  ms: z.number().min(0).max(86_400_000).nullable().default(null),
});
const creation = z.object({
  workspace: z.string().min(1),
  name: z.string().min(1),
  labels: z.array(z.string().trim().min(1).max(200)).max(20).default([]),
});

function checked<T>(schema: z.ZodType<T>, given: unknown): T {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new RequestError(400, "bad-request", `Expected \`${issue.path.map(String).join(".") || "the body"}\` to fit: ${issue.message}.`);
}

export function reviewRoutes({ root, sessions, now }: Effects): Hono {
  const reviews = createReviews({ root, now });
  const place = (c: { req: { param(name: string): string } }): [string, string] => {
    const workspace = c.req.param("workspace");
    // an address cannot hold "." as a step of its own
    return [workspace === "-" ? "." : workspace, c.req.param("queue")];
  };
  return (
    new Hono()
      .get("/review", (c) => c.json({ queues: reviews.list(listWorkspaces(root)) } satisfies ReviewView))
      .post("/review", async (c) => {
        const { workspace, name, labels } = checked(creation, await body(c));
        const twice = labels.find((label, i) => labels.indexOf(label) !== i);
        if (twice !== undefined) throw new RequestError(400, "bad-request", `Expected \`labels\` to differ, got ${JSON.stringify(twice)} twice.`);
        return c.json(reviews.create(workspace, name, labels), 201);
      })
      // the press below a result: the rows are those that the kernel kept for it, never what a client says
      .post("/review/send", async (c) => {
        const given = await body(c);
        const session = sessions.open(text(given, "path"));
        const cell = text(given, "cell");
        const batch = text(given, "batch");
        const step = (session.state.outputs[cell] ?? [])
          .flatMap((output) => (output.kind === "display" ? [output.data[mime.finding] as FindingView | undefined] : []))
          .flatMap((finding) => finding?.next ?? [])
          .find((one) => one.type === "review" && one.batch === batch);
        if (step?.type !== "review")
          throw new RequestError(
            404,
            "not-found",
            `Cell ${cell} shows no result with these rows any more; it has run again. Look at its new result.`,
          );
        let page: TablePage;
        try {
          page = (await session.query({ query: "table.rows", relation: step.relation, limit: step.rows })) as TablePage;
        } catch (error) {
          throw new RequestError(
            409,
            "kernel",
            `The rows are not in the kernel any more: run the cell again, then send them. (${(error as Error).message})`,
          );
        }
        if (page.rows.length !== step.rows)
          throw new RequestError(409, "kernel", `The kernel holds ${page.rows.length} of the ${step.rows} rows: run the cell again, then send them.`);
        const { path, workspace } = session.place;
        const name = workspace === root ? "." : (workspace.split(/[\\/]/).at(-1) ?? ".");
        return c.json(reviews.send(name, step, page, { notebook: path, cell }));
      })
      .get("/review/:workspace/:queue", (c) => c.json(reviews.view(...place(c), c.req.query("guess") === "shown")))
      .post("/review/:workspace/:queue/answer", async (c) => c.json(reviews.answer(...place(c), checked(answer, await body(c)))))
      .post("/review/:workspace/:queue/skip", async (c) => c.json(reviews.skip(...place(c), checked(act, await body(c)))))
      .post("/review/:workspace/:queue/undo", async (c) => c.json(reviews.undo(...place(c), checked(act, await body(c)))))
      .post("/review/:workspace/:queue/note", async (c) => c.json(reviews.note(...place(c), checked(note, await body(c)))))
      .post("/review/:workspace/:queue/flag", async (c) => c.json(reviews.flag(...place(c), checked(flag, await body(c)))))
  );
}
