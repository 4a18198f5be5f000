#!/bin/sh
# Runs shellcheck over every shell script, where shellcheck is installed.
set -eu
cd -- "$(dirname -- "$0")/.."
if ! command -v shellcheck >/dev/null; then
  echo 'shellcheck is not installed: shell scripts are not linted'
  exit 0
fi
shellcheck --shell=sh --external-sources stream-infer scripts/*.sh deploy/docker/*.sh
shellcheck .ci/run
