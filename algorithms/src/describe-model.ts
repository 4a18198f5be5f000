/** What can be said of an ONNX model without running it: for `stream-infer probe MODEL.onnx`. */
import { Fault } from '@stream-infer/core/fault';
import { FAMILIES, FAMILY_NAMES, type FamilyName } from './families/families.ts';
import type { Family } from './families/family.ts';
import { ModelSession, type ModelSignature, type TensorInfo } from './model-session.ts';

export type ModelDescription = {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  /** The first family of `onnx-detector` whose inputs and outputs these are; null where there is none. */
  readonly likelyFamily: FamilyName | null;
};

/** Loads the model at an absolute path and closes it again. Faults: MODEL_NOT_FOUND, MODEL_CORRUPT. */
export async function describeModel(path: string): Promise<ModelDescription> {
  const session = await ModelSession.open(path, { threads: 1, device: 'cpu' });
  const { signature } = session;
  await session.close();
  return { inputs: signature.inputs, outputs: signature.outputs, likelyFamily: likelyFamily(signature) };
}

export const likelyFamily = (signature: ModelSignature): FamilyName | null =>
  FAMILY_NAMES.find((name) => isReadableBy(FAMILIES[name], signature)) ?? null;

function isReadableBy(family: Family, signature: ModelSignature): boolean {
  try {
    family.check(signature, null);
    return true;
  } catch (error) {
    if (error instanceof Fault) return false;
    throw error;
  }
}
