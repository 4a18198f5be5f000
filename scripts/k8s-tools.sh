#!/bin/sh
# Brings the servers of Kubernetes into .tools/k8s, beside what the tests of the chart need: etcd, and kube-apiserver, kube-controller-manager and kube-scheduler, compiled
# from their published Go modules in the versions of test/k8s/servers/go.mod, which says what they need of each other. It takes up to half an hour once, and some 5 GB of what Go keeps; a second run does nothing.
# Exit status: 0 ready; 3 there is no Go, which is told; else what failed.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
tools=$root/.tools/k8s

sh "$root/scripts/chart-tools.sh"

PATH=$PATH:/usr/local/go/bin
export PATH
cd "$root/test/k8s/servers"
made_of=$(cat go.mod go.sum "$root/scripts/k8s-tools.sh" | cksum)
[ "$(cat "$tools/made-of" 2>/dev/null)" = "$made_of" ] && exit 0

# Without a version, servers tell clients that they are none.
version=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
numbers=${version#v}
major=${numbers%%.*}
numbers=${numbers#*.}
flags='-s -w'
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  flags="$flags -X $package.gitVersion=$version -X $package.gitMajor=$major -X $package.gitMinor=${numbers%%.*}"
done

printf 'servers of Kubernetes: compiling %s\n' "$version"
mkdir -p "$tools"
go build -ldflags "$flags" -o "$tools/etcd" go.etcd.io/etcd/server/v3
for server in kube-apiserver kube-controller-manager kube-scheduler; do
  go build -ldflags "$flags" -o "$tools/$server" "k8s.io/kubernetes/cmd/$server"
done
echo "$made_of" >"$tools/made-of"
