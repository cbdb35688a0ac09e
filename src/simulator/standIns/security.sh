#!/bin/bash
# A stand-in for security, made by edge-relay's simulator: generic passwords, each a file of mode 0600. The exit codes
# are those of the real one: 44 not found, 45 there already.
state=@STATE@
umask 077
# Never the password itself: calls.log is read by people.
printf 'security %s\n' "${1-}" >>"$state/calls.log"

command=${1-}
[ $# -gt 0 ] && shift
service='' account='' password='' update='' show=''
while [ $# -gt 0 ]; do
  case $1 in
    -s) service=$2; shift 2 ;;
    -a) account=$2; shift 2 ;;
    -U) update=yes; shift ;;
    -w)
      show=yes
      shift
      # Without a value, and last, it asks for one.
      if [ "$command" = add-generic-password ]; then
        if [ $# -gt 0 ]; then password=$1; shift; else IFS= read -r password; fi
      fi
      ;;
    -T | -l | -D | -j) shift 2 ;;
    *) shift ;;
  esac
done

items=$state/keychain/${service//\//%2F}
item=$items/${account//\//%2F}
if [ -z "$account" ] && [ "$command" != add-generic-password ]; then
  for item in "$items"/*; do break; done
fi
case $command in
  find-generic-password)
    if [ ! -f "$item" ]; then
      echo 'security: SecKeychainSearchCopyNext: The specified item could not be found in the keychain.' >&2
      exit 44
    fi
    if [ -n "$show" ]; then
      cat "$item"
    else
      printf 'class: "genp"\nattributes:\n    "acct"<blob>="%s"\n    "svce"<blob>="%s"\n' "${item##*/}" "$service"
    fi
    ;;
  add-generic-password)
    if [ -f "$item" ] && [ -z "$update" ]; then
      echo 'security: SecKeychainItemCreateFromContent (<default>): The specified item already exists in the keychain.' >&2
      exit 45
    fi
    mkdir -p "$items"
    printf '%s\n' "$password" >"$item"
    ;;
  delete-generic-password)
    if [ ! -f "$item" ]; then
      echo 'security: SecKeychainSearchCopyNext: The specified item could not be found in the keychain.' >&2
      exit 44
    fi
    rm "$item"
    ;;
  *)
    printf 'security (stand-in): unknown command "%s"\n' "$command" >&2
    exit 2
    ;;
esac
