/** What may be handed to npm: the name of a package of the registry, with a version, a range, a tag, or none. No flags, paths, URLs or aliases. Pure. */
const name = String.raw`(?:@[a-z0-9~][a-z0-9._~-]*\/)?[a-z0-9~][a-z0-9._~-]*`;
const bound = String.raw`(?:[~^]|[<>]=?|=)?\s?v?(?:\d[\w.+*-]*|\*)`;
const range = String.raw`${bound}(?:(?:\s\|\|\s|\s-\s|\s)${bound})*`;
const spec = new RegExp(`^(${name})(?:@(${range}|[a-z][\\w.-]*))?$`);

export interface Wanted {
  name: string;
  version: string | null;
}

/** null when it is not one. */
export function readSpec(text: string): Wanted | null {
  if (text.length > 214) return null;
  const match = spec.exec(text);
  return match === null || match[1] === "node_modules" ? null : { name: match[1]!, version: match[2] ?? null };
}

/** The package that an import of `spec` asks for; null when it asks for none: a file, an address, a part of Node. */
export function packageOf(spec: string): string | null {
  if (/^[./#]|^[a-z]+:/.test(spec)) return null;
  const [first = "", second] = spec.split("/");
  const found = first.startsWith("@") ? (second === undefined ? null : `${first}/${second}`) : first;
  return found !== null && readSpec(found.toLowerCase()) !== null ? found : null;
}
