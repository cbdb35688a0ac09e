#!/bin/bash
# Stops edge-agent and takes it out of launchd. With --purge its state and logs go too. Can be run again at any time.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# shellcheck source=scripts/launchd.sh
. "$ROOT/scripts/launchd.sh"

usage() {
  cat <<END
usage: scripts/uninstall.sh [--purge --yes] [--config FILE]

  --purge        delete the state and the logs as well; without --yes it only says what would be deleted. What was
                 sent and seen is then forgotten: an agent installed later does not know it.
  --config FILE  where --purge reads state.dir and logging.file
                 (default: $DEFAULT_CONFIG)

The configuration, the secret and the permissions given in System Settings stay.
END
}

config=$DEFAULT_CONFIG
purge=no
yes=no
while [ $# -gt 0 ]; do
  case $1 in
    --config)
      [ $# -ge 2 ] || fail $EX_USAGE "$1 needs a file"
      config=$(absolute "$2")
      shift 2
      ;;
    --purge) purge=yes; shift ;;
    --yes) yes=yes; shift ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; fail $EX_USAGE "unknown argument: $1" ;;
  esac
done

# Sets `state_dir` and `log_file` to what the agent itself would use.
find_data() {
  if [ ! -f "$config" ]; then
    state_dir="$HOME/Library/Application Support/edge-agent"
    log_file="$LOG_DIR/edge-agent.log"
    return
  fi
  local found script='
    const { pathToFileURL } = await import("node:url");
    const { loadConfig } = await import(pathToFileURL(process.argv[1]));
    const config = loadConfig(process.argv[2]);
    console.log(config.state.dir + "\n" + config.logging.file);'
  found=$(node --input-type=module -e "$script" "$ROOT/dist/config/loadConfig.js" "$config" 2>/dev/null) ||
    fail $EX_CONFIG "cannot tell from $config where state and logs are; nothing was changed. See: edge-agent check-config"
  state_dir=${found%%$'\n'*}
  log_file=${found#*$'\n'}
}

# Only names that the agent gives, in full: state.dir may be a folder that holds other things.
data_files() {
  local file
  for file in "$state_dir"/state.db "$state_dir"/state.db-{wal,shm} "$state_dir"/state.db.v[0-9]*.bak \
    "$state_dir"/state.db.corrupt-[0-9]* "$state_dir"/high-water "$state_dir"/lock.db "$state_dir"/lock.db-journal "$state_dir"/lock.pid "$state_dir"/control.sock \
    "$state_dir"/crash-loop.json{,.next} \
    "$log_file" "$log_file".[0-9] "$log_file".[0-9][0-9] "$LOG_DIR/edge-agent.stderr.log"; do
    [ ! -e "$file" ] || printf '%s\n' "$file"
  done
}

delete_data() {
  local file
  data_files | while IFS= read -r file; do
    rm -f "$file"
    echo "Deleted $file"
  done
  rmdir "$state_dir" "$(dirname "$log_file")" "$LOG_DIR" 2>/dev/null || true # what is not empty stays
}

check_machine
if [ $purge = yes ]; then
  find_data
  if [ $yes = no ]; then
    echo 'This would be deleted; run it again with --yes to do so:'
    data_files
    exit $EX_USAGE
  fi
fi
if is_loaded || [ -e "$PLIST" ]; then
  unload
  rm -f "$PLIST"
  echo "$LABEL is stopped and taken out of launchd."
else
  echo "$LABEL is not installed."
fi
[ $purge = no ] || delete_data
