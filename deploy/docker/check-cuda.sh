#!/bin/sh
# Inside the runner's image with CUDA: refuses a base whose libraries are not those that ONNX Runtime's was built with, as those of CUDA 12 and 13
# are not each other's. It would run on the CPU, and say so, wherever it came to. The driver's library comes with the GPU.
set -eu
library=$(find /app/node_modules/.pnpm -name libonnxruntime_providers_cuda.so)
missing=$(ldd "$library" | sed -n 's/^[[:space:]]*\([^ ]*\) => not found$/\1/p' | grep -vx 'libcuda\.so\.1' | tr '\n' ' ')
if [ -n "$missing" ]; then
  echo "the base has no ${missing% }, which $(basename "$library") was built with: IMAGES_CUDA_BASE is to name one that has" >&2
  exit 1
fi
