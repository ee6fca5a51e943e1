#!/bin/bash
# Installs what the package needs from Debian to build. Costs nothing when it is there.
set -euo pipefail
source "$(dirname "$0")/apt.sh"
install_missing liblmdb-dev libcrypt-dev pkg-config
