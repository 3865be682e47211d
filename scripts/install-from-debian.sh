#!/usr/bin/env bash
# Installs the commands that the tests need and this machine lacks: scripts/install-from-debian.sh chromium mariadbd=mariadb-server
# A package has the name of its command, unless the argument names it after `=`. The script prints what it cannot install, and
# ends with 0: the tests that need the command then fail or are skipped.
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
# Keeps the installed servers from starting: each test starts its own.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
  "${as_root[@]}" chmod +x "$policy"
  trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
