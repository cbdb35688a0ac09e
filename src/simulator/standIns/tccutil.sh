#!/bin/bash
# A stand-in for tccutil, made by edge-relay's simulator: `reset SERVICE [BUNDLE_ID]` notes the call and takes nothing
# away, of the simulated Messages either.
state=@STATE@
. @COMMON@
note tccutil "$@"
misbehave tccutil
if [ "${1-}" != reset ] || [ $# -lt 2 ]; then
  echo 'Usage: tccutil reset SERVICE [BUNDLE_ID]' >&2
  exit 64
fi
case $2 in
  All | AppleEvents | SystemPolicyAllFiles | AddressBook | Accessibility | ScreenCapture) ;;
  *)
    printf 'tccutil: No such service: %s\n' "$2" >&2
    exit 70
    ;;
esac
printf 'Successfully reset %s%s\n' "$2" "${3:+ approval status for $3}"
