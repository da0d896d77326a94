import { describe, expect, it } from "vitest";
import { analyse } from "../../kernels/reactive/references.js";
import { plainName } from "./names.js";
import { cellFor, Uploads, type Request } from "./upload.js";

function fake() {
  const made: (Request & { sent: unknown; url: string })[] = [];
  const make = (): Request => {
    const request = {
      ...{ status: 0, responseText: "", sent: null as unknown, url: "" },
      ...{ upload: { onprogress: null }, onload: null, onerror: null, onabort: null },
      open(_: string, url: string) {
        request.url = url;
      },
      send(body: unknown) {
        request.sent = body;
      },
      abort() {
        (request.onabort as unknown as () => void)();
      },
    };
    made.push(request as never);
    return request as never;
  };
  return { made, make };
}
const file = (name: string, size = 10) => ({ name, size }) as File;

describe("uploads", () => {
  it("tell how much is sent and end with the path", async () => {
    const { made, make } = fake();
    let changes = 0;
    const uploads = new Uploads(() => changes++, make);
    const done = uploads.add(file("a b.csv", 100), "flights");
    expect(made[0]!.url).toBe("/api/ts/files?workspace=flights&name=a+b.csv");
    made[0]!.upload.onprogress!({ loaded: 40 } as ProgressEvent);
    expect(uploads.list).toMatchObject([{ name: "a b.csv", bytes: 100, sent: 40, failure: null }]);
    Object.assign(made[0]!, { status: 201, responseText: '{"path":"data/a b.csv","bytes":100}' });
    made[0]!.onload!({} as ProgressEvent);
    expect(await done).toBe("data/a b.csv");
    expect(uploads.list).toEqual([]);
    expect(changes).toBeGreaterThan(2);
  });
  it("keep what failed with the server's sentence until it is put away", async () => {
    const { made, make } = fake();
    const uploads = new Uploads(() => {}, make);
    const done = uploads.add(file("x.exe"), "w");
    Object.assign(made[0]!, { status: 415, responseText: '{"error":{"message":"x.exe is of no kind"}}' });
    made[0]!.onload!({} as ProgressEvent);
    expect(await done).toBeNull();
    expect(uploads.list[0]!.failure).toBe("x.exe is of no kind");
    uploads.forget(uploads.list[0]!);
    const lost = uploads.add(file("y.csv"), "w");
    made[1]!.onerror!({} as ProgressEvent);
    expect(await lost).toBeNull();
    expect(uploads.list[0]!.failure).toContain("connection was lost");
  });
  it("can be cancelled", async () => {
    const { make } = fake();
    const uploads = new Uploads(() => {}, make);
    const done = uploads.add(file("a.csv"), "w");
    uploads.list[0]!.cancel();
    expect(await done).toBeNull();
    expect(uploads.list).toEqual([]);
  });
});

describe("the cell that reads a file", () => {
  it.each([
    ["data/2024 Sales (EU).csv", "sales_eu"],
    ["data/class.csv", "class_file"],
    ["data/日本.csv", "rows"],
    ["data/123.csv", "rows"],
    ["data/a.csv.gz", "a_csv"],
    ["data/flights.parquet", "flights2"],
  ])("%s is named %s", (path, name) => {
    expect(plainName(path, new Set(["flights"]))).toBe(name);
  });
  it.each(["data/it's `odd` ${x}.csv", "data/a.csv", "data/shop.duckdb"])("of %s parses and reads it", (path) => {
    const { kind, source } = cellFor(path, new Set());
    const found = analyse({ id: "c", kind, source });
    expect(found.problems ?? []).toEqual([]);
    expect(found.defines).toHaveLength(1);
  });
});
