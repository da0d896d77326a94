import fc from "fast-check";
import { expect, it } from "vitest";
import { parseBytes } from "./decode.js";
import { parseNotebook } from "./parse.js";

it("reads UTF-8 as the parser reads its text, U+FFFD and a BOM included", () => {
  for (const text of [`// %% id="a"\n"caf\u00e9 \uFFFD \u{1F600}"\n`, `\uFEFF// %% id="a"\n1\n`, ""]) {
    expect(parseBytes(Buffer.from(text))).toEqual({ ...parseNotebook(text), text });
  }
});

it("calls bytes broken that are not UTF-8, with the line", () => {
  const latin = Buffer.from(`// %% id="a"\n"caf\u00e9"\n`, "latin1");
  expect(parseBytes(latin)).toMatchObject({ broken: expect.stringMatching(/^line 2: .*not UTF-8/), source: { cells: [{ id: "file" }] } });
});

it("never calls a file sound whose text would not give its bytes again", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const { broken, text } = parseBytes(bytes);
      if (broken === null) expect(Buffer.from(text).equals(Buffer.from(bytes))).toBe(true);
    }),
  );
});
