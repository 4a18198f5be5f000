/** Whether this machine can be expected to run models on a GPU. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** ONNX Runtime's CUDA library is no part of its package; where it has been put there, a GPU may be had. */
export const hasCuda = existsSync(
  join(
    import.meta.dirname,
    '../../algorithms/node_modules/onnxruntime-node/bin/napi-v6',
    process.platform,
    process.arch,
    'libonnxruntime_providers_cuda.so',
  ),
);
