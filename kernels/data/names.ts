/** Names of relations in SQL. */

/** A name in double quotes. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The name that stands in double quotes. */
export function unquote(quoted: string): string {
  return quoted.slice(1, -1).replaceAll('""', '"');
}

/** A name like `wish` that none of these is, as DuckDB compares names. */
export function unused(wish: string, names: string[]): string {
  const taken = new Set(names.map((name) => name.toLowerCase()));
  let name = wish;
  while (taken.has(name.toLowerCase())) name += "~";
  return name;
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
  return unquote(qualified.slice("nb.".length));
}

/** Is it exactly one qualified, quoted name of the notebook's schema? Names come from the page, so nothing else may reach SQL. */
export function isQualified(name: string): boolean {
  return /^nb\."(?:[^"\0]|"")+"$/.test(name);
}

/** A text as an SQL string. */
export function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

/** words that SQL does not take for a table's name without quotes (DuckDB's reserved ones and those of joins) */
const reserved = new Set(
  "all analyse analyze and anti any array as asc asof asymmetric both case cast check collate column constraint create cross default deferrable desc describe distinct do else end except false fetch for foreign from full glob grant group having ilike in initially inner intersect into is isnull join lambda lateral leading left like limit natural not notnull null offset on only or order outer overlaps pivot pivot_longer pivot_wider placing positional primary qualify references returning right select semi show similar some summarize symmetric table tablesample then to trailing true union unique unpivot using values variadic when where window with".split(
    " ",
  ),
);

export function isReserved(word: string): boolean {
  return reserved.has(word.toLowerCase());
}
