/** Types of `import { baseline } from "touchstone"` (package.json `exports`); nothing of it is left at run time: a script gets dist/library.js, a cell its own library. */
import type { Library } from "../protocol/library.js";
import type { Relation } from "../protocol/values.js";

export type * from "../protocol/inputs.js";
export type * from "../protocol/library.js";
export type * from "../protocol/values.js";
export * as f from "../models/f.js";

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- SQL has no schema before it has run: its rows are open records
export declare const sql: <R extends object = Record<string, any>>(text: TemplateStringsArray, ...values: unknown[]) => Relation<R>;
export declare const relation: Library["relation"];
export declare const csv: Library["csv"];
export declare const database: Library["database"];
export declare const file: Library["file"];
export declare const log: Library["log"];
export declare const display: Library["display"];
export declare const view: Library["view"];
export declare const input: Library["input"];
export declare const html: Library["html"];
export declare const md: Library["md"];
export declare const svg: Library["html"];
export declare const features: Library["features"];
export declare const ensemble: Library["ensemble"];
export declare const baseline: Library["baseline"];
export declare const train: Library["train"];
export declare const distill: Library["distill"];
export declare const abTest: Library["abTest"];
export declare const drift: Library["drift"];
export declare const promote: Library["promote"];
