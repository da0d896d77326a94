/** What may be handed to npm: the name of a package of the registry, with a version or not. No flags, paths, URLs or aliases. Pure. */
const spec = /^((?:@[a-z0-9~][a-z0-9._~-]*\/)?[a-z0-9~][a-z0-9._~-]*)(?:@([~^]?\d[\w.+-]*|[a-z][\w.-]*))?$/;

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
