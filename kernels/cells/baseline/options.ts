/** Options of a built-in call, checked with messages that name what was wrong and what was got. */
import type { z } from "zod";

/** What was got, short. */
function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "function") return "a function";
  if (typeof value === "object" && value !== null) {
    try {
      const text = JSON.stringify(value);
      return text.length > 60 ? (Array.isArray(value) ? "a list" : "an object") : text;
    } catch {
      return "an object";
    }
  }
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

function at(value: unknown, path: PropertyKey[]): unknown {
  let here = value;
  for (const step of path) here = here === null || typeof here !== "object" ? undefined : (here as Record<PropertyKey, unknown>)[step];
  return here;
}

/** The options with defaults filled in. Throws a TypeError that names the call, the first wrong option and what was got. */
export function check(schema: z.ZodType, options: unknown, call: string): unknown {
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw new TypeError(`${call}: Expected an object of options, got ${shown(options)}`);
  const result = schema.safeParse(options);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  if (issue.code === "unrecognized_keys") {
    const where = issue.path.length > 0 ? ` in \`${issue.path.join(".")}\`` : "";
    throw new TypeError(`${call}: unknown option${issue.keys.length > 1 ? "s" : ""}${where} ${issue.keys.map((key) => `\`${key}\``).join(", ")}`);
  }
  const got = `, got ${shown(at(options, issue.path))}`;
  const message = issue.message.startsWith("Expected") ? issue.message : `Expected \`${issue.path.join(".")}\`: ${issue.message.toLowerCase()}`;
  throw new TypeError(`${call}: ${message.includes(", got ") ? message : message + got}`);
}
