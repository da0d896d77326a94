import { expect, it } from "vitest";
import { actionFor, actions } from "./actions.js";
import { keyOf, reserved, sequencer } from "./keys.js";

const press = (key: string, more: Partial<{ ctrlKey: boolean; metaKey: boolean; shiftKey: boolean; altKey: boolean; code: string }> = {}) =>
  keyOf({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...more });

it("has no two actions on one key in one place, and none on a key that browsers keep", () => {
  const overlap = {
    anywhere: ["anywhere", "outside", "cells", "editor", "selected"],
    outside: ["anywhere", "outside", "selected"],
    cells: ["anywhere", "cells", "editor", "selected"],
    editor: ["anywhere", "cells", "editor"],
    selected: ["anywhere", "outside", "cells", "selected"],
  };
  const clashes: string[] = [];
  for (const a of actions) {
    for (const key of a.keys) {
      if (key.split(" ").some((part) => reserved.has(part))) clashes.push(`${a.name} takes ${key}, which browsers keep`);
      for (const b of actions)
        if (a !== b && b.keys.some((other) => other === key || other.startsWith(`${key} `)) && overlap[a.where].includes(b.where))
          clashes.push(`${a.name} and ${b.name}: ${key}`);
    }
  }
  expect(clashes).toEqual([]);
  expect(new Set(actions.map((action) => action.name)).size).toBe(actions.length);
});

it("never acts on letters while text is edited", () => {
  for (const key of "abcdefghijklmnopqrstuvwxyz/?[]".split(""))
    for (const focus of ["text", "editor"] as const) expect(actionFor(key, focus, true, true)).toBe(null);
  expect(actionFor("a", "cell", true, true)?.name).toBe("insert-above");
  expect(actionFor("a", "cell", true, false)).toBe(null);
  expect(actionFor("Shift+Enter", "editor", true, true)?.name).toBe("run-next");
});

it("names keys the same on every layout", () => {
  expect(press("Enter", { shiftKey: true })).toBe("Shift+Enter");
  expect(press("K", { ctrlKey: true, shiftKey: true })).toBe("Mod+Shift+k");
  expect(press("?", { shiftKey: true })).toBe("?");
  expect(press("D", { shiftKey: true })).toBe("Shift+d");
  expect(press("Shift", { shiftKey: true })).toBe(null);
  expect(press("…", { ctrlKey: true, altKey: true, code: "Period" })).toBe("Mod+Alt+.");
  expect(keyOf({ key: "k", ctrlKey: false, metaKey: true, shiftKey: false, altKey: false }, true)).toBe("Mod+k");
});

it("reads sequences, and lets a pause break them", () => {
  let now = 0;
  const feed = sequencer(() => now);
  const known = new Set(["d d", "g h", "h"]);
  expect([feed("d", known), feed("d", known), feed("d", known)]).toEqual([null, "d d", null]);
  now += 2000;
  expect(feed("d", known)).toBe(null);
  expect([feed("g", known), feed("h", known), feed("h", known)]).toEqual([null, "g h", "h"]);
});
