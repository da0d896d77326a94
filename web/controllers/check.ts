/** What the run's own schema says of a form's literals. Names and code are known only when they run, so they are left out. Pure. */
import type { z } from "zod";
import type { CallField } from "../../kernels/protocol/document.js";

type Value = CallField["value"];

/** A literal's plain value; undefined when a part of it is a name or code. */
function plain(value: Value): unknown {
  if (value.type === "literal") return value.value;
  if (value.type !== "list") return undefined;
  const items = value.items.map(plain);
  return items.includes(undefined) ? undefined : items;
}

/** Sentences by path of the fields that the schema refuses. Only of fields that hold a literal: what is missing is another matter. */
export function schemaErrors(schema: z.ZodType, fields: Iterable<{ path: string; value: Value }>): Map<string, string> {
  const options: Record<string, unknown> = {};
  const paths: string[] = [];
  for (const { path, value } of fields) {
    const found = plain(value);
    if (found === undefined) continue;
    const keys = path.split(".");
    const last = keys.pop()!;
    let at: unknown = options;
    for (const key of keys) if (typeof at === "object" && at !== null) at = (at as Record<string, unknown>)[key] ??= {};
    // a literal stands where this path wants an object
    if (typeof at !== "object" || at === null) continue;
    (at as Record<string, unknown>)[last] = found;
    paths.push(path);
  }
  const errors = new Map<string, string>();
  const parsed = schema.safeParse(options);
  for (const issue of parsed.success ? [] : parsed.error.issues) {
    const where = issue.path.join(".");
    const path = paths.find((known) => where === known || where.startsWith(`${known}.`));
    if (path !== undefined && !errors.has(path)) errors.set(path, issue.message);
  }
  return errors;
}
