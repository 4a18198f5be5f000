#!/bin/sh
# Builds the images of the targets that are named, or all but that with CUDA, with docker, podman or buildah.
#
#   IMAGES_ENGINE     docker, podman or buildah; the first that there is where it is not set
#   IMAGES_PREFIX     before each name, such as ghcr.io/somebody/
#   IMAGES_TAG        the version of package.json where it is not set
#   IMAGES_BASE       Debian 12 or what is like it; IMAGES_NODE: Node.js 24 and npm on it, for the build; IMAGES_CUDA_BASE: CUDA and cuDNN
#   IMAGES_FFMPEG     debian or decode-only
#   IMAGES_PLATFORM   such as linux/arm64; this machine's where it is not set
#   IMAGES_CA         a file of certificates that the npm registry's is checked against too, for networks that sign for it themselves
#   IMAGES_FLAGS      more arguments for the engine's build
#   ORT_CUDA_URL, ORT_CUDA_SHA256   the package with ONNX Runtime's CUDA provider, for algo-runner-cuda
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$root"
# shellcheck source=deploy/docker/engine.sh
. deploy/docker/engine.sh

: "${IMAGES_PREFIX=}" "${IMAGES_FLAGS=}"
version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)
tag=${IMAGES_TAG:-$version}
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
[ $# -gt 0 ] || set -- scheduler collector algo-runner tools ingest

for target; do
  base=${IMAGES_BASE-} name=${IMAGES_PREFIX}stream-infer-$target:$tag
  case $engine in
    docker) set -- docker build ;;
    podman) set -- podman build --layers --format oci ;;
    buildah) set -- buildah build --layers --format oci ;;
  esac
  case $target in
    ingest | scheduler | algo-runner | collector | tools) ;;
    algo-runner-cuda)
      if [ -z "${ORT_CUDA_SHA256-}" ]; then
        echo "algo-runner-cuda needs ORT_CUDA_SHA256: see docs/images.md" >&2
        exit 2
      fi
      target=algo-runner base=${IMAGES_CUDA_BASE:-docker.io/nvidia/cuda:12.9.1-cudnn-runtime-ubuntu24.04}
      name=${IMAGES_PREFIX}stream-infer-algo-runner:$tag-cuda
      set -- "$@" --build-arg MODEL_DEVICE=gpu --build-arg "ORT_CUDA_SHA256=$ORT_CUDA_SHA256"
      [ -z "${ORT_CUDA_URL-}" ] || set -- "$@" --build-arg "ORT_CUDA_URL=$ORT_CUDA_URL"
      ;;
    *)
      echo "there is no image $target: known are ingest, scheduler, algo-runner, collector, tools, algo-runner-cuda" >&2
      exit 2
      ;;
  esac
  [ -z "$base" ] || set -- "$@" --build-arg "BASE_IMAGE=$base"
  [ -z "${IMAGES_NODE-}" ] || set -- "$@" --build-arg "NODE_IMAGE=$IMAGES_NODE"
  [ -z "${IMAGES_FFMPEG-}" ] || set -- "$@" --build-arg "FFMPEG=$IMAGES_FFMPEG"
  [ -z "${IMAGES_PLATFORM-}" ] || set -- "$@" --platform "$IMAGES_PLATFORM"
  [ -z "${IMAGES_CA-}" ] || set -- "$@" --secret "id=ca,src=$IMAGES_CA"
  # shellcheck disable=SC2086 # the flags are words
  "$@" $IMAGES_FLAGS --build-arg "VERSION=$version" --build-arg "REVISION=$revision" --target "$target" --tag "$name" \
    --file deploy/docker/Containerfile .
  echo "built $name"
done
