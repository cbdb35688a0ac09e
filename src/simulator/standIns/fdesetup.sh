#!/bin/bash
# A stand-in for fdesetup, made by edge-relay's simulator: `status` and `isactive`, which need no root. Not there: all
# that changes FileVault. On when the file `filevault` is in the state folder.
state=@STATE@
. @COMMON@
note fdesetup "$@"
misbehave fdesetup
active=
[ ! -e "$state/filevault" ] || active=yes
case ${1-} in
  status) if [ -n "$active" ]; then echo 'FileVault is On.'; else echo 'FileVault is Off.'; fi ;;
  isactive)
    if [ -n "$active" ]; then echo true; else echo false; exit 1; fi
    ;;
  *)
    echo 'Error: fdesetup (stand-in): only status and isactive are there' >&2
    exit 1
    ;;
esac
