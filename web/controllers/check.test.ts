import { expect, it } from "vitest";
import { definitions } from "../../kernels/cells/definitions.js";
import type { CallField } from "../../kernels/protocol/document.js";
import { schemaErrors } from "./check.js";

const schema = (kind: string) => definitions.find((definition) => definition.kind === kind)!.schema;
const is = (path: string, value: string | number | boolean): CallField => ({ path, value: { type: "literal", value } });

it("says what the run would say, under the field that is wrong and under no other", () => {
  const fields = [
    is("name", "My Model"),
    is("budget.p99Ms", -1),
    is("budget.bytes", 100),
    { path: "model", value: { type: "name" as const, name: "m" } },
  ];
  const errors = schemaErrors(schema("promote"), fields);
  expect([...errors.keys()].sort()).toEqual(["budget.p99Ms", "name"]);
  expect(errors.get("budget.p99Ms")).toBe("Expected `budget.p99Ms` to be above 0");
});

it("is silent on what is missing and on what only a run can know", () => {
  for (const definition of definitions) expect(schemaErrors(definition.schema, []).size).toBe(0);
  const list: CallField = { path: "students", value: { type: "list", items: [{ type: "name", name: "sizes" }] } };
  expect(schemaErrors(schema("distill"), [list]).size).toBe(0);
  expect(schemaErrors(schema("distill"), [{ ...list, value: { type: "list", items: [{ type: "literal", value: "big" }] } }]).has("students")).toBe(
    true,
  );
});
