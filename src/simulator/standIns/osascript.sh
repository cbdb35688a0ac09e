#!/bin/bash
# A stand-in for /usr/bin/osascript, made by edge-relay's simulator: it hands its arguments and script to the simulated
# Messages on a loopback port and ends as that says. Builtins only, because it has to start as fast as it can; written
# for bash 3.2, which macOS has, and later.
started=${EPOCHREALTIME-}
# Bytes stay bytes, whatever the caller's locale.
LC_ALL=C
port=@PORT@
token=@TOKEN@

# Messages gone before the request, or while it waits for the answer: the server closed or was killed.
trap '' PIPE
fail() {
  printf '45:94: execution error: Messages got an error: %s\n' "$1" >&2
  exit 1
}

script=
from=stdin
while [ $# -gt 0 ]; do
  case $1 in
    -e) script=$script$2$'\n' from=arguments; shift 2 ;;
    -l | -s) shift 2 ;;
    -i) shift ;;
    --) shift; break ;;
    -) break ;;
    -*) printf 'osascript: illegal option -- %s\n' "${1#-}" >&2; exit 2 ;;
    *) break ;;
  esac
done
if [ "$from" = stdin ]; then
  if [ $# -gt 0 ] && [ "$1" != - ]; then
    [ -r "$1" ] || { printf 'osascript: %s: No such file or directory\n' "$1" >&2; exit 1; }
    IFS= read -r -d '' script <"$1"
  else
    IFS= read -r -d '' script
  fi
  [ $# -gt 0 ] && shift
fi

{ exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null || fail 'Application isn’t running. (-600)'
printf '%s\0' "$token" "${started//[.,]/}" $# "$@" "$script" >&3 2>/dev/null
IFS= read -r -d '' code <&3 && IFS= read -r -d '' out <&3 && IFS= read -r -d '' err <&3 ||
  fail 'Connection is invalid. (-609)'
printf '%s' "$out"
printf '%s' "$err" >&2
exit "$code"
