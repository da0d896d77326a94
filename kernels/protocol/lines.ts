/** One JSON value a line, for readers stricter than JavaScript. */

/** JSON without lone surrogates: JavaScript strings may hold them, DuckDB refuses the whole line, so they become U+FFFD. */
export function jsonLine(value: unknown): string {
  const text = JSON.stringify(value);
  // JSON.stringify writes a lone surrogate as an escape and nothing else so
  if (!text.includes("\\ud")) return text;
  return JSON.stringify(value, (_, item: unknown) => (typeof item === "string" ? item.replace(/\p{Surrogate}/gu, "\ufffd") : item));
}
