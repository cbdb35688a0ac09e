#!/bin/bash
# A stand-in for defaults, made by edge-relay's simulator: read, write and delete of one key of a domain, each a file in
# `defaults/DOMAIN/KEY` of the state folder. Values are strings; a bool reads as 1 or 0. Not there: a whole domain read
# as a dictionary, arrays, other hosts. Needs no root where a Mac does (writing below /Library/Preferences).
state=@STATE@
. @COMMON@
note defaults "$@"
misbehave defaults
[ "${1-}" = -currentHost ] && shift
command=${1-} domain=${2-} name=${3-}
if [ -z "$domain" ] || { [ -z "$name" ] && [ "$command" != delete ]; }; then
  echo 'defaults (stand-in): read|write|delete DOMAIN KEY [VALUE]' >&2
  exit 255
fi
domain=${domain%.plist}
folder=$state/defaults/$(key "$domain")
missing() {
  printf '%s defaults[%s:4242] \n%s\n' "$(date '+%Y-%m-%d %H:%M:%S.000')" $$ "$1" >&2
  exit 1
}
case $command in
  read)
    [ -f "$folder/$name" ] || missing "The domain/default pair of ($domain, $name) does not exist"
    cat "$folder/$name"
    ;;
  write)
    value=${4-}
    case $value in
      -bool | -boolean) case ${5-} in true | TRUE | yes | YES | 1) value=1 ;; *) value=0 ;; esac ;;
      -string | -int | -integer | -float) value=${5-} ;;
    esac
    mkdir -p "$folder"
    printf '%s\n' "$value" >"$folder/$name"
    ;;
  delete)
    if [ -z "$name" ]; then
      [ -d "$folder" ] || missing "Domain ($domain) not found."
      rm -r "$folder"
    else
      [ -f "$folder/$name" ] || missing "Domain ($domain) not found."
      rm "$folder/$name"
    fi
    ;;
  *)
    printf 'defaults (stand-in): no command %s\n' "$command" >&2
    exit 255
    ;;
esac
