#!/bin/sh
# Brings what Berth needs to this machine: its npm packages (Node 26 among them) and, on Debian and Ubuntu as root,
# Docker Engine, the AWS CLI and the network tools. What is there already is left alone. SETUP=test adds what only tests use.
set -eu
cd "$(dirname "$0")/.."

say() { echo "setup: $*" >&2; }

packages=
want() { # command, Debian package
  command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || [ -x "/sbin/$1" ] || packages="$packages $2"
}
want dockerd docker.io
want docker docker.io
want aws awscli
want ip iproute2
want iptables iptables
want nft nftables
[ -x /usr/lib/cni/ptp ] || packages="$packages containernetworking-plugins"
want nsenter util-linux
want curl curl
want busybox busybox-static
want ps procps
if [ "${SETUP:-}" = test ]; then
  want skopeo skopeo
fi
if [ -n "$packages" ]; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    say "missing:$packages. Install them, or run this as root on Debian or Ubuntu."
    exit 1
  fi
  say "installing$packages"
  log=$(mktemp)
  if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $packages; } >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    say "apt-get could not install$packages"
    exit 1
  fi
  rm -f "$log"
fi

# npm ci when the packages are not those of the lock file.
if [ ! -x node_modules/.bin/node ] || ! cmp -s package-lock.json node_modules/.berth-lock; then
  say 'installing npm packages'
  npm ci --no-audit --no-fund --loglevel=error >&2 </dev/null
  sh tools/link-node.sh # where npm is told not to run scripts
  cp package-lock.json node_modules/.berth-lock
fi
