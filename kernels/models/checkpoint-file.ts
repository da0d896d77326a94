/** Checkpoints of a cell's training in a file of its workspace: written beside and renamed, so that a kill leaves the old one or the new one. */
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CheckpointStore } from "./checkpoint.js";

/** `place` says whose training it is, `of` what is trained on what: a file of the same place with another content is ignored and replaced. */
export function fileCheckpoint(workspace: string, place: string[], of: unknown): CheckpointStore {
  const digest = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 32);
  const folder = join(workspace, ".touchstone/checkpoints");
  const file = join(folder, `${digest(place.join("\0"))}.bin`);
  return {
    key: digest(JSON.stringify(of)),
    load: () => readFile(file).catch(() => null),
    async save(bytes) {
      await mkdir(folder, { recursive: true });
      const part = `${file}.${process.pid}.part`;
      await writeFile(part, bytes);
      await rename(part, file);
    },
    clear: () => rm(file, { force: true }),
  };
}
