import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testEngine, type TestEngine } from "../../test/support/data.js";
import { decodeImage, loadDecoder } from "./image.js";
import { relationOfValues } from "./values.js";
import { sqlText } from "./sql.js";

interface Case {
  name: string;
  bytes: string;
  rgb: number[];
  grey: number[];
  small: number[];
  large: number[];
}
const reference = JSON.parse(readFileSync(new URL("pictures/reference.json", import.meta.url), "utf8")) as {
  width: number;
  height: number;
  cases: Case[];
};
const { width, height, cases } = reference;
const bytesOf = (one: Case): Uint8Array => Uint8Array.from(Buffer.from(one.bytes, "base64"));
const named = (name: string): Uint8Array => bytesOf(cases.find((one) => one.name === name)!);

let t: TestEngine;
beforeAll(() => void (t = testEngine({ tensor: (values, rows, wide) => ({ values: Array.from(values), rows, width: wide }) as never })));
afterAll(() => t.close());

const furthest = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length);
  return Array.from(a, (v, i) => Math.abs(v - b[i]!)).reduce((most, one) => Math.max(most, one), 0);
};

describe("a picture is what Pillow makes of it", () => {
  it.each(cases)("$name", async (one) => {
    const decode = await loadDecoder();
    const bytes = bytesOf(one);
    const colour = decodeImage(decode, bytes, {});
    expect([colour.width, colour.height]).toEqual([width, height]);
    // decoders of JPEG round differently; at half the colours libjpeg smooths between them
    const allowed = one.name.startsWith("PNG") ? 0 : one.name.includes("half") ? 12 : 2;
    expect(furthest(colour.data, one.rgb)).toBeLessThanOrEqual(allowed);
    expect(furthest(decodeImage(decode, bytes, { channels: 1 }).data, one.grey)).toBeLessThanOrEqual(allowed);
    // Pillow rounds after each of the two directions
    expect(furthest(decodeImage(decode, bytes, { size: [5, 7] }).data, one.small)).toBeLessThanOrEqual(allowed + 1);
    expect(furthest(decodeImage(decode, bytes, { size: [12, 16], channels: 1 }).data, one.large)).toBeLessThanOrEqual(allowed + 1);
  });
});

describe("relation.images", () => {
  const table = (images: (Uint8Array | null)[]) =>
    relationOfValues<{ id: number; image: Uint8Array | null; big: bigint }>(t.engine, {
      id: images.map((_, i) => i),
      image: images,
      big: images.map((_, i) => 2n ** 60n + BigInt(i)),
    } as never);

  it("replaces the bytes by pixels and keeps the rest, in its order", async () => {
    const decoded = table([named("PNG, colour"), null, named("PNG, grey")]).images("image", { channels: 1, size: [9, 13] });
    const rows = await decoded.rows();
    expect(rows.map(({ id, big }) => [id, big])).toEqual([
      [0, 2n ** 60n],
      [1, 2n ** 60n + 1n],
      [2, 2n ** 60n + 2n],
    ]);
    expect(Array.from(rows[0]!.image!)).toEqual(cases[0]!.grey);
    expect(rows[1]!.image).toBeNull();
    expect(Array.from(rows[2]!.image!)).toEqual(cases[1]!.grey);
    expect((await decoded.schema()).map(({ type }) => type)).toEqual(["INTEGER", "BLOB", "BIGINT"]);
  });

  it("of files makes a tensor", async () => {
    cases.slice(0, 3).forEach((one, i) => writeFileSync(join(t.folder, `picture-${i}.png`), bytesOf(one)));
    const files = sqlText<{ filename: string; content: Uint8Array }>(
      t.engine,
      "select filename, content from read_blob('picture-*.png') order by filename",
    );
    const tensor = (await files.images("content", { channels: 3 }).tensor(["content"])) as unknown as {
      values: number[];
      rows: number;
      width: number;
    };
    expect([tensor.rows, tensor.width]).toEqual([3, width * height * 3]);
    expect(tensor.values).toEqual(cases.slice(0, 3).flatMap((one) => one.rgb));
  });

  it("keeps a thousand rows beside their pictures, of the same name for the same content", async () => {
    const images = Array.from({ length: 1000 }, (_, i) => bytesOf(cases[i % 4]!));
    const decoded = table(images).where("id % 3 <> 1").images("image");
    for (const { id, image } of await decoded.rows()) expect(image).toEqual(Uint8Array.from(cases[id % 4]!.rgb));
    expect(await decoded.count()).toBe(667);
    expect(await decoded.hash()).toBe(await table(images).where("id % 3 <> 1").images("image").hash());
    expect(await decoded.hash()).not.toBe(await table(images).where("id % 3 <> 1").images("image", { channels: 1 }).hash());
    expect(await table([null, null]).where("true").count()).toBe(2);
  });

  it.each([
    ["no picture", [Uint8Array.of(1, 2, 3, 4, 5)], {}, "column `image`, row 1: the image is no PNG or JPEG: it begins with the bytes 01 02 03 04"],
    ["another kind", [Uint8Array.from(Buffer.from("GIF89a......"))], {}, "row 1: the image is of the kind image/gif; PNG and JPEG can be read"],
    ["a torn PNG", [named("PNG, colour").subarray(0, 60)], {}, "row 1: the image cannot be decoded"],
    ["a torn JPEG", [named("JPEG").subarray(0, 200)], {}, "row 1: the image cannot be decoded"],
    [
      "a bomb",
      [Uint8Array.from([...named("PNG, colour").subarray(0, 16), 0, 1, 0, 0, 0, 1, 0, 0, ...named("PNG, colour").subarray(24)])],
      {},
      "row 1: the image has 4,294,967,296 pixels",
    ],
    ["a wrong size", [named("PNG, colour")], { size: [0, 3] }, "Expected `size` to be [height, width]"],
    ["wrong channels", [named("PNG, colour")], { channels: 2 }, "Expected `channels` to be 1 (grey) or 3 (colour), got 2"],
  ])("refuses %s", async (_, images, options, message) => {
    await expect(
      (async () =>
        table(images as Uint8Array[])
          .images("image", options as never)
          .rows())(),
    ).rejects.toThrow(message);
  });

  it("refuses pictures of several sizes unless one is said, and a column of something else", async () => {
    const decode = await loadDecoder();
    const { PNG } = await import("pngjs");
    const other = PNG.sync.write(Object.assign(new PNG({ width: 4, height: 3 }), {}));
    expect(decodeImage(decode, other, {}).width).toBe(4);
    const mixed = table([named("PNG, colour"), new Uint8Array(other)]);
    await expect(mixed.images("image").rows()).rejects.toThrow("the image in row 2 has 4 x 3 pixels, those before it 13 x 9: say { size: [9, 13] }");
    expect((await mixed.images("image", { size: [2, 2] }).rows()).map(({ image }) => image!.length)).toEqual([12, 12]);
    await expect(mixed.images("id" as never).rows()).rejects.toThrow("column `id` is INTEGER, and pictures are bytes (BLOB)");
  });
});
