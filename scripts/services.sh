#!/usr/bin/env bash
# Installs the real servers that `make stack` and the integration tests start. Run it as often
# as you like: what is there already is left alone. `make services` calls it; with the argument
# `images` (`make image-tools`) it installs what builds the container images instead, with
# `cluster` (`make cluster-packages`) what the test cluster runs on, with `decoders` (`make
# public-sets`) what decoded images are compared with, with `viewer` (`make viewer`) the viewer in
# which results are looked at.
#
#   from Debian's packages    redis-server, postgresql, pgbouncer, libpython3.11 (for Triton),
#                             chromium, libfaketime (tests of wrong clocks), orthanc with its
#                             plug-ins for DICOMweb and GDCM, dicom3tools, socat (tests with a PACS)
#   into .cache/triton        Triton from its wheel, pinned by requirements/triton.lock
#   into .cache/bin           MinIO's server, built by Go, unless `minio` is on the PATH, and
#                             compose-project, which reads a compose file as Docker does;
#                             promtool, out of Debian's package of Prometheus
#   for bundles               podman, skopeo (Debian), and crane, built by Go
#   to compare decoded images dcmtk, libgdcm-tools (Debian)
#   for images, from Debian   podman, runc (unless docker is there), debootstrap
#   for the test cluster      etcd-server, runc, containernetworking-plugins, iptables, nftables,
#                             iproute2, openssl, busybox-static (Debian), and all that images need
#
# A package may also start an instance of its own (PostgreSQL's, PgBouncer's and Redis's do where
# systemd runs). Hilum never uses those: it starts its own servers on free ports of 127.0.0.1.
# Orthanc's instance would listen on every address without a password, so it is kept from starting.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

PYTHON=${PYTHON:-python3}
CACHE=$PWD/.cache
MINIO_MODULE=github.com/minio/minio
MINIO_VERSION=v0.0.0-20260212201848-7aac2a2c5b7c
CRANE_MODULE=github.com/google/go-containerregistry/cmd/crane
CRANE_VERSION=v0.20.6
COMPOSE_READER=$PWD/tests/unit/images/compose_project
OHIF_VERSION=3.12.10
OHIF_SHA256=fbabd410be33e5b9898931b725229b9da9553aac339914b5c29796d3aa5d4b2d
TRITON_PYTHON=3.11   # of the wheel's Python backend stub, so of the packages its models import

missing=()           # one line for each thing that could not be installed
apt_updated=no

say() { printf '%s\n' "$*"; }
lack() { missing+=("$1"); say "  failed: $1"; }

