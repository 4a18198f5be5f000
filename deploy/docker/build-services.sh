#!/bin/sh
# Inside the build stage: compiles the repository and lays what each image holds into OUT/NAME, Node.js into OUT/bin. Nothing else of it is left,
# since every layer is written out.
#
# The secret `ca`, where it is given, names who signs the certificates of the npm registry as this network shows it.
set -eu
out=$1
if [ -s /run/secrets/ca ]; then export NODE_EXTRA_CA_CERTS=/run/secrets/ca; fi
export CI=true ONNXRUNTIME_NODE_INSTALL=skip
PATH=$PWD/.tools/bin:$PATH

pnpm=$(sed -n 's/.*"packageManager": *"\(pnpm@[^"+]*\).*/\1/p' package.json)
npm install --prefix .tools/pnpm --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error "$pnpm"
mkdir -p .tools/bin
# shellcheck disable=SC2016 # the wrapper is to expand them, not this script
printf '%s\n' '#!/bin/sh' 'exec node "$(dirname -- "$0")/../pnpm/node_modules/pnpm/bin/pnpm.mjs" "$@"' >.tools/bin/pnpm
chmod +x .tools/bin/pnpm
pnpm install --frozen-lockfile --reporter=append-only
pnpm run generate

node scripts/compile.ts "$out" ingest scheduler algo-runner collector cli
for name in ingest scheduler algo-runner collector cli; do
  pnpm --silent sbom --prod --filter "@stream-infer/$name" --sbom-format cyclonedx --sbom-spec-version 1.6 --sbom-type application \
    --out "$out/$name/sbom.cdx.json" >/dev/null
done
cd "$out"
# What only pnpm and compilers read; links to packages that are not here.
rm -rf ./*/pnpm-*.yaml ./*/node_modules/.modules.yaml ./*/node_modules/.pnpm-workspace-state* ./*/node_modules/.pnpm/lock.yaml
find . -xtype l -delete
find . -type f \( -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' \) -delete
# ONNX Runtime comes for every system at once.
here=$(node -p 'process.platform + "/" + process.arch')
find . -path '*/onnxruntime-node/bin/napi-v*/*/*' -prune -type d ! -path "*/$here" -exec rm -rf {} +
chmod -R u=rwX,go=rX .

mkdir -p "$out/bin"
cp "$(node -p process.execPath)" "$out/bin/node"
# Its symbols are a seventh of it; what native modules link with stays.
apt-get -q update >/dev/null
apt-get -q install -y --no-install-recommends binutils >/dev/null
strip --strip-unneeded "$out/bin/node"

cd /
find /src -name node_modules -type d -prune -exec rm -rf {} +
rm -rf /src/.tools /root/.npm
