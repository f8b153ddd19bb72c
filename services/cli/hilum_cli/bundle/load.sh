#!/bin/sh
# Loads the images of this bundle where a cluster without a network finds them, and prints the
# values that name them there. Needs a POSIX shell, sha256sum, tar, and one of the programs below.
#
#     sh load.sh registry.hospital.example/mirror            into a registry
#     sh load.sh --tool ctr registry.hospital.example/mirror  into this node's containerd, no registry
#     sh load.sh oci:/srv/images                              into OCI layouts in a folder, no program
#
#     --tool NAME    skopeo, crane, podman, docker, or ctr; the first of the first four that is there
#     --insecure     the registry speaks plain HTTP or has a certificate that nobody knows
#     --out FILE     where the values go; ./images.loaded.yaml
#
# Sign in to the registry first, with the program that loads (`skopeo login REGISTRY`).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
tool=""
insecure=""
out="images.loaded.yaml"
target=""

fail() { echo "load.sh: $*" >&2; exit 1; }

usage() { sed -n '2,/^set -eu/{/^set -eu/d;s/^# \{0,1\}//;p;}' "$0"; }

while [ $# -gt 0 ]; do
  case "$1" in
    --tool) [ $# -gt 1 ] || fail "--tool needs a name"; tool="$2"; shift ;;
    --out) [ $# -gt 1 ] || fail "--out needs a file"; out="$2"; shift ;;
    --insecure) insecure=yes ;;
    -h|--help) usage; exit 0 ;;
    -*) fail "unknown option $1" ;;
    *) [ -z "$target" ] || fail "one target, not $target and $1"; target="$1" ;;
  esac
  shift
done
[ -n "$target" ] || { usage >&2; exit 2; }
target=${target%/}

echo "checking SHA256SUMS"
(cd "$here" && sha256sum --quiet --check SHA256SUMS) \
  || fail "a file of this bundle was changed or is missing, see above; nothing was loaded"
# A file that nobody has summed is none of the bundle's.
(cd "$here" && find . -type f ! -name SHA256SUMS | sed 's|^\./||' | sort) >"${TMPDIR:-/tmp}/load.$$"
trap 'rm -rf "${TMPDIR:-/tmp}/load.$$" "${TMPDIR:-/tmp}/load.$$.layout" "${TMPDIR:-/tmp}/load.$$.digest"' EXIT
sed 's/^[0-9a-f]*  //' "$here/SHA256SUMS" | sort | cmp -s - "${TMPDIR:-/tmp}/load.$$" \
  || fail "this folder holds files that SHA256SUMS does not name; unpack the bundle into an empty one"

case "$target" in
  oci:*) tool=oci ;;
  *)
    if [ -z "$tool" ]; then
      for tool in skopeo crane podman docker none; do
        [ "$tool" = none ] || ! command -v "$tool" >/dev/null 2>&1 || break
      done
      [ "$tool" != none ] || fail "install skopeo, crane, podman or docker; or --tool ctr on each node"
    else
      command -v "$tool" >/dev/null 2>&1 || fail "$tool is not installed"
    fi ;;
esac
registry=$target

# Each function loads image file $1 as $2/$3 with tag $4 and puts the digest that it has there, which
# is $5 in this bundle, into $loaded.
by_skopeo() {
  skopeo copy --quiet --preserve-digests ${insecure:+--dest-tls-verify=false} \
    "oci-archive:$1" "docker://$2/$3:$4"
  loaded=$(skopeo inspect ${insecure:+--tls-verify=false} --format '{{.Digest}}' "docker://$2/$3:$4")
  [ "$loaded" = "$5" ] || fail "$2/$3:$4 is $loaded in the registry, $5 in this bundle"
}

by_crane() {
  layout="${TMPDIR:-/tmp}/load.$$.layout"
  rm -rf "$layout" && mkdir -p "$layout" && tar -xf "$1" -C "$layout"
  crane push ${insecure:+--insecure} "$layout" "$2/$3:$4" >/dev/null
  rm -rf "$layout"
  loaded=$(crane digest ${insecure:+--insecure} "$2/$3:$4")
  [ "$loaded" = "$5" ] || fail "$2/$3:$4 is $loaded in the registry, $5 in this bundle"
}

by_podman() {
  image=$(podman pull --quiet "oci-archive:$1")
  # podman packs layers anew, so the image may have another digest there; it says which.
  podman push --quiet ${insecure:+--tls-verify=false} --digestfile "${TMPDIR:-/tmp}/load.$$.digest" \
    "$image" "docker://$2/$3:$4"
  loaded=$(cat "${TMPDIR:-/tmp}/load.$$.digest")
}

by_docker() {
  image=$(docker load --quiet --input "$1" | sed -n 's/^Loaded image\( ID\)\{0,1\}: //p' | tail -n 1)
  [ -n "$image" ] || fail "docker does not load OCI archives before version 25"
  docker tag "$image" "$2/$3:$4"
  docker push --quiet "$2/$3:$4" >/dev/null
  loaded=$(docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$2/$3:$4" \
    | sed -n "s|^$2/$3@||p" | head -n 1)
}

by_ctr() {
  # --digests names each image repository@digest, which is how the pinned values ask for it.
  ctr --namespace k8s.io images import --digests --base-name "$2/$3" "$1" >/dev/null
  loaded=$5
}

by_oci() {
  folder="${2#oci:}/$3"
  mkdir -p "$folder" && tar -xf "$1" -C "$folder"
  loaded=$5
}

draft="$out.part"
{
  echo "# Written by load.sh: what was loaded, and where."
  [ "$tool" = oci ] || printf 'image:\n  registry: "%s"\n' "$registry"
  echo "images:"
} >"$draft"
count=0
while read -r repository tag digest file keys; do
  case "$repository" in ""|"#"*) continue ;; esac
  # A registry wants a tag; one from the digest never moves.
  [ "$tag" != - ] || tag="sha256-$(echo "${digest#sha256:}" | cut -c1-16)"
  echo "loading $repository:$tag"
  loaded=""
  "by_$tool" "$here/$file" "$registry" "$repository" "$tag" "$digest" </dev/null \
    || fail "$tool could not load $repository:$tag, see above"
  [ -n "$loaded" ] || fail "$tool does not tell the digest of $repository:$tag"
  count=$((count + 1))
  if [ "$keys" = - ]; then
    printf '  # by hand, where the site names it: %s@%s\n' "$repository" "$loaded" >>"$draft"
  else
    for key in $(echo "$keys" | tr , ' '); do
      printf '  %s: {repository: "%s", digest: "%s"}\n' "$key" "$repository" "$loaded" >>"$draft"
    done
  fi
done <"$here/images.txt"
mv "$draft" "$out"

echo "$count images loaded. Put these values after the site's own (they are in $out):"
echo
cat "$out"
chart=$(cd "$here" && ls chart/*.tgz 2>/dev/null | head -n 1)
if [ -n "$chart" ]; then
  echo
  echo "helm install hilum $here/$chart --values site.yaml --values $out"
fi
