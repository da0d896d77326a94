import fc from "fast-check";
import { expect, it } from "vitest";
import { hrefOf, notebookHref, parseRoute, type Route } from "./routes.js";

const word = fc.string({ minLength: 1, unit: "grapheme" }).filter((text) => !text.includes("/") && text !== "." && text !== "..");

it("reads every address that it writes", () => {
  const routes: fc.Arbitrary<Route> = fc.oneof(
    fc.constant({ page: "home" } as const),
    fc.constant({ page: "models" } as const),
    fc.constant({ page: "settings" } as const),
    fc.constant({ page: "review" } as const),
    fc.record({ page: fc.constant("queue" as const), workspace: fc.oneof(word, fc.constantFrom(".", "~")), queue: word }),
    fc.record({ page: fc.constant("model" as const), name: word }),
    fc.record({ page: fc.constant("live" as const), name: word }),
    fc.record({ page: fc.constant("version" as const), name: word, version: fc.integer({ min: 1, max: 1e6 }) }),
    fc.record({
      page: fc.constant("notebook" as const),
      workspace: fc.oneof(word, fc.constantFrom(".", "~")),
      path: fc.array(word, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/")),
      cell: fc.option(word),
    }),
  );
  fc.assert(
    fc.property(routes, (route) => {
      const url = new URL(hrefOf(route), "http://h");
      expect(parseRoute(url.pathname, url.hash)).toEqual(route);
    }),
  );
});

it("says what it does not know", () => {
  for (const path of ["/review/a", "/review/a/b/c", "/models/a/v/0", "/models/a/v/x", "/w/ws", "/models/a/b/c/d", "/%E0%A4%A"])
    expect(parseRoute(path).page, path).toBe("missing");
});

it("names notebooks by workspace and path", () => {
  expect(notebookHref("workspaces/flights/late.nb.ts")).toBe("/w/flights/n/late.nb.ts");
  expect(notebookHref("flights/a b/c.nb.ts", "t1")).toBe("/w/flights/n/a%20b/c.nb.ts#cell=t1");
  // one beside the workspaces, in the folder that the server was started in
  expect(notebookHref("a.nb.ts")).toBe("/w/~/n/a.nb.ts");
  expect(new URL(notebookHref("a.nb.ts"), "http://h").pathname).toBe("/w/~/n/a.nb.ts");
  expect(parseRoute("/w/~/n/a.nb.ts")).toMatchObject({ workspace: ".", path: "a.nb.ts" });
});
