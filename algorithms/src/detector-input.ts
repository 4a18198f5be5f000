/**
 * Which size a detector's input has for a picture: the model's own, or where the model takes any size, the one that the
 * options ask for.
 */
import type { AlgorithmContext } from '@stream-infer/algorithm';
import { SIZE_MULTIPLE } from './families/detection-grid.ts';
import type { ImageInput } from './families/family.ts';
import type { OnnxDetectorOptions } from './onnx-detector-options.ts';
import { optionFault } from './options.ts';
import { type Placement, placeByLongSide, placeInto, type ResizeMode, type Size } from './preprocess/placement.ts';

const DEFAULT_LONG_SIDE = 640;

/** Places pictures into the input. Fault: ALGORITHM_OPTIONS where the size asked for is not one the model takes. */
export function placementRule(
  input: ImageInput,
  resize: ResizeMode,
  inputSize: OnnxDetectorOptions['inputSize'],
  context: AlgorithmContext,
): (picture: Size) => Placement {
  const asked =
    inputSize?.width !== undefined && inputSize.height !== undefined
      ? { width: inputSize.width, height: inputSize.height }
      : null;
  if (input.size !== null) {
    const { size } = input;
    const same = asked !== null && asked.width === size.width && asked.height === size.height;
    if (inputSize !== undefined && !same) {
      throw optionFault(
        context,
        `inputSize is ${JSON.stringify(inputSize)}: it must be left out, as the model takes ${size.width}x${size.height} only`,
      );
    }
    return (picture) => placeInto(size, picture, resize);
  }
  if (asked !== null) {
    if (asked.width % SIZE_MULTIPLE !== 0 || asked.height % SIZE_MULTIPLE !== 0) {
      throw optionFault(
        context,
        `inputSize is ${asked.width}x${asked.height}: it must be multiples of ${SIZE_MULTIPLE}`,
      );
    }
    return (picture) => placeInto(asked, picture, resize);
  }
  const longSide = inputSize?.longSide ?? DEFAULT_LONG_SIDE;
  return (picture) => placeByLongSide(longSide, SIZE_MULTIPLE, picture, resize === 'stretch' ? 'letterbox' : resize);
}
