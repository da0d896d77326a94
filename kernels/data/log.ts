/** `log(endpoint)`: what a model was asked, what it answered, and what really happened, as a relation (contracts 3 and 6). */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { RunContext } from "../protocol/cells.js";
import type { LogRow } from "../protocol/library.js";
import type { ServerCalls } from "../protocol/serving.js";
import type { Field, Signature } from "../protocol/values.js";
import type { Engine } from "./engine.js";
import { quote, text } from "./names.js";
import { sha } from "./recipe.js";
import { TableRelation } from "./relation.js";

export interface LogOptions {
  /** times in ISO 8601 or Dates; whole days are found by them, rows are cut exactly */
  from?: string | Date;
  to?: string | Date;
  version?: number;
  /** only rows whose outcome is known */
  matured?: boolean;
  /** name of the outcome when the feedback has several; by itself the one called "outcome", else the first by name */
  outcome?: string;
}

const iso = (name: string, value: string | Date | undefined): string | undefined => {
  if (value === undefined) return undefined;
  const date = value instanceof Date ? value : new Date(/\d\d:\d\d/.test(value) && !/(Z|[+-]\d\d:?\d\d)$/.test(value) ? `${value}Z` : value);
  if (Number.isNaN(date.getTime())) throw new Error(`Expected \`${name}\` to be a time, got ${JSON.stringify(value)}`);
  return date.toISOString();
};

/** DuckDB type of a declared field inside the struct `record`. */
const structType: Record<Field["type"], string> = {
  ...{ double: "DOUBLE", integer: "BIGINT", bigint: "HUGEINT", boolean: "BOOLEAN", string: "VARCHAR", timestamp: "TIMESTAMP", date: "TIMESTAMP" },
  ...{ decimal: "DOUBLE", "double[]": "DOUBLE[]", image: "DOUBLE[]" },
};
/** from_json gives a time without zone as text first: "2001-05-31T08:00:00.000Z" is UTC already. */
const jsonType = (type: Field["type"]): string => (type === "timestamp" || type === "date" ? "VARCHAR" : structType[type]);

/** Last moment of a Date, ms since 1970: a later one cannot be turned into a time, and one such line must not make the log unreadable. */
const latest = 8.64e15;

/** The SELECT over the log's files as they are now. Exported for tests. */
export function logSql(
  files: ServerCalls["log.files"]["result"],
  signature: Signature | null,
  range: { from?: string; to?: string; version?: number; matured?: boolean; outcome?: string },
): string {
  const parts: string[] = [];
  const list = (paths: string[]): string => `[${paths.map(text).join(", ")}]`;
  if (files.parquet.length > 0)
    parts.push(
      `select id, "row", "at", version, arm, key, probability, step, ms, status, record, prediction, warnings from read_parquet(${list(files.parquet)}, union_by_name = true)`,
    );
  if (files.segments.length > 0) {
    const columns = `{id: 'VARCHAR', "row": 'INTEGER', "at": 'BIGINT', v: 'INTEGER', arm: 'VARCHAR', key: 'VARCHAR', p: 'DOUBLE', step: 'INTEGER', ms: 'DOUBLE', st: 'VARCHAR', record: 'JSON', prediction: 'JSON', warnings: 'VARCHAR[]'}`;
    // a segment may be growing: its torn last line is read as nulls and left out
    parts.push(
      `select id, "row", make_timestamp("at" * 1000) as "at", v as version, arm, key, p as probability, step, ms, st as status, record::varchar as record, prediction::varchar as prediction, warnings from read_json(${list(files.segments.map((segment) => segment.file))}, format = 'newline_delimited', columns = ${columns}, ignore_errors = true, maximum_object_size = 67108864) where id is not null`,
    );
  }
  if (parts.length === 0)
    parts.push(
      `select null::varchar as id, null::integer as "row", null::timestamp as "at", null::integer as version, null::varchar as arm, null::varchar as key, null::double as probability, null::integer as step, null::double as ms, null::varchar as status, null::varchar as record, null::varchar as prediction, null::varchar[] as warnings where false`,
    );
  const wide = signature?.output.kind === "probabilities";
  const numeric = signature !== null;
  // only times are not what they shall be yet
  const times = (signature?.inputs ?? [])
    .filter((field) => jsonType(field.type) !== structType[field.type])
    .map(({ name, type }) => `${quote(name)} := try_cast(rtrim(l.parsed.${quote(name)}, 'Z') as ${structType[type]})`);
  const record = signature ? (times.length === 0 ? "l.parsed" : `struct_update(l.parsed, ${times.join(", ")})`) : "l.record::json";
  // parsed once, however many fields there are
  const parsed = signature
    ? `from_json(record, ${text(JSON.stringify(Object.fromEntries(signature.inputs.map((field) => [field.name, jsonType(field.type)]))))})`
    : "null";
  const prediction = !numeric ? "l.prediction::json" : wide ? "from_json(l.prediction, '\"DOUBLE[]\"')" : "try_cast(l.prediction as double)";
  const chosen =
    range.outcome === undefined ? `(select coalesce(min(outcome) filter (outcome = 'outcome'), min(outcome)) from told)` : text(range.outcome);
  // latest by event time wins; revisions stay in the files
  const feedback =
    files.feedback.length > 0
      ? `with told as (select * from read_json(${list(files.feedback)}, format = 'newline_delimited', columns = {id: 'VARCHAR', "row": 'INTEGER', outcome: 'VARCHAR', value: 'JSON', "eventAt": 'BIGINT', "at": 'BIGINT'}, ignore_errors = true) where id is not null and "eventAt" between ${-latest} and ${latest}) select id, "row", outcome, value, "eventAt" as event_at from told where outcome = ${chosen} qualify row_number() over (partition by id, "row" order by "eventAt" desc, "at" desc) = 1`
      : `select null::varchar as id, null::integer as "row", null::varchar as outcome, null::json as value, null::bigint as event_at where false`;
  const value = `case json_type(f.value) when 'VARCHAR' then f.value->>'$' else f.value::varchar end`;
  const outcome =
    signature && signature.output.kind !== "probabilities"
      ? `case lower(${value}) when 'true' then 1 when 'false' then 0 else try_cast(${value} as double) end`
      : value;
  const where = [
    range.from === undefined ? null : `l."at" >= ${text(range.from.replace("Z", ""))}::timestamp`,
    range.to === undefined ? null : `l."at" < ${text(range.to.replace("Z", ""))}::timestamp`,
    range.version === undefined ? null : `l.version = ${range.version}`,
    range.matured ? "f.id is not null" : null,
  ].filter((condition) => condition !== null);
  return `with l as (select *, ${parsed} as parsed from (${parts.join(" union all ")})), f as (${feedback})
    select l.id, l."row", l."at", l.version, l.arm, l.key, l.probability, l.step, ${record} as record, ${prediction} as prediction, l.ms, l.status, l.warnings,
      ${outcome} as outcome, make_timestamp(f.event_at * 1000) as outcome_at
    from l left join f on f.id = l.id and f."row" = l."row"
    ${where.length > 0 ? `where ${where.join(" and ")}` : ""}
    order by l."at", l.id, l."row"`;
}

