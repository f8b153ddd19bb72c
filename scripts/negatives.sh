#!/usr/bin/env bash
# Fetches pictures that are no chest films, for training the gate: Debian packages of drawings,
# photographs and desktop backgrounds with free licences, unpacked into .cache/negatives.
# Needs Debian's apt-get and dpkg-deb; installs nothing.
set -eu -o pipefail
cd "$(dirname "$0")/.."
target=.cache/negatives
packages=(tuxpaint-stamps-default gnome-backgrounds mate-backgrounds insighttoolkit5-examples)
mkdir -p "$target"
if [ -e "$target/.complete" ]; then
  echo "negatives: already in $target"
  exit 0
fi
download=$(mktemp -d)
trap 'rm -rf "$download"' EXIT
(cd "$download" && apt-get download "${packages[@]}")
for package in "$download"/*.deb; do
  dpkg-deb --extract "$package" "$download/unpacked"
done
for kind in tuxpaint/stamps backgrounds doc/insighttoolkit5-examples/examples/Data; do
  mkdir -p "$target/$kind"
  cp -r "$download/unpacked/usr/share/$kind/." "$target/$kind/"
done
touch "$target/.complete"
echo "negatives: $(find "$target" -name '*.png' -o -name '*.jpg' -o -name '*.webp' | wc -l) pictures in $target"
