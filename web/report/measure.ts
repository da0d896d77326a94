/** Boxes of SVG for a document without a layout: Plotly asks how large its texts are. Their widths are those of a common sans-serif, on average. */

interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}
type Point = [x: number, y: number];

/** of a letter, in font sizes */
function widthOf(letter: string): number {
  if (/[ .,:;!'|ijltfr()[\]{}/\\]/.test(letter)) return 0.32;
  if (/[mwMW@%]/.test(letter)) return 0.86;
  if (/[A-Z]/.test(letter)) return 0.68;
  // ideographs and pictures are as wide as they are high
  return letter.codePointAt(0)! > 0x2e80 ? 1 : 0.57;
}
export const textWidth = (text: string, size: number): number => [...text].reduce((sum, letter) => sum + widthOf(letter), 0) * size;

const numbers = (text: string): number[] => (text.match(/-?(\d+\.?\d*|\.\d+)(e-?\d+)?/gi) ?? []).map(Number);
const number = (element: Element, name: string): number => Number.parseFloat(element.getAttribute(name) ?? "0") || 0;

/** Where the element's own `transform` moves a point. */
function moved(element: Element, point: Point): Point {
  const steps = [...(element.getAttribute("transform") ?? "").matchAll(/(translate|rotate|scale|matrix)\s*\(([^)]*)\)/g)];
  return steps.reduceRight(([x, y]: Point, [, kind, text]): Point => {
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = numbers(text!);
    if (kind === "translate") return [x + a, y + b];
    if (kind === "scale") return [x * a, y * (numbers(text!).length > 1 ? b : a)];
    if (kind === "matrix") return [a * x + c * y + e, b * x + d * y + f];
    const angle = (a * Math.PI) / 180;
    const [dx, dy] = [x - b, y - c];
    return [b + dx * Math.cos(angle) - dy * Math.sin(angle), c + dx * Math.sin(angle) + dy * Math.cos(angle)];
  }, point);
}

const around = (points: Point[]): Box | null =>
  points.length === 0
    ? null
    : {
        left: Math.min(...points.map(([x]) => x)),
        right: Math.max(...points.map(([x]) => x)),
        top: Math.min(...points.map(([, y]) => y)),
        bottom: Math.max(...points.map(([, y]) => y)),
      };
const corners = ({ left, top, right, bottom }: Box): Point[] => [
  [left, top],
  [right, top],
  [right, bottom],
  [left, bottom],
];

function styleOf(element: Element, name: "font-size" | "text-anchor"): string {
  for (let at: Element | null = element; at !== null; at = at.parentElement) {
    const found = (at as SVGElement).style?.getPropertyValue(name) || at.getAttribute(name);
    if (found) return found;
  }
  return "";
}

/** In the element's own coordinates, before its transform. */
function ownBox(element: Element): Box | null {
  switch (element.localName) {
    case "text":
    case "tspan": {
      const size = Number.parseFloat(styleOf(element, "font-size")) || 12;
      const parts = [...element.querySelectorAll("tspan.line")];
      const lines = (parts.length > 0 ? parts : [element]).map((part) => part.textContent ?? "");
      const width = Math.max(...lines.map((line) => textWidth(line, size)));
      if (width === 0) return null;
      const anchor = styleOf(element, "text-anchor");
      const left = number(element, "x") - (anchor === "middle" ? width / 2 : anchor === "end" ? width : 0);
      const top = number(element, "y") - 0.93 * size;
      return { left, right: left + width, top, bottom: top + (1.18 + 1.3 * (lines.length - 1)) * size };
    }
    case "rect":
    case "image": {
      const [left, top] = [number(element, "x"), number(element, "y")];
      return { left, top, right: left + number(element, "width"), bottom: top + number(element, "height") };
    }
    case "circle": {
      const [x, y, r] = [number(element, "cx"), number(element, "cy"), number(element, "r")];
      return { left: x - r, right: x + r, top: y - r, bottom: y + r };
    }
    case "path":
      return around(pathPoints(element.getAttribute("d") ?? ""));
    case "defs":
    case "clipPath":
    case "style":
      return null;
    default: {
      const boxes = [...element.children].flatMap((child) => {
        const box = (child as SVGElement).style?.display === "none" ? null : ownBox(child);
        return box === null ? [] : corners(box).map((point) => moved(child, point));
      });
      return around(boxes);
    }
  }
}

/** Ends of the steps of a path; those relative to the one before are not among Plotly's. */
function pathPoints(d: string): Point[] {
  const points: Point[] = [];
  let [x, y] = [0, 0];
  for (const [, command, text] of d.matchAll(/([MLHVC])([^A-Za-z]*)/g)) {
    const all = numbers(text!);
    if (command === "H") for (const each of all) points.push([(x = each), y]);
    else if (command === "V") for (const each of all) points.push([x, (y = each)]);
    else for (let i = 0; i + 1 < all.length; i += 2) points.push(([x, y] = [all[i]!, all[i + 1]!]));
  }
  return points;
}

const asRect = (box: Box | null) => {
  const { left, top, right, bottom } = box ?? { left: 0, top: 0, right: 0, bottom: 0 };
  return { left, top, right, bottom, x: left, y: top, width: right - left, height: bottom - top, toJSON: () => null };
};

/** Points of an element as the outermost drawing has them. */
function onPage(element: Element | null, points: Point[]): Point[] {
  if (element === null || element.localName === "svg") return points;
  return onPage(
    element.parentElement,
    points.map((point) => moved(element, point)),
  );
}

/** Gives the elements of a window's documents their boxes. */
export function measured(window: { Element: { prototype: Element }; SVGElement: { prototype: SVGElement } }): void {
  Object.assign(window.Element.prototype, {
    getBoundingClientRect(this: Element) {
      const box = ownBox(this);
      return box === null ? asRect(null) : asRect(around(onPage(this, corners(box))));
    },
  });
  Object.assign(window.SVGElement.prototype, {
    getBBox(this: SVGElement) {
      return asRect(ownBox(this));
    },
    getComputedTextLength(this: SVGElement) {
      return asRect(ownBox(this)).width;
    },
  });
}
