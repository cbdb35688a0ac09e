# shellcheck shell=bash
# What install.sh and uninstall.sh share. Written for the bash 3.2 of macOS.

LABEL=com.edge-relay.edge-agent
PLIST="$HOME/Library/LaunchAgents/$LABEL.plist"
LOG_DIR="$HOME/Library/Logs/edge-agent"
DEFAULT_CONFIG="$HOME/.config/edge-agent/config.yaml"
DOMAIN="gui/$(id -u)"

# The codes of sysexits(3).
EX_USAGE=64
EX_UNAVAILABLE=69
EX_SOFTWARE=70
EX_NOPERM=77
EX_CONFIG=78

fail() { # CODE MESSAGE
  printf '%s: %s\n' "${0##*/}" "$2" >&2
  exit "$1"
}

# EDGE_INSTALL_ALLOW_OS=Linux lets the tests run these scripts there, against stand-ins for launchctl and plutil.
check_machine() {
  local os
  os=$(uname -s)
  [ "$os" != "${EDGE_INSTALL_ALLOW_OS:-}" ] || return 0
  [ "$os" = Darwin ] || fail $EX_UNAVAILABLE "this is for macOS; here (on $os) run the agent with: edge-agent run"
  [ "$(id -u)" -ne 0 ] || fail $EX_NOPERM 'run this as the user who is signed in to Messages, without sudo'
}

absolute() { # PATH
  case $1 in
    /*) printf '%s\n' "$1" ;;
    *) printf '%s\n' "$PWD/$1" ;;
  esac
}

is_loaded() {
  launchctl print "$DOMAIN/$LABEL" >/dev/null 2>&1
}

# bootout returns before the service is gone: until the agent has ended (ExitTimeOut, 20 s) a bootstrap fails with 5.
unload() {
  is_loaded || return 0
  launchctl bootout "$DOMAIN/$LABEL" 2>/dev/null || true # 36, "in progress", and 3, "just gone", are as good
  local tries=0
  while is_loaded; do
    tries=$((tries + 1))
    [ $tries -lt 150 ] || fail $EX_SOFTWARE "$LABEL does not end; see: launchctl print $DOMAIN/$LABEL"
    sleep 0.2
  done
}
