#!/bin/bash
# From a checkout to an agent that launchd runs: finds Node, builds where that is needed, and hands over to
# `edge-agent service install`, whose options it takes. Can be run again at any time, after a `git pull` with --build.
# Written for the bash 3.2 of macOS.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

# The codes of sysexits(3).
EX_USAGE=64
EX_UNAVAILABLE=69

fail() { # CODE MESSAGE
  printf '%s: %s\n' "${0##*/}" "$2" >&2
  exit "$1"
}

usage() {
  cat <<END
usage: scripts/install.sh [--build] [--node FILE] [OPTION…]

  --build      build again, as after an update of the checkout
  --node FILE  the Node to build with and to make the agent's private copy of (default: the one on PATH)
  OPTION…      those of: edge-agent service install --help
END
}

build=no
node=''
passed=()
while [ $# -gt 0 ]; do
  case $1 in
    --build) build=yes; shift ;;
    --node)
      [ $# -ge 2 ] || fail $EX_USAGE '--node needs a file'
      node=$2
      shift 2
      ;;
    --help | -h) usage; exit 0 ;;
    *) passed+=("$1"); shift ;;
  esac
done

# Sets `node` to the real path of a Node that is new enough.
find_node() {
  local advice='install Node 22.18 or newer from https://nodejs.org, or name one with --node FILE'
  [ -n "$node" ] || node=$(command -v node) || fail $EX_UNAVAILABLE "there is no node on PATH; $advice"
  local found version
  found=$("$node" -p 'process.versions.node + " " + process.execPath') || fail $EX_UNAVAILABLE "$node does not run; $advice"
  version=${found%% *}
  node=${found#* }
  local major=${version%%.*} minor=${version#*.}
  minor=${minor%%.*}
  if [ "$major" -lt 22 ] || { [ "$major" -eq 22 ] && [ "$minor" -lt 18 ]; }; then
    fail $EX_UNAVAILABLE "Node $version ($node) is too old; $advice"
  fi
}

# The agent that runs has a copy of its own: a build that fails, or takes long, is nothing to it.
build_program() {
  [ -f "$ROOT/package-lock.json" ] || fail $EX_UNAVAILABLE "$ROOT has no dist and is not a checkout to build it from"
  # npm must run on the Node that will run the agent. What it says is no answer to a question of the installer, and the
  # scripts of libraries have no business with the secret.
  (cd "$ROOT" && unset EDGE_SECRET && PATH="$(dirname "$node"):$PATH" && npm ci && npm run build) </dev/null ||
    fail $EX_UNAVAILABLE 'the program could not be built (see above); nothing was installed, and an agent that runs goes on'
}

find_node
if [ $build = yes ] || [ ! -f "$ROOT/dist/index.js" ]; then build_program; fi
# bash 3.2 calls an empty array unset.
exec "$node" "$ROOT/dist/index.js" service install --node "$node" ${passed[@]+"${passed[@]}"}
