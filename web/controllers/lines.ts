/** Two texts line by line: what is the same, what went, what came. Pure. */
export interface DiffLine {
  sign: " " | "-" | "+";
  text: string;
}

/** More cells of the table than this are not compared: the middle is then replaced as a whole. */
const most = 4_000_000;

/** A longest common subsequence of lines; removed lines stand before added ones. */
export function diffLines(before: string, after: string): DiffLine[] {
  const a = before === "" ? [] : before.split("\n");
  const b = after === "" ? [] : after.split("\n");
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const same = (lines: string[]): DiffLine[] => lines.map((text) => ({ sign: " ", text }));
  const middle = between(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
  return [...same(a.slice(0, head)), ...middle, ...same(a.slice(a.length - tail))];
}

function between(a: string[], b: string[]): DiffLine[] {
  const gone = (text: string): DiffLine => ({ sign: "-", text });
  const come = (text: string): DiffLine => ({ sign: "+", text });
  if (a.length * b.length > most) return [...a.map(gone), ...b.map(come)];
  const width = b.length + 1;
  const longest = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      longest[i * width + j] =
        a[i] === b[j] ? longest[(i + 1) * width + j + 1]! + 1 : Math.max(longest[(i + 1) * width + j]!, longest[i * width + j + 1]!);
  const out: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length)
    if (a[i] === b[j]) {
      out.push({ sign: " ", text: a[i]! });
      i++;
      j++;
    } else if (longest[(i + 1) * width + j]! >= longest[i * width + j + 1]!) out.push(gone(a[i++]!));
    else out.push(come(b[j++]!));
  return [...out, ...a.slice(i).map(gone), ...b.slice(j).map(come)];
}

/** Runs of equal lines longer than `around` on either side become one line that says how many there are. */
export function folded(lines: readonly DiffLine[], around = 3): (DiffLine | { skipped: number })[] {
  const near = lines.map((_, i) => lines.slice(Math.max(0, i - around), i + around + 1).some((line) => line.sign !== " "));
  const out: (DiffLine | { skipped: number })[] = [];
  for (const [i, line] of lines.entries()) {
    const last = out.at(-1);
    if (near[i]) out.push(line);
    else if (last !== undefined && "skipped" in last) last.skipped++;
    else out.push({ skipped: 1 });
  }
  return out;
}
