#!/bin/sh
# Inside the build stage: puts the library by which ONNX Runtime computes with CUDA beside that which the runner loads. They are of one build:
# another version's is refused.
#
#   add-cuda-provider.sh APP URL SHA256
#
# URL is that of a package (a zip, whatever its name ends in) of ONNX Runtime for CUDA on Linux x64, and has the version in it.
set -eu
app=$1 url=$2 sha256=$3
if [ -s /run/secrets/ca ]; then export NODE_EXTRA_CA_CERTS=/run/secrets/ca; fi

runtime=$(find "$app/node_modules/.pnpm" -path '*/onnxruntime-node/bin/napi-v*/linux/x64' -type d)
if [ -z "$runtime" ]; then
  echo 'ONNX Runtime has CUDA for Linux on x64 alone' >&2
  exit 1
fi
version=$(node -p "require('$runtime/../../../../package.json').version")
case $url in
  *"$version"*) ;;
  *)
    echo "ORT_CUDA_URL is $url: a package of ONNX Runtime $version is wanted" >&2
    exit 1
    ;;
esac
if [ -z "$sha256" ]; then
  echo "ORT_CUDA_SHA256 is not given: the SHA-256 of $url, from whom you trust" >&2
  exit 1
fi

apt-get -q update >/dev/null
apt-get -q install -y --no-install-recommends unzip >/dev/null
node /out/cli/packages/cli/src/main.js fetch "$url" /tmp/provider.zip --sha256 "$sha256"
for library in libonnxruntime_providers_shared.so libonnxruntime_providers_cuda.so; do
  unzip -q -o -j /tmp/provider.zip "*/$library" -d "$runtime"
  chmod 0644 "$runtime/$library"
done
rm /tmp/provider.zip

# shellcheck disable=SC2016 # a template of JavaScript
node -e '
  const { readFileSync, writeFileSync } = require("node:fs");
  const [file, version, url, sha256] = process.argv.slice(1);
  const purl = `pkg:generic/onnxruntime-cuda@${version}?checksum=sha256:${sha256}&download_url=${encodeURIComponent(url)}`;
  const bom = JSON.parse(readFileSync(file, "utf8"));
  bom.components.push({ type: "library", name: "onnxruntime-cuda", version, purl, "bom-ref": purl });
  writeFileSync(file, JSON.stringify(bom));
' "$app/sbom.cdx.json" "$version" "$url" "$sha256"
