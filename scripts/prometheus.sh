#!/bin/sh
# Brings Prometheus and promtool into .tools, for the tests of rules and dashboards. The system's package is unpacked, not installed:
# installed, it would start a server at every boot that listens on every address. A second run does nothing.
# Exit status: 0 ready; 3 it cannot be had here, which is told.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
tools=$root/.tools
PATH=$tools/bin:$PATH
export PATH

command -v prometheus >/dev/null && command -v promtool >/dev/null && exit 0

if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
  echo 'rules and dashboards are not tested: prometheus and promtool are not on the PATH, and there is no apt-get'
  exit 3
fi

rm -rf "$tools/prometheus" "$tools/prometheus.new"
mkdir -p "$tools/prometheus.new" "$tools/bin"
fetch() { (cd "$tools/prometheus.new" && apt-get -q download prometheus && dpkg-deb -x ./*.deb . && rm ./*.deb) >/dev/null 2>&1; }
# A machine that never asked for its packages' lists has none.
if ! fetch && { ! apt-get -q update >/dev/null 2>&1 || ! fetch; }; then
  rm -rf "$tools/prometheus.new"
  echo "rules and dashboards are not tested: the system's package prometheus cannot be fetched"
  exit 3
fi
mv "$tools/prometheus.new" "$tools/prometheus"
ln -sf ../prometheus/usr/bin/prometheus ../prometheus/usr/bin/promtool "$tools/bin/"
