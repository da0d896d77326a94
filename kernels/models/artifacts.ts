/** A layers model as the parts that a version keeps, with names that do not depend on what else was built before. */
import type { LayersModel, io } from "@tensorflow/tfjs";
import type { Tf } from "../tensors/backend.js";
import type { ModelParts } from "./version.js";

/** Topology, weight specs and weights of a model. */
export async function saveModel(tf: Tf, model: LayersModel): Promise<ModelParts & { weightData: ArrayBuffer }> {
  let artifacts: io.ModelArtifacts | null = null;
  await model.save(
    tf.io.withSaveHandler(async (saved) => {
      artifacts = saved;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
    }),
  );
  const { modelTopology, weightSpecs, weightData } = artifacts! as io.ModelArtifacts;
  return { modelTopology, weightSpecs: weightSpecs ?? [], weightData: tf.io.CompositeArrayBuffer.join(weightData ?? new ArrayBuffer(0)) };
}

/** The model of such parts. */
export function loadModel(tf: Tf, { modelTopology, weightSpecs, weightData }: ModelParts): Promise<LayersModel> {
  return tf.loadLayersModel(
    tf.io.fromMemory({ modelTopology: modelTopology as object, weightSpecs: weightSpecs as never, weightData: weightData as ArrayBuffer }),
  );
}

/**
 * Renames layers to their class and place ("dense_1"): TFJS counts them over the life of the process ("dense_Dense37"), and the same model must
 * always have the same bytes. Names that a person gave are kept.
 */
export function canonical<P extends ModelParts>(parts: P): P {
  const names = new Map<string, string>();
  const counts = new Map<string, number>();
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(walk);
    if (typeof value !== "object" || value === null) return;
    const { class_name: type, config } = value as { class_name?: unknown; config?: { name?: unknown } };
    if (typeof type === "string" && typeof config?.name === "string" && /_[A-Z]\w*\d+$/.test(config.name) && !names.has(config.name)) {
      const n = (counts.get(type) ?? 0) + 1;
      counts.set(type, n);
      names.set(config.name, `${type.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toLowerCase()}_${n}`);
    }
    Object.values(value).forEach(walk);
  };
  walk(parts.modelTopology);
  if (names.size === 0) return parts;
  const rename = (text: string): string => {
    const [head, ...rest] = text.split("/");
    const to = names.get(head ?? "");
    return to === undefined ? text : [to, ...rest].join("/");
  };
  const copy = (value: unknown): unknown =>
    typeof value === "string"
      ? rename(value)
      : Array.isArray(value)
        ? value.map(copy)
        : typeof value === "object" && value !== null
          ? Object.fromEntries(Object.entries(value).map(([key, inside]) => [key, copy(inside)]))
          : value;
  return { ...parts, modelTopology: copy(parts.modelTopology), weightSpecs: copy(parts.weightSpecs) as unknown[] };
}
