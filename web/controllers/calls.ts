/** The request that a person copies, in three languages. Pure. */
import type { Field, SampleLine } from "../../kernels/protocol/values.js";

export interface Call {
  url: string;
  body: string;
}

export function callOf(origin: string, name: string, record: unknown): Call {
  return { url: `${origin}/v1/models/${encodeURIComponent(name)}:predict`, body: JSON.stringify({ instances: [record] }) };
}

/** Single quotes of a POSIX shell. */
const shell = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

export const curl = ({ url, body }: Call): string => `curl -s ${url} -H 'content-type: application/json' -d ${shell(body)}`;

export const fetchCode = ({ url, body }: Call): string =>
  `const answer = await fetch(${JSON.stringify(url)}, {\n  method: "POST",\n  headers: { "content-type": "application/json" },\n  body: JSON.stringify(${body}),\n})\nconst { predictions } = await answer.json()`;

/** Literals of Python for a JSON value. */
function python(value: unknown): string {
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  if (typeof value === "object")
    return `{${Object.entries(value)
      .map(([key, inner]) => `${JSON.stringify(key)}: ${python(inner)}`)
      .join(", ")}}`;
  return JSON.stringify(value);
}

export const pythonCode = ({ url, body }: Call): string =>
  `import json, urllib.request\n\nrequest = urllib.request.Request(\n    ${JSON.stringify(url)},\n    data=json.dumps(${python(JSON.parse(body))}).encode(),\n    headers={"content-type": "application/json"},\n)\nprint(json.load(urllib.request.urlopen(request))["predictions"])`;

/** What a form's text means for a field; null for an empty nullable one. */
export function readField(field: Field, text: string): unknown {
  const bare = text.trim();
  if (bare === "") return null;
  switch (field.type) {
    case "double":
    case "integer":
      return Number(bare);
    case "bigint":
      return Number.isSafeInteger(Number(bare)) ? Number(bare) : bare;
    case "boolean":
      return bare === "true";
    case "double[]":
    case "image":
      try {
        return JSON.parse(bare) as unknown;
      } catch {
        return bare;
      }
    default:
      return text;
  }
}

export const fieldText = (value: unknown): string =>
  value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);

/** Is the service's answer the notebook's own, within float32's tolerance? */
export function sameAnswer(served: unknown, notebook: SampleLine["prediction"]): boolean {
  const flat = (value: unknown): number[] => (Array.isArray(value) ? value.flatMap(flat) : typeof value === "number" ? [value] : []);
  const [a, b] = [flat(served), flat(notebook)];
  return a.length === b.length && a.length > 0 && a.every((value, i) => Math.abs(value - b[i]!) <= 1e-5 * Math.max(1, Math.abs(b[i]!)));
}
