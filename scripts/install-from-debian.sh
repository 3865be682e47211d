#!/usr/bin/env bash
# Installs what tests need and this machine lacks, by the names of its commands: scripts/install-from-debian.sh chromium
# The package is taken to be named like the command, unless it is said: mariadbd=mariadb-server. What cannot be installed is
# told, and left to the tests to miss.
set -euo pipefail

PATH=$PATH:/usr/sbin
missing=()
for wanted in "$@"; do
  command -v "${wanted%%=*}" >/dev/null || missing+=("${wanted#*=}")
done
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "cannot install ${missing[*]}: not root, and no sudo" >&2
    exit 0
  fi
  as_root=(sudo)
fi
if ! command -v apt-get >/dev/null; then
  echo "cannot install ${missing[*]}: no apt-get" >&2
  exit 0
fi
export DEBIAN_FRONTEND=noninteractive
# Servers are for the tests to start, not for the machine.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
  "${as_root[@]}" chmod +x "$policy"
  trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
