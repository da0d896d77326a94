/** Which stacks may be cut: those with user or library code on them. Node's own work on sockets, timers and messages is never cut. */
import { ownFile } from "./own.js";

export interface Frame {
  /** null: a builtin */
  file: string | null;
  evaluated: boolean;
  name: string | null;
}

/**
 * `frames` from the innermost. `patient`: wait for a moment at which neither Node's own code is innermost, for example the list of timers while a package adds one,
 * nor WebAssembly, whose heap a cut may leave half changed.
 * The kernel's files alone make a library call where it goes on after an await; below an event of Node's they are the kernel at work.
 */
export function cuttable(frames: readonly Frame[], patient: boolean): boolean {
  const inner = frames.find(({ file, evaluated }) => evaluated || file !== null);
  if (patient && inner !== undefined && !inner.evaluated && /^(node|wasm):/.test(inner.file!)) return false;
  if (frames.some(({ file, evaluated }) => evaluated || (file !== null && !file.startsWith("node:") && !ownFile(file)))) return true;
  const files = frames.filter(({ file }) => file !== null);
  const last = files.findLastIndex(({ file }) => !file!.startsWith("node:"));
  const caller = files[last + 1];
  return last >= 0 && (caller === undefined || caller.name === "processTicksAndRejections");
}

/** As many as are looked at: a deeper stack is a recursion of the user's. */
const most = 200;

/** The frames of the caller's caller and below; null when they cannot be read. */
export function framesHere(skip: number): { frames: Frame[]; more: boolean } | null {
  const limit = Error.stackTraceLimit;
  const before = Object.getOwnPropertyDescriptor(Error, "prepareStackTrace");
  try {
    Error.stackTraceLimit = most;
    // the cell may have one of its own
    Object.defineProperty(Error, "prepareStackTrace", { value: (_: Error, sites: NodeJS.CallSite[]) => sites, configurable: true, writable: true });
    const holder: { stack?: NodeJS.CallSite[] } = {};
    Error.captureStackTrace(holder);
    const sites = holder.stack!;
    return {
      frames: sites.slice(skip).map((site) => ({ file: site.getFileName() || null, evaluated: site.isEval(), name: site.getFunctionName() })),
      more: sites.length === most,
    };
  } catch {
    return null;
  } finally {
    Error.stackTraceLimit = limit;
    if (before) Object.defineProperty(Error, "prepareStackTrace", before);
    else delete (Error as { prepareStackTrace?: unknown }).prepareStackTrace;
  }
}