# ------------------------------------------------------------------ what is already there
have_redis() { command -v redis-server >/dev/null; }
have_postgres() { compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null; }
have_pgbouncer() { have_sbin pgbouncer; }
# No `grep -q`: it closes the pipe early, which pipefail would take for a failure.
have_libpython() { PATH=$PATH:/sbin:/usr/sbin ldconfig -p | grep -F "libpython$TRITON_PYTHON.so.1.0" >/dev/null; }
have_faketime() { compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' >/dev/null; }
have_orthanc() { have_sbin Orthanc; }
have_orthanc_dicomweb() { [[ -e /usr/share/orthanc/plugins/libOrthancDicomWeb.so ]]; }
have_orthanc_gdcm() { [[ -e /usr/share/orthanc/plugins/libOrthancGdcm.so ]]; }
have_dicom3tools() { command -v dciodvfy >/dev/null; }
have_socat() { command -v socat >/dev/null; }
have_chromium() { command -v chromium >/dev/null || command -v chromium-browser >/dev/null; }
have_minio() { type -P minio >/dev/null || [[ "$(cat "$CACHE/bin/minio.version" 2>/dev/null)" == "$MINIO_VERSION" ]]; }
have_compose_reader() { [[ "$(cat "$CACHE/bin/compose-project.version" 2>/dev/null)" == "$(compose_mark)" ]]; }
compose_mark() { cat "$COMPOSE_READER"/{main.go,go.mod,go.sum} | sha256sum; }
have_podman() { command -v podman >/dev/null || command -v docker >/dev/null; }
have_podman_itself() { command -v podman >/dev/null; }
have_dcmtk() { command -v dcm2pnm >/dev/null && command -v dcmj2pnm >/dev/null; }
have_gdcm_tools() { command -v gdcmconv >/dev/null; }
have_npm() { command -v npm >/dev/null; }
have_ohif() { [[ "$(cat "$CACHE/ohif/version" 2>/dev/null)" == "$OHIF_VERSION" ]]; }
have_skopeo() { command -v skopeo >/dev/null; }
have_crane() { type -P crane >/dev/null || [[ "$(cat "$CACHE/bin/crane.version" 2>/dev/null)" == "$CRANE_VERSION" ]]; }
have_promtool() { type -P promtool >/dev/null || [[ -x "$CACHE/bin/promtool" ]]; }
have_runc() { command -v runc >/dev/null || command -v docker >/dev/null; }
have_sbin() { PATH=$PATH:/sbin:/usr/sbin command -v "$1" >/dev/null; }
have_etcd() { command -v etcd >/dev/null; }
have_runc_itself() { have_sbin runc; }
have_cni() { [[ -x /usr/lib/cni/bridge ]]; }
have_iptables() { have_sbin iptables; }
have_nftables() { have_sbin nft; }
have_iproute() { have_sbin ip; }
have_openssl() { command -v openssl >/dev/null; }
have_busybox() { command -v busybox >/dev/null; }
have_debootstrap() { PATH=$PATH:/usr/sbin command -v debootstrap >/dev/null; }
have_triton() {
  [[ "$(cat "$CACHE/triton/installed" 2>/dev/null)" == "$(triton_mark)" ]] \
    && [[ -x "$CACHE/triton/backends/python/triton_python_backend_stub" ]]
}
triton_mark() { sha256sum <requirements/triton.lock; }

# -------------------------------------------------------------------------------- Debian
as_root() {
  if [[ $(id -u) == 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    say "  this needs root, and there is no sudo; as root: apt-get install $package"
    return 1
  fi
}

# provide_package PACKAGE CHECK: one package at a time, so that one that does not exist spares the others.
provide_package() {
  local package=$1 check=$2
  "$check" && return
  say "Installing $package ..."
  if ! command -v apt-get >/dev/null; then
    lack "$package (no apt-get here: install it by this system's own means)"
    return
  fi
  if [[ $apt_updated == no ]]; then
    as_root apt-get update -qq || say "  apt-get update failed; trying with the lists that are there"
    apt_updated=yes
  fi
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "$package" >/dev/null
  "$check" || lack "$package"
}

# -------------------------------------------------------------------------------- Triton
# The wheel has no stub in its backends folder, so the folder is copied and the stub for the
# right Python put beside libtriton_python.so (see stack/hilum_stack/triton.py, which finds it).
provide_triton() {
  have_triton && return
  say "Installing Triton into .cache/triton (a minute) ..."
  if [[ "$(uname -sm)" != "Linux x86_64" ]]; then
    lack "Triton (its wheel is for Linux on x86_64)"
    return
  fi
  local draft=$CACHE/triton.new
  rm -rf "$draft"
  mkdir -p "$draft"
  install_triton "$draft" && rm -rf "$CACHE/triton" && mv "$draft" "$CACHE/triton"
  have_triton || lack "Triton"
}

install_triton() {
  local home=$1 wheel=$1/site-packages/pytriton/tritonserver
  # An environment without an interpreter of its own: the stub brings Debian's libpython3.11.
  "$PYTHON" -m venv "$home/installer" \
    && "$home/installer/bin/pip" install --quiet --disable-pip-version-check --no-compile \
      --target "$home/site-packages" --python-version "$TRITON_PYTHON" --only-binary :all: \
      --require-hashes -r requirements/triton.lock \
    && rm -rf "$home/installer" \
    && cp -r "$wheel/backends" "$home/backends" \
    && cp "$wheel/python_backend_stubs/$TRITON_PYTHON/triton_python_backend_stub" "$home/backends/python/" \
    && chmod +x "$wheel/bin/tritonserver" "$home/backends/python/triton_python_backend_stub" \
    && triton_mark >"$home/installed"
}

# --------------------------------------------------------------------------------- MinIO
provide_minio() {
  have_minio && return
  say "Building MinIO's server into .cache/bin (some minutes) ..."
  if ! command -v go >/dev/null; then
    lack "MinIO (building it needs Go; or put a \`minio\` on the PATH)"
    return
  fi
  mkdir -p "$CACHE/bin"
  if GOBIN=$CACHE/bin nice go install "$MINIO_MODULE@$MINIO_VERSION" 2>"$CACHE/minio-build.log"; then
    printf '%s\n' "$MINIO_VERSION" >"$CACHE/bin/minio.version"
  else
    tail -n 5 "$CACHE/minio-build.log"
    lack "MinIO (see .cache/minio-build.log)"
  fi
}

# ------------------------------------------------------------------- reader of compose files
provide_compose_reader() {
  have_compose_reader && return
  say "Building compose-project into .cache/bin ..."
  if ! command -v go >/dev/null; then
    lack "compose-project (building it needs Go)"
    return
  fi
  mkdir -p "$CACHE/bin"
  if (cd "$COMPOSE_READER" && nice go build -o "$CACHE/bin/compose-project" .) 2>"$CACHE/compose-build.log"; then
    compose_mark >"$CACHE/bin/compose-project.version"
  else
    tail -n 5 "$CACHE/compose-build.log"
    lack "compose-project (see .cache/compose-build.log)"
  fi
}

# ---------------------------------------------------------------- registry and its client
provide_crane() {
  have_crane && return
  say "Building crane into .cache/bin ..."
  if ! command -v go >/dev/null; then
    lack "crane (building it needs Go)"
    return
  fi
  mkdir -p "$CACHE/bin"
  if GOBIN=$CACHE/bin nice go install "$CRANE_MODULE@$CRANE_VERSION" 2>"$CACHE/crane-build.log"; then
    printf '%s\n' "$CRANE_VERSION" >"$CACHE/bin/crane.version"
  else
    tail -n 5 "$CACHE/crane-build.log"
    lack "crane (see .cache/crane-build.log)"
  fi
}

# Unpacked only: an installed package would start a server of its own.
provide_promtool() {
  have_promtool && return
  local folder
  say "Fetching promtool into .cache/bin ..."
  folder=$(mktemp -d)
  mkdir -p "$CACHE/bin"
  if (cd "$folder" && apt-get download --quiet prometheus >/dev/null && dpkg-deb --extract prometheus_*.deb unpacked); then
    cp "$folder/unpacked/usr/bin/promtool" "$CACHE/bin/promtool"
  else
    lack "promtool (Debian's package prometheus; or put promtool on the PATH)"
  fi
  rm -rf "$folder"
}

# -------------------------------------------------------------------------------- report
report() {
  local name=$1 check=$2
  if "$check"; then say "  there     $name"; else say "  missing   $name"; fi
}

end() {
  if ((${#missing[@]})); then
    say "Not installed: ${missing[*]}"
    exit 1
  fi
  exit 0
}

provide_pacs() {
  if ! have_orthanc && [[ -d /run/systemd/system ]]; then
    as_root systemctl mask --quiet orthanc.service || lack "a masked orthanc.service"
  fi
  provide_package orthanc have_orthanc
  provide_package orthanc-dicomweb have_orthanc_dicomweb
  provide_package orthanc-gdcm have_orthanc_gdcm
  provide_package dicom3tools have_dicom3tools
  provide_package socat have_socat
}

report_pacs() {
  report "Orthanc (tests with a PACS)" have_orthanc
  report "Orthanc's plug-in for DICOMweb" have_orthanc_dicomweb
  report "Orthanc's plug-in for GDCM" have_orthanc_gdcm
  report "dicom3tools (tests of DICOM objects)" have_dicom3tools
  report "socat (tests with a PACS)" have_socat
}

provide_decoders() {
  provide_package dcmtk have_dcmtk
  provide_package libgdcm-tools have_gdcm_tools
}

report_decoders() {
  report "DCMTK (tests of decoded images)" have_dcmtk
  report "GDCM's tools (tests of decoded images)" have_gdcm_tools
}

provide_ohif() {
  have_ohif && return
  say "Fetching OHIF $OHIF_VERSION into .cache/ohif ..."
  rm -rf "$CACHE/ohif"
  mkdir -p "$CACHE/ohif"
  if (cd "$CACHE/ohif" && npm pack --silent "@ohif/app@$OHIF_VERSION" >/dev/null \
    && sha256sum --check --quiet <<<"$OHIF_SHA256  ohif-app-$OHIF_VERSION.tgz" \
    && tar xzf "ohif-app-$OHIF_VERSION.tgz" && rm "ohif-app-$OHIF_VERSION.tgz"); then
    echo "$OHIF_VERSION" >"$CACHE/ohif/version"
  else
    lack "OHIF (npm's package @ohif/app)"
  fi
}

mkdir -p "$CACHE"
if [[ ${1:-} == viewer ]]; then
  provide_package chromium have_chromium
  provide_package npm have_npm
  provide_pacs
  provide_ohif
  report_pacs
  report "Chromium (browser tests)" have_chromium
  report "OHIF" have_ohif
  end
fi
if [[ ${1:-} == decoders ]]; then
  provide_decoders
  report_decoders
  end
fi
if [[ ${1:-} == cluster ]]; then
  provide_package etcd-server have_etcd
  provide_package runc have_runc_itself
  provide_package containernetworking-plugins have_cni
  provide_package iptables have_iptables
  provide_package nftables have_nftables
  provide_package iproute2 have_iproute
  provide_package openssl have_openssl
  provide_package busybox-static have_busybox
  provide_package podman have_podman
  provide_package debootstrap have_debootstrap
  say "For the test cluster:"
  report "etcd" have_etcd
  report "runc" have_runc_itself
  report "network plugins" have_cni
  report "iptables" have_iptables
  report "nftables" have_nftables
  report "iproute2" have_iproute
  report "openssl" have_openssl
  report "busybox" have_busybox
  report "podman or docker" have_podman
  report "debootstrap" have_debootstrap
  end
fi
if [[ ${1:-} == images ]]; then
  provide_package podman have_podman
  provide_package runc have_runc
  provide_package debootstrap have_debootstrap
  say "To build container images:"
  report "podman or docker" have_podman
  report "runc (or docker's own)" have_runc
  report "debootstrap (a base without a registry)" have_debootstrap
  end
fi

provide_package redis-server have_redis
provide_package postgresql have_postgres
provide_package pgbouncer have_pgbouncer
provide_package "libpython$TRITON_PYTHON" have_libpython
provide_package chromium have_chromium
provide_package libfaketime have_faketime
provide_package podman have_podman_itself
provide_package skopeo have_skopeo
provide_decoders
provide_pacs
provide_triton
provide_minio
provide_compose_reader
provide_crane
provide_promtool

say "Servers for \`make stack\` and the integration tests:"
report "Redis" have_redis
report "PostgreSQL" have_postgres
report "PgBouncer (tests behind a pooler)" have_pgbouncer
report "Triton" have_triton
report "libpython$TRITON_PYTHON (Triton's Python backend)" have_libpython
report "MinIO" have_minio
report "Chromium (browser tests)" have_chromium
report "libfaketime (tests of wrong clocks)" have_faketime
report "compose-project (tests of compose.yaml)" have_compose_reader
report "podman (tests of bundles)" have_podman_itself
report "skopeo (tests of bundles)" have_skopeo
report_decoders
report_pacs
report "crane (tests of bundles)" have_crane
report "promtool (tests of alerts)" have_promtool
end
