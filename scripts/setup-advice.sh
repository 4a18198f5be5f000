# Read by setup.sh: what to type for the pieces that it may not install itself.

# The kind of system this is, by what installs its packages.
system_family() {
  system=$(uname -s)
  # shellcheck disable=SC1091
  [ ! -r /etc/os-release ] || system=$(. /etc/os-release && echo "${ID-} ${ID_LIKE-}")
  case " $system " in
    *' debian '* | *' ubuntu '*) echo apt ;;
    *' fedora '* | *' rhel '*) echo dnf ;;
    *' arch '*) echo pacman ;;
    *' Darwin '*) echo brew ;;
    *) echo other ;;
  esac
}

# advise PIECE:FOUND…: prints the commands that install them here. FOUND is the version that is there and will not do.
advise() {
  family=$(system_family)
  lists=''
  packages=''
  for lacking in "$@"; do
    case $family-$lacking in
      # What set-up unpacks from a package by itself, once there are package lists.
      apt-nats-server:) lists=needed ;;
      # The package of a release that is too old.
      apt-ffmpeg:?*) echo 'put an ffmpeg of release 5.1 to 8 on the PATH; Debian 12, Ubuntu 24.04 and newer have one' ;;
      apt-nats-server:?* | dnf-nats-server:* | other-nats-server:*)
        echo 'go install github.com/nats-io/nats-server/v2@latest   (its releases have ready-made binaries)'
        ;;
      dnf-ffmpeg:*) packages="$packages ffmpeg-free" ;;
      brew-node:* | brew-npm:*) packages="$packages node" ;;
      pacman-node:*) packages="$packages nodejs npm" ;;
      *-node:*) echo 'install Node.js 24 or newer, with npm: nodejs.org says how' ;;
      *) packages="$packages ${lacking%%:*}" ;;
    esac
  done
  [ -n "$packages$lists" ] || return 0
  case $family in
    apt) echo "sudo apt-get update${packages:+ && sudo apt-get install -y$packages}" ;;
    dnf) echo "sudo dnf install -y$packages" ;;
    pacman) echo "sudo pacman -S --needed$packages" ;;
    brew) echo "brew install$packages" ;;
    *) echo "with the system's package manager:$packages" ;;
  esac
}
