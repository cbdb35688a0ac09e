#!/bin/bash
# A stand-in for caffeinate, made by edge-relay's simulator: lives until the process of -w ends, the time of -t is over
# or a signal ends it, and has its flags in `caffeinate/PID` of the state folder meanwhile, which pmset's stand-in shows.
# A utility to run is started and waited for. It keeps nothing awake.
state=@STATE@
. @COMMON@
note caffeinate "$@"
misbehave caffeinate
flags='' of='' seconds=''
while getopts disumt:w: option; do
  case $option in
    w) of=$OPTARG ;;
    t) seconds=$OPTARG ;;
    '?') echo 'usage: caffeinate [-disu] [-t timeout] [-w Process ID] [command arguments...]' >&2; exit 64 ;;
    *) flags=$flags$option ;;
  esac
done
shift $((OPTIND - 1))
mkdir -p "$state/caffeinate"
trap 'rm -f "$state/caffeinate/$$"' EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
trap 'exit 129' HUP
printf '%s\n' "${flags:-i}" >"$state/caffeinate/$$"
if [ $# -gt 0 ]; then
  "$@"
  exit $?
fi
while :; do
  if [ -n "$of" ] && ! kill -0 "$of" 2>/dev/null; then exit 0; fi
  if [ -n "$seconds" ] && [ $SECONDS -ge "$seconds" ]; then exit 0; fi
  sleep 0.2
done
