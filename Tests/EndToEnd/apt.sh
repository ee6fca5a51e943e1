# Installing Debian packages, for the install scripts to source. A package that is there costs a look at one file.

say() { echo "$(basename "$0" .sh): $*" >&2; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

have_lists() { compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null; }

refresh_lists() {
  say "apt-get update"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update
}

is_installed() {
  [ -e "/var/lib/dpkg/info/$1.list" ] || compgen -G "/var/lib/dpkg/info/$1:*.list" >/dev/null
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "$@" >/dev/null
}

install_missing() { # package...
  local missing=() package
  for package in "$@"; do is_installed "$package" || missing+=("$package"); done
  [ ${#missing[@]} = 0 ] && return
  say "installing ${missing[*]}"
  # Lists that are there may be too old to download from: try them first, they save half a minute.
  have_lists && apt_install "${missing[@]}" && return
  refresh_lists && apt_install "${missing[@]}"
}
