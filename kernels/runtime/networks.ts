/** A tf.LayersModel that a person built: written with how it was compiled, and read again. */
import type { io, LayersModel } from "@tensorflow/tfjs";
import { canonical } from "../models/artifacts.js";
import type { Tf } from "../tensors/backend.js";

export type KeptNetwork = Pick<io.ModelArtifacts, "modelTopology" | "weightSpecs" | "weightData" | "trainingConfig" | "userDefinedMetadata">;

/** What TensorFlow.js writes of a network, its optimiser's state with it. Rejects where it cannot: a loss that is a function. */
export async function keepNetwork(tf: Tf, model: LayersModel): Promise<KeptNetwork> {
  // it would be written as none
  for (const part of ["loss", "metrics"] as const)
    if ([model[part] ?? []].flat().some((each) => typeof each !== "string")) throw new Error(`its \`${part}\` is not given by name`);
  let kept: KeptNetwork = {};
  const handler = tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData, trainingConfig, userDefinedMetadata }) => {
    kept = {
      ...{ modelTopology, weightSpecs, weightData: tf.io.CompositeArrayBuffer.join(weightData ?? new ArrayBuffer(0)) },
      ...(trainingConfig && { trainingConfig }),
      ...(userDefinedMetadata && { userDefinedMetadata }),
    };
    return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
  });
  await model.save(handler, { includeOptimizer: true });
  return kept;
}

export const readNetwork = (tf: Tf, kept: KeptNetwork): Promise<LayersModel> => tf.loadLayersModel(tf.io.fromMemory(kept as never));

/** Its content: the layers are named by their place, as they are counted over the life of the process. */
export async function contentOfNetwork(tf: Tf, model: LayersModel): Promise<unknown> {
  const { modelTopology, weightSpecs, weightData, trainingConfig } = await keepNetwork(tf, model);
  const named = canonical({ modelTopology, weightSpecs: weightSpecs ?? [], weightData: weightData as ArrayBuffer });
  return { topology: JSON.stringify(named.modelTopology), specs: JSON.stringify(named.weightSpecs), weights: named.weightData, trainingConfig };
}
