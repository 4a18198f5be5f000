# shellcheck shell=sh
# Which engine there is: docker, podman or buildah, the first that answers; IMAGES_ENGINE names another choice. Sourced.

# docker is there as a client on many a machine that has no engine behind it.
answers() { command -v "$1" >/dev/null && "$1" info >/dev/null 2>&1; }

engine=${IMAGES_ENGINE-}
if [ -z "$engine" ]; then
  for candidate in docker podman buildah; do
    if answers "$candidate"; then
      engine=$candidate
      break
    fi
  done
fi
if [ -z "$engine" ]; then
  echo 'no engine for images: install docker, podman or buildah' >&2
  exit 4
fi
