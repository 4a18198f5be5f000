#!/bin/sh
# Builds an ffmpeg that decodes, and encodes nothing but what the ingest asks of it, from the distribution's source; leaves it under OUT,
# with the version of that source in OUT/usr/local/share/ffmpeg/version, and in `packages` beside it the names of those whose libraries it is
# linked with.
#
# All of ffmpeg's own decoders, demultiplexers, filters and network protocols are in it; of other libraries those for TLS (rtsps, https), AV1,
# DASH and SRT. None is under the GPL. Not in it are encoders (but for raw frames and JPEG), hardware decoders, sound and screens.
set -eu
out=$1
export DEBIAN_FRONTEND=noninteractive

# The sources are listed beside the packages, in either of apt's formats.
sed -i 's/^Types: deb$/Types: deb deb-src/' /etc/apt/sources.list.d/*.sources 2>/dev/null || true
if [ -s /etc/apt/sources.list ]; then sed -i -n 'p; s/^deb /deb-src /p' /etc/apt/sources.list; fi
apt-get -q update
apt-get -q install -y --no-install-recommends build-essential dpkg-dev nasm pkg-config \
  libdav1d-dev libgnutls28-dev libsrt-gnutls-dev libxml2-dev zlib1g-dev

mkdir /build
cd /build
apt-get -q source ffmpeg
cd ffmpeg-*/
./configure --prefix=/usr/local --disable-debug --disable-doc --disable-ffplay --disable-autodetect --enable-version3 \
  --enable-gnutls --enable-libdav1d --enable-libsrt --enable-libxml2 --enable-zlib --enable-v4l2-m2m \
  --disable-encoders --enable-encoder=rawvideo,wrapped_avframe,mjpeg,pcm_s16le \
  --disable-muxers --enable-muxer=rawvideo,null,mpjpeg,mjpeg,image2,image2pipe \
  --disable-outdevs || {
  tail -n 20 ffbuild/config.log
  exit 1
}
make -j"$(nproc)" >/dev/null
make DESTDIR="$out" install-progs >/dev/null
strip "$out/usr/local/bin/ffmpeg" "$out/usr/local/bin/ffprobe"
mkdir -p "$out/usr/local/share/ffmpeg"
cp COPYING.LGPLv3 "$out/usr/local/share/ffmpeg/"
dpkg-parsechangelog -S Version >"$out/usr/local/share/ffmpeg/version"
ldd "$out/usr/local/bin/ffmpeg" | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p' | xargs -n 1 realpath | sed 's#^/usr##' |
  while read -r library; do dpkg-query -S "*$library"; done | cut -d : -f 1 | LC_ALL=C sort -u >"$out/usr/local/share/ffmpeg/packages"
