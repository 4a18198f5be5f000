#!/bin/sh
# Makes a Debian or Ubuntu image the ground of a service: its security updates, certificates, tini, the user, places to mount at.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get -q update
apt-get -q -y upgrade
apt-get -q -y install --no-install-recommends ca-certificates tini
rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/*
groupadd --gid 10001 stream-infer
useradd --uid 10001 --gid 10001 --no-log-init --no-create-home --home-dir /tmp --shell /usr/sbin/nologin stream-infer
# Nobody becomes another user here.
find / -xdev -type f \( -perm -4000 -o -perm -2000 \) -exec chmod -s {} +
mkdir -p /models /algorithms /etc/stream-infer
