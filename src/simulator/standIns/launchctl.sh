#!/bin/bash
# A stand-in for launchctl, made by edge-relay's simulator: remembers which services are bootstrapped and disabled, and
# starts none of them. Exit codes are errno values and, for a service that is not there, 113, as launchctl's are.
state=@STATE@
loaded=$state/launchd/loaded
disabled=$state/launchd/disabled
mkdir -p "$loaded" "$disabled"
printf 'launchctl %s\n' "$*" >>"$state/calls.log"

# gui/501/label → a file name
key() { printf '%s' "${1//\//:}"; }
label_of() { sed -n '/<key>Label<\/key>/{n;s/.*<string>\(.*\)<\/string>.*/\1/p;}' "$1"; }
not_found() {
  printf 'Could not find service "%s" in domain for %s\n' "${1##*/}" "${1%/*}" >&2
  exit 113
}

command=${1-}
[ $# -gt 0 ] && shift
case $command in
  bootstrap)
    label=$([ -r "${2-}" ] && label_of "$2")
    service=$(key "$1/$label")
    if [ -z "$label" ] || [ -e "$loaded/$service" ] || [ -e "$disabled/$service" ]; then
      echo 'Bootstrap failed: 5: Input/output error' >&2
      exit 5
    fi
    cp "$2" "$loaded/$service"
    ;;
  bootout)
    target=$1
    [ -z "${2-}" ] || target=$1/$(label_of "$2")
    if [ ! -e "$loaded/$(key "$target")" ]; then
      echo 'Boot-out failed: 3: No such process' >&2
      exit 3
    fi
    rm "$loaded/$(key "$target")"
    ;;
  enable) rm -f "$disabled/$(key "$1")" ;;
  disable) : >"$disabled/$(key "$1")" ;;
  kickstart)
    while [ "${1#-}" != "$1" ]; do shift; done
    [ -e "$loaded/$(key "$1")" ] || not_found "$1"
    ;;
  print)
    [ -e "$loaded/$(key "$1")" ] || not_found "$1"
    printf '%s = {\n\tactive count = 1\n\tstate = running\n\tpid = 4242\n\tlast exit code = (never exited)\n}\n' "$1"
    ;;
  *)
    printf 'Unrecognized subcommand: %s\n' "$command" >&2
    exit 64
    ;;
esac
