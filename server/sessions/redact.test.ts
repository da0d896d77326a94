import fc from "fast-check";
import { expect, it } from "vitest";
import { redactor } from "./redact.js";

const redact = redactor(
  { NPM_TOKEN: "npm_abcdef123456", AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI", MY_KEY: "0123456789", HOME: "/home/somebody", PASSWORD: "short" },
  ["feedfacefeedface"],
);

it("masks values of secret variables and the server's own token wherever they stand", () => {
  expect(redact("got npm_abcdef123456 and wJalrXUtnFEMI, 0123456789; /?t=feedfacefeedface")).toBe("got *** and ***, ***; /?t=***");
});

it("masks what looks like a secret, and keeps what does not", () => {
  const rows: [string, string][] = [
    ["GET /lab?token=a1b2c3d4&x=1", "GET /lab?token=***&x=1"],
    ['{"api_key": "sk-12345", "rows": 3}', '{"api_key": "***", "rows": 3}'],
    ["Authorization: Bearer eyJhbGciOi.x.y", "Authorization: Bearer ***"],
    ["postgres://ana:hunter22@db:5432/x", "postgres://ana:***@db:5432/x"],
    ["aborted by native code (SIGABRT) at 412 MB of 4.0 GB", "aborted by native code (SIGABRT) at 412 MB of 4.0 GB"],
    ["read /home/somebody/data.csv: 3 tokens, short of memory", "read /home/somebody/data.csv: 3 tokens, short of memory"],
    ["2026-01-01T00:00:00.000Z kernel 12 is ready", "2026-01-01T00:00:00.000Z kernel 12 is ready"],
  ];
  for (const [text, masked] of rows) expect(redact(text)).toBe(masked);
});

it("never lets a secret through, whatever is around it", () => {
  fc.assert(fc.property(fc.string(), fc.string(), (before, after) => !redact(`${before}feedfacefeedface${after}`).includes("feedfacefeedface")));
});
