#!/bin/bash
# Takes edge-agent out of launchd: the short way to `edge-agent service uninstall`, whose options it takes.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
LABEL=com.edge-relay.edge-agent

node="$HOME/Library/Application Support/edge-agent/runtime/bin/edge-agent-node"
[ -x "$node" ] || node=$(command -v node) || node=''
if [ -z "$node" ] || [ ! -f "$ROOT/dist/index.js" ]; then
  cat >&2 <<END
${0##*/}: this takes a node on PATH and a built $ROOT/dist. Without them, by hand:

  launchctl bootout "gui/$(id -u)/$LABEL"
  rm -f "$HOME/Library/LaunchAgents/$LABEL.plist"
END
  exit 69
fi
exec "$node" "$ROOT/dist/index.js" service uninstall "$@"
