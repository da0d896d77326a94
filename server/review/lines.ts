/** Lines of a queue's file: read with care, since git merges it and people edit it. Pure. */
import { z } from "zod";
import { reasonKinds, type ReviewLine } from "../../kernels/protocol/review.js";

const text = z.string().min(1).max(1000);
const key = z.string().regex(/^[\w#.:-]{1,120}$/);
const at = z.string().min(1).max(40);
const use = z.enum(["use", "unusable", "unsure"]);

export const choice = z.object({ key: z.string().regex(/^[a-z0-9]$/i), label: z.string().min(1).max(200), use });

// `record` and `guess` are whatever a row holds; zod would drop a column called __proto__
const record = z.custom<Record<string, never>>((value) => typeof value === "object" && value !== null && !Array.isArray(value), "an object");

const line = z.discriminatedUnion("type", [
  z.object({ type: z.literal("queue"), at, title: z.string().max(200), choices: z.array(choice).min(1).max(40) }),
  z.object({
    ...{ type: z.literal("item"), at, key, record },
    reason: z.object({ kind: z.enum(reasonKinds), text }),
    probability: z.number().gt(0).max(1).nullable(),
    guess: z.unknown(),
    from: z.object({ notebook: z.string(), cell: z.string(), batch: z.string() }),
  }),
  z.object({
    ...{ type: z.literal("answer"), at, key, use, label: z.string().min(1).max(1000), by: text, guessSeen: z.boolean() },
    ms: z.number().min(0).nullable(),
  }),
  z.object({ type: z.literal("skip"), at, key, by: text }),
  z.object({ type: z.literal("undo"), at, key, by: text }),
  z.object({ type: z.literal("note"), at, key, by: text, text: z.string().max(2000) }),
  z.object({ type: z.literal("flag"), at, key, by: text, flagged: z.boolean() }),
]);

/** The line, or why it is none. */
export function readLine(source: string): ReviewLine | { wrong: string } {
  let json: unknown;
  try {
    json = JSON.parse(source);
  } catch {
    return { wrong: /^(<{7}|={7}|>{7})/.test(source) ? "is a conflict mark of git" : "is not JSON" };
  }
  const parsed = line.safeParse(json);
  if (parsed.success) return json as ReviewLine;
  const issue = parsed.error.issues[0]!;
  return { wrong: `does not fit at \`${issue.path.map(String).join(".") || "the line"}\`: ${issue.message}` };
}

/** All lines of a file; a last line without its end is cut when it cannot be read, since nobody was told that it was kept. */
export function readLines(source: string): { lines: ReviewLine[]; warnings: string[]; torn: number } {
  const lines: ReviewLine[] = [];
  const warnings: string[] = [];
  const rows = source.replace(/^\ufeff/, "").split("\n");
  const last = rows.pop()!;
  rows.forEach((row, i) => {
    if (row.trim() === "") return;
    const read = readLine(row);
    if ("wrong" in read) warnings.push(`line ${i + 1} ${read.wrong}; it is left as it is and not counted`);
    else lines.push(read);
  });
  if (last.trim() === "") return { lines, warnings, torn: 0 };
  const read = readLine(last);
  if ("wrong" in read) return { lines, warnings, torn: Buffer.byteLength(last) };
  lines.push(read);
  return { lines, warnings, torn: 0 };
}
