#!/bin/bash
# A stand-in for plutil, made by edge-relay's simulator: `-lint` only.
state=@STATE@
printf 'plutil %s\n' "$*" >>"$state/calls.log"
if [ "${1-}" != -lint ]; then
  echo 'plutil (stand-in): only -lint is there' >&2
  exit 64
fi
shift
[ "${1-}" = -s ] && shift
exec @NODE@ @LINT@ "$@"
