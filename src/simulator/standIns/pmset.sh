#!/bin/bash
# A stand-in for pmset, made by edge-relay's simulator: -g (live), -g custom, -g assertions and -g batt; -a, -c and -b
# set names to values. The settings are lines "NAME VALUE" in `pmset` of the state folder, of a Mac mini that has only
# AC power. Assertions are those of the caffeinate stand-ins that run. Needs no root to set, as a Mac does.
state=@STATE@
. @COMMON@
note pmset "$@"
misbehave pmset
settings=$state/pmset

# What keeps it awake, by pid.
awake() {
  local file pid
  for file in "$state"/caffeinate/*; do
    pid=${file##*/}
    if [ -f "$file" ] && kill -0 "$pid" 2>/dev/null; then printf '%s %s\n' "$pid" "$(cat "$file")"; fi
  done
}

show() { # "live": with what prevents sleep
  local name value more
  while read -r name value; do
    more=
    if [ "${1-}" = live ] && [ "$name" = sleep ] && [ -n "$(awake)" ]; then more=' (sleep prevented by caffeinate)'; fi
    printf ' %-20s %s%s\n' "${name//_/ }" "$value" "$more"
  done <"$settings"
}

case ${1-} in
  -g)
    case ${2-live} in
      live) printf 'System-wide power settings:\nCurrently in use:\n' && show live ;;
      custom) echo 'AC Power:' && show ;;
      batt | ps) echo "Now drawing from 'AC Power'" ;;
      assertions)
        held=$(awake)
        has() { case $held in *"$1"*) echo 1 ;; *) echo 0 ;; esac; }
        printf '%s \nAssertion status system-wide:\n' "$(date '+%Y-%m-%d %H:%M:%S %z')"
        printf '   %-30s %s\n' BackgroundTask 0 UserIsActive 0 PreventUserIdleDisplaySleep "$(has d)" \
          PreventSystemSleep "$(has s)" PreventUserIdleSystemSleep "$(has i)" PreventDiskIdle "$(has m)"
        echo 'Listed by owning process:'
        printf '%s\n' "$held" | while read -r pid flags; do
          for pair in s:PreventSystemSleep i:PreventUserIdleSystemSleep m:PreventDiskIdle d:PreventUserIdleDisplaySleep; do
            case $flags in
              *"${pair%%:*}"*)
                printf '   pid %s(caffeinate): [0x0000000100018000] 00:00:01 %s named: "caffeinate command-line tool" \n' \
                  "$pid" "${pair#*:}"
                ;;
            esac
          done
        done
        ;;
      *)
        echo 'pmset (stand-in): -g knows live, custom, assertions and batt' >&2
        exit 64
        ;;
    esac
    ;;
  -a | -b | -c)
    shift
    while [ $# -ge 2 ]; do
      { grep -v "^$1 " "$settings"; printf '%s %s\n' "$1" "$2"; } >"$settings.new"
      mv -f "$settings.new" "$settings"
      shift 2
    done
    ;;
  *)
    echo 'Usage: pmset <options>' >&2
    exit 64
    ;;
esac
