import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { callOf, curl, pythonCode, readField, sameAnswer } from "./calls.js";

it("quotes a body so that a shell gives it back byte for byte", () => {
  const record = { text: 'it\'s $HOME `x` "q" \\ é', n: 1.5, none: null, yes: true };
  const command = curl(callOf("http://127.0.0.1:1", "m", record));
  const given = execFileSync("sh", ["-c", command.replace("curl -s", "printf '%s\\n'")], { encoding: "utf8" }).split("\n");
  expect(JSON.parse(given[4]!)).toEqual({ instances: [record] });
  expect(pythonCode(callOf("http://h", "m", { a: null, b: [true] }))).toContain('json.dumps({"instances": [{"a": None, "b": [True]}]})');
});

it("reads fields by their type", () => {
  const field = (type: "double" | "boolean" | "bigint" | "string" | "double[]") => ({ name: "x", type, nullable: true });
  expect([
    readField(field("double"), " 1.5 "),
    readField(field("boolean"), "true"),
    readField(field("bigint"), "9007199254740993"),
    readField(field("string"), " a"),
    readField(field("double[]"), "[1,2]"),
    readField(field("double"), ""),
  ]).toEqual([1.5, true, "9007199254740993", " a", [1, 2], null]);
});

it("compares answers within float32", () => {
  expect(sameAnswer([0.1234567], 0.1234568)).toBe(true);
  expect(sameAnswer([[0.1, 0.9]], [0.1, 0.9])).toBe(true);
  expect(sameAnswer([0.2], 0.1)).toBe(false);
  expect(sameAnswer([], [])).toBe(false);
});
