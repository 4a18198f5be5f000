#!/bin/sh
# Brings what the tests of the chart need into .tools/chart, each from its published Go module: both Helms, the NATS server of trials, the program that decodes objects
# by the types of Kubernetes, and the definitions of what is not Kubernetes' own. A second run does nothing.
# Exit status: 0 ready; 3 there is no Go, which is told; else what failed.
set -eu

# NATS_SERVER is what the chart has for trials (values.yaml, nats.embedded.image).
readonly HELM_3=v3.22.0 HELM_4=v4.3.1 NATS_SERVER=v2.15.3
readonly KEDA=github.com/kedacore/keda/v2@v2.21.0 PROMETHEUS_OPERATOR=github.com/prometheus-operator/prometheus-operator@v0.85.0

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
tools=$root/.tools/chart
PATH=$PATH:/usr/local/go/bin
export PATH

if ! command -v go >/dev/null; then
  echo 'the chart is not tested: its tools are built from Go modules, and there is no Go'
  exit 3
fi

say() { printf 'chart tools: %s\n' "$*"; }

# program NAME PACKAGE VERSION: built into a folder of that name.
program() {
  [ "$(cat "$tools/$1/version" 2>/dev/null)" = "$3" ] && return 0
  say "building $2 $3"
  rm -rf "${tools:?}/$1"
  mkdir -p "$tools/$1"
  GOBIN=$tools/$1 go install -ldflags '-s -w' "$2@$3"
  echo "$3" >"$tools/$1/version"
}

# definitions MODULE FILE…: copies of these files of the module.
definitions() {
  module=$1
  shift
  missing=''
  for file; do [ -f "$tools/crds/$(basename "$file")" ] || missing=yes; done
  [ -n "$missing" ] || return 0
  say "fetching $module"
  mkdir -p "$tools/crds"
  # Beside no module: the answer tells where it lies.
  folder=$(cd "$tools" && GOFLAGS=-mod=mod go mod download -json "$module" | sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p')
  for file; do install -m 644 "$folder/$file" "$tools/crds/"; done
}

program helm3 helm.sh/helm/v3/cmd/helm "$HELM_3"
program helm4 helm.sh/helm/v4/cmd/helm "$HELM_4"
program nats-server github.com/nats-io/nats-server/v2 "$NATS_SERVER"
definitions "$KEDA" config/crd/bases/keda.sh_scaledobjects.yaml
definitions "$PROMETHEUS_OPERATOR" example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml \
  example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml
(cd "$root/test/chart/decode" && go build -o "$tools/decode" .)
