/** A file's name as the name of a variable. */
const reserved = new Set(
  "await break case catch class const continue debugger default delete do else enum export extends false finally for function if implements import in instanceof interface let new null package private protected public return static super switch this throw true try typeof var void while with yield sql csv file relation database".split(
    " ",
  ),
);

/** "data/2024 Sales (EU).csv" -> "sales_eu"; never a word of the language, never one of `taken`. */
export function plainName(path: string, taken: ReadonlySet<string>): string {
  const stem = (path.split("/").at(-1) ?? "").replace(/\.[a-z0-9]+$/i, "");
  const words = stem
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^[_0-9]+|_+$/g, "");
  const base = words === "" || reserved.has(words) ? `${words || "data"}_file`.replace(/^data_file$/, "rows") : words;
  for (let i = 1; ; i++) {
    const name = i === 1 ? base : `${base}${i}`;
    if (!taken.has(name)) return name;
  }
}
