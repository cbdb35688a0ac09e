#!/bin/bash
# Installs edge-agent as a LaunchAgent of the user who runs this. Can be run again at any time, after an update as well.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# shellcheck source=scripts/launchd.sh
. "$ROOT/scripts/launchd.sh"

usage() {
  cat <<END
usage: scripts/install.sh [--config FILE] [--node FILE] [--secret-file FILE] [--build]

  --config FILE       the configuration; made from config.yaml.example if there is none
                      (default: $DEFAULT_CONFIG)
  --node FILE         the Node that runs the agent (default: the one on PATH)
  --secret-file FILE  ask for the secret, or read it from stdin, and keep it in FILE with mode 0600
  --build             build again, as after an update of the checkout
END
}

config=$DEFAULT_CONFIG
node=''
secret_file=''
build=no
while [ $# -gt 0 ]; do
  case $1 in
    --config | --node | --secret-file)
      [ $# -ge 2 ] || fail $EX_USAGE "$1 needs a file"
      case $1 in
        --config) config=$(absolute "$2") ;;
        --node) node=$2 ;;
        --secret-file) secret_file=$(absolute "$2") ;;
      esac
      shift 2
      ;;
    --build) build=yes; shift ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; fail $EX_USAGE "unknown argument: $1" ;;
  esac
done

# Sets `node` to the real path of a Node that is new enough: macOS ties its permissions to that file, not to a link.
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

# The secret goes from the terminal or a pipe into the file through builtins only: never an argument that ps could show.
keep_secret() {
  local secret
  if [ -t 0 ]; then
    IFS= read -r -s -p 'Secret (not shown): ' secret || true
    echo
  else
    IFS= read -r secret || true
  fi
  [ -n "$secret" ] || fail $EX_USAGE 'the secret is empty; nothing was written'
  (
    umask 077
    mkdir -p "$(dirname "$secret_file")"
    rm -f "$secret_file.new"
    printf '%s' "$secret" >"$secret_file.new"
    mv -f "$secret_file.new" "$secret_file"
  )
  echo "The secret is in $secret_file (mode 0600). Name it in the configuration as edge.secret_file."
}

# The example is valid as it stands, but its backend is nobody's: it is not loaded before somebody has filled it in.
require_config() {
  if [ ! -f "$config" ]; then
    (
      umask 077
      mkdir -p "$(dirname "$config")"
      cat "$ROOT/config.yaml.example" >"$config"
    )
    echo "Wrote $config."
  fi
  cmp -s "$ROOT/config.yaml.example" "$config" || return 0
  cat <<END
Fill in two keys of $config, then run this again:

  edge.agent_id   the id under which the backend knows this Mac
  backend.url     where the backend is

The secret never stands in that file. Give it in one of two ways:

  scripts/install.sh --secret-file FILE                        and name it as edge.secret_file: FILE
  security add-generic-password -U -a AGENT_ID -s edge-agent -w   (asks for it)
                                                               and name it as edge.secret_keychain_service: edge-agent
END
  exit $EX_CONFIG
}

build_program() {
  [ -f "$ROOT/package-lock.json" ] || fail $EX_UNAVAILABLE "$ROOT has no dist and is not a checkout to build it from"
  # npm must run on the Node that will run the agent.
  (cd "$ROOT" && PATH="$(dirname "$node"):$PATH" && npm ci && npm run build)
}

place_plist() {
  WORK=$(mktemp -d)
  trap 'rm -rf "$WORK"' EXIT
  "$node" "$ROOT/dist/index.js" service plist --config "$config" --node "$node" \
    >"$WORK/$LABEL.plist"
  plutil -lint -s "$WORK/$LABEL.plist" || fail $EX_SOFTWARE 'the property list is not valid; nothing was changed'
  mkdir -p "$(dirname "$PLIST")"
  (umask 077 && mkdir -p "$LOG_DIR")
  chmod 644 "$WORK/$LABEL.plist"
  mv -f "$WORK/$LABEL.plist" "$PLIST"
}

load() {
  unload
  launchctl enable "$DOMAIN/$LABEL" # first: a service that was disabled cannot be bootstrapped
  local tries=0 code
  while :; do
    code=0
    launchctl bootstrap "$DOMAIN" "$PLIST" || code=$?
    [ $code -ne 0 ] || break
    tries=$((tries + 1))
    # 5 and 37: launchd has not let go of the label yet; it does within seconds.
    if { [ $code -ne 5 ] && [ $code -ne 37 ]; } || [ $tries -ge 30 ]; then
      fail $EX_SOFTWARE "launchctl bootstrap failed ($code). Is this user logged in at the screen? Then run this again."
    fi
    sleep 0.5
  done
  # Without -k: RunAtLoad has started it already, and -k would kill it in mid-start.
  launchctl kickstart "$DOMAIN/$LABEL"
}

say_what_is_left() {
  cat <<END

edge-agent is loaded as $LABEL. It needs two permissions, both for exactly this file:

  $node

  1. System Settings > Privacy & Security > Full Disk Access: add the file (Cmd-Shift-G in the dialog takes its path).
     Without it the agent cannot read messages.
  2. System Settings > Privacy & Security > Automation: allow it to control Messages. macOS asks at the first send.
     Without it the agent cannot send.

END
  case $node in
    */Cellar/* | */.nvm/* | */.fnm/* | */.volta/* | */.asdf/* | */mise/*)
      echo "An update of this Node moves the file, and macOS then forgets both. The installer of nodejs.org keeps its place."
      echo
      ;;
  esac
  cat <<END
Does it run?

  "$node" "$ROOT/dist/index.js" status --config "$config"
  tail -f "$LOG_DIR/edge-agent.log"    (or the logging.file of the configuration)

What it says before its log is open goes to $LOG_DIR/edge-agent.stderr.log.
END
}

check_machine
find_node
[ -z "$secret_file" ] || keep_secret
require_config
if [ $build = yes ] || [ ! -f "$ROOT/dist/index.js" ]; then build_program; fi
code=0
"$node" "$ROOT/dist/index.js" check-config --config "$config" || code=$?
[ $code -eq 0 ] || fail $code "the configuration has problems; nothing was loaded or changed"
place_plist
load
say_what_is_left