/** Makes the library's `log`: nothing is read before the relation is settled; it holds the rows logged until then. */
export function logFunction(engine: Engine, call: RunContext["call"]): (endpoint: string, options?: LogOptions) => TableRelation<LogRow> {
  return (endpoint, options = {}) => {
    if (typeof endpoint !== "string" || !/^[a-z][a-z0-9-]{0,62}$/.test(endpoint))
      throw new Error(`Expected \`endpoint\` to be the name of a model, got ${JSON.stringify(endpoint)}`);
    for (const key of Object.keys(options))
      if (!["from", "to", "version", "matured", "outcome"].includes(key))
        throw new Error(`log: \`${key}\` is not an option; there are from, to, version, matured, outcome`);
    const { version, matured, outcome } = options;
    if (outcome !== undefined && (typeof outcome !== "string" || outcome === ""))
      throw new Error(`Expected \`outcome\` to be the name of an outcome, got ${JSON.stringify(outcome)}`);
    if (version !== undefined && !(Number.isSafeInteger(version) && version > 0))
      throw new Error(`Expected \`version\` to be a number from 1, got ${String(version)}`);
    const from = iso("from", options.from);
    const to = iso("to", options.to);
    const range = {
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      ...(version === undefined ? {} : { version }),
      ...(matured === undefined ? {} : { matured }),
      ...(outcome === undefined ? {} : { outcome }),
    };
    let files: ServerCalls["log.files"]["result"] | null = null;
    return new TableRelation<LogRow>(engine, {
      upstream: [],
      async build() {
        const found = await call("registry.resolve", { name: endpoint, version: version ?? "champion" });
        const signature = found ? (JSON.parse(readFileSync(join(found.dir, "signature.json"), "utf8")) as Signature) : null;
        files = await call("log.files", { name: endpoint, ...range });
        if (found === null && files.parquet.length + files.segments.length === 0)
          throw new Error(
            `log: no model ${JSON.stringify(endpoint)} has been promoted${version === undefined ? "" : ` as version ${version}`}, so it has no requests`,
          );
        // kept as a table: the files move on and segments become Parquet
        return { sql: logSql(files, signature, range), table: true };
      },
      hash: async () => sha("log", endpoint, JSON.stringify(range), JSON.stringify(files)),
      steady: true,
    });
  };
}
