/** Secrets in what processes print, masked before it is shown or kept. Pure. */
const secretName = /TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|PRIVATE|AUTH|(^|_)(API_?)?KEY$|_KEY_/i;
/** shorter ones are words that stand in any text */
const shortest = 8;

/** `name=value`, `"name": "value"`, `Bearer value`, `//user:value@host` */
const patterns: [RegExp, string][] = [
  [/\b([\w-]*(?:token|secret|passw(?:or)?d|api[_-]?key|access[_-]?key)["']?\s*[=:]\s*["']?)[^\s"'&,;]{4,}/gi, "$1***"],
  [/\b((?:Bearer|Basic)\s+)[\w.~+/=-]{8,}/gi, "$1***"],
  [/(\/\/[^\s:@/]+:)[^\s@/]+(?=@)/g, "$1***"],
];

/** A function that masks the values of variables whose names say that they are secret, `more` of them, and what looks like one. */
export function redactor(env: Readonly<Record<string, string | undefined>>, more: readonly string[] = []): (text: string) => string {
  const named = Object.entries(env).flatMap(([name, value]) => (secretName.test(name) && value !== undefined ? [value] : []));
  // the longest first: one may hold another
  const values = [...new Set([...named, ...more])].filter((value) => value.length >= shortest).sort((a, b) => b.length - a.length);
  return (text) => {
    let masked = text;
    for (const value of values) masked = masked.replaceAll(value, "***");
    for (const [pattern, to] of patterns) masked = masked.replace(pattern, to);
    return masked;
  };
}
