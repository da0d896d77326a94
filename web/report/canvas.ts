/** As much of a canvas as Plotly's heatmaps need: filled rectangles and pixels, given as a PNG. */
import { PNG } from "pngjs";

/** "rgba(1, 2, 3, 0.5)", "rgb(1,2,3)" or "#010203" as four bytes. */
function colourOf(text: string): [number, number, number, number] {
  const hex = /^#([0-9a-f]{6})$/i.exec(text.trim());
  if (hex) return [...Buffer.from(hex[1]!, "hex"), 255] as [number, number, number, number];
  const [r = 0, g = 0, b = 0, a = 1] = (text.match(/[\d.]+/g) ?? []).map(Number);
  return [r, g, b, Math.round(a * 255)];
}

interface Canvas {
  width: number;
  height: number;
}

/** Lets the canvases of a window be painted. */
export function painted(window: { HTMLCanvasElement: { prototype: object } }): void {
  const sheets = new WeakMap<Canvas, Uint8Array>();
  const sheetOf = (canvas: Canvas): Uint8Array => {
    const size = canvas.width * canvas.height * 4;
    let sheet = sheets.get(canvas);
    if (sheet?.length !== size) sheets.set(canvas, (sheet = new Uint8Array(size)));
    return sheet;
  };
  Object.assign(window.HTMLCanvasElement.prototype, {
    getContext(this: Canvas) {
      const paint = (x: number, y: number, colour: ArrayLike<number>) => {
        if (x >= 0 && y >= 0 && x < this.width && y < this.height) sheetOf(this).set(colour, (y * this.width + x) * 4);
      };
      return {
        fillStyle: "#000000",
        fillRect(left: number, top: number, width: number, height: number) {
          const colour = colourOf(this.fillStyle);
          for (let y = Math.round(top); y < Math.round(top + height); y++)
            for (let x = Math.round(left); x < Math.round(left + width); x++) paint(x, y, colour);
        },
        createImageData: (width: number, height: number) => ({ width, height, data: new Uint8ClampedArray(width * height * 4) }),
        putImageData(image: { width: number; height: number; data: Uint8ClampedArray }, left: number, top: number) {
          for (let y = 0; y < image.height; y++)
            for (let x = 0; x < image.width; x++)
              paint(left + x, top + y, image.data.subarray((y * image.width + x) * 4, (y * image.width + x + 1) * 4));
        },
      };
    },
    toDataURL(this: Canvas) {
      const picture = new PNG({ width: this.width, height: this.height });
      picture.data.set(sheetOf(this));
      return `data:image/png;base64,${PNG.sync.write(picture).toString("base64")}`;
    },
  });
}
