/** Names of relations in SQL. */

/** A name in double quotes. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Qualified name in the notebook's schema. */
export function qualify(name: string): string {
  return `nb.${quote(name)}`;
}

/** Table of the rows of a CSV file that did not fit, beside that of the rows that did; both qualified. */
export function rejectsOf(name: string): string {
  return `${name.slice(0, -1)}!"`;
}

/** The name itself of a qualified one. */
export function bare(qualified: string): string {
  return qualified.slice('nb."'.length, -1).replaceAll('""', '"');
}

/** Is it exactly one qualified, quoted name of the notebook's schema? Names come from the page, so nothing else may reach SQL. */
export function isQualified(name: string): boolean {
  return /^nb\."(?:[^"\0]|"")+"$/.test(name);
}

/** A text as an SQL string. */
export function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
