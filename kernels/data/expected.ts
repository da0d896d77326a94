/** An argument that is not what its call takes. */
export function expected(name: string, what: string, got: unknown): Error {
  const shown = typeof got === "string" ? JSON.stringify(got) : Array.isArray(got) ? "[]" : String(got);
  return new Error(`Expected \`${name}\` to be ${what}, got ${shown}`);
}
