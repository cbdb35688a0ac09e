#!/bin/bash
# A stand-in for launchctl, made by edge-relay's simulator: bootstrap, bootout, enable, disable, kickstart [-k] [-p],
# kill, print of a service, print-disabled, list. Exit codes are errno values and, for a service that is not there, 113.
# Services are remembered and called running as process 4242; with the file `launchd/starts` in the state folder each is
# a process of its own, started and restarted as launchd would (see launchdJob.ts). Not there: other domains' rules, the
# print of a domain, submit, config, the old load and unload. What is assumed: -k kills with SIGKILL.
state=@STATE@
. @COMMON@
loaded=$state/launchd/loaded
disabled=$state/launchd/disabled
jobs=$state/launchd/jobs
mkdir -p "$loaded" "$disabled" "$jobs"
note launchctl "$@"
misbehave launchctl
misbehave "launchctl ${1-}"

label_of() { sed -n '/<key>Label<\/key>/{n;s/.*<string>\(.*\)<\/string>.*/\1/p;}' "$1"; }
fail() { # CODE MESSAGE
  printf '%s\n' "$2" >&2
  exit "$1"
}
not_found() { # gui/501/label
  local domain=${1%/*}
  fail 113 "Could not find service \"${1##*/}\" in domain for ${domain/#gui\//user gui: }"
}
one() { [ ! -f "$1" ] || cat "$1"; }
# Waits, 5 s at most, until a command succeeds.
until_so() {
  local tries=0
  until "$@"; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || return 1
    sleep 0.05
  done
}
signal() { kill -"$1" "$(one "$jobs/$2/supervisor")" 2>/dev/null; }

bootstrap() { # gui/501 PLIST
  local label service
  label=$([ -r "${2-}" ] && label_of "$2")
  service=$(key "$1/$label")
  [ ! -e "$jobs/$service/leaving" ] || fail 37 'Bootstrap failed: 37: Operation already in progress'
  if [ -z "$label" ] || [ -e "$loaded/$service" ] || [ -e "$disabled/$service" ]; then
    fail 5 'Bootstrap failed: 5: Input/output error'
  fi
  mkdir -p "$jobs/$service"
  @NODE@ @JOB@ describe "$2" >"$jobs/$service/about" 2>/dev/null || fail 5 'Bootstrap failed: 5: Input/output error'
  printf '%s' "$2" >"$jobs/$service/path"
  cp "$2" "$loaded/$service"
  [ -e "$state/launchd/starts" ] || return 0
  (trap '' HUP && exec @NODE@ @JOB@ run "$state" "$service" "${BASH_SOURCE[0]%/*}") </dev/null >/dev/null 2>&1 &
  until_so [ -e "$jobs/$service/supervisor" ] || fail 5 'Bootstrap failed: 5: Input/output error'
}

bootout() { # gui/501/label | gui/501 PLIST
  local service
  service=$(key "$1${2:+/$(label_of "$2")}")
  [ -e "$loaded/$service" ] || fail 3 'Boot-out failed: 3: No such process'
  if [ ! -e "$jobs/$service/supervisor" ]; then
    rm -rf "${loaded:?}/$service" "${jobs:?}/$service"
    return 0
  fi
  : >"$jobs/$service/leaving"
  signal TERM "$service"
  # It does not wait for what takes long.
  local tries=0
  while [ -e "$loaded/$service" ]; do
    tries=$((tries + 1))
    [ $tries -lt 5 ] || fail 36 'Boot-out failed: 36: Operation now in progress'
    sleep 0.05
  done
}

# Another run than the one before, and a process.
has_run() { [ "$(one "$jobs/$1/runs")" != "$2" ] && [ -e "$jobs/$1/pid" ]; }

kickstart() { # [-k] [-p] [-s] gui/501/label
  local again='' show='' service runs
  while [ "${1#-}" != "$1" ]; do
    case $1 in *k*) again=yes ;; esac
    case $1 in *p*) show=yes ;; esac
    shift
  done
  service=$(key "$1")
  [ -e "$loaded/$service" ] || not_found "$1"
  if [ -e "$jobs/$service/supervisor" ]; then
    runs=$(one "$jobs/$service/runs")
    if [ -n "$again" ]; then signal ALRM "$service"; elif [ ! -e "$jobs/$service/pid" ]; then signal USR2 "$service"; else runs=; fi
    [ -z "$runs" ] || until_so has_run "$service" "$runs"
  fi
  [ -z "$show" ] || printf 'service spawned with pid: %s\n' "$(pid_of "$service")"
}

# Nothing when it does not run.
pid_of() { if [ -e "$jobs/$1/supervisor" ]; then one "$jobs/$1/pid"; else echo 4242; fi; }
# What `list` has of the last end: an exit code, or a signal as a negative number.
last_of() { one "$jobs/$1/last" | { read -r how what _; case $how in exit) echo "$what" ;; signal) echo "-$what" ;; *) echo 0 ;; esac; }; }

print_service() { # gui/501/label
  local service pid state_word='not running' active=0 how='' what='' name=''
  service=$(key "$1")
  [ -e "$loaded/$service" ] || not_found "$1"
  pid=$(pid_of "$service")
  [ ! -e "$jobs/$service/scheduled" ] || state_word='spawn scheduled'
  [ -z "$pid" ] || { state_word=running active=1; }
  printf '%s = {\n\tactive count = %s\n\tpath = %s\n\ttype = LaunchAgent\n\tstate = %s\n\n' \
    "$1" $active "$(one "$jobs/$service/path")" "$state_word"
  tail -n +2 "$jobs/$service/about"
  printf '\truns = %s\n' "$(one "$jobs/$service/runs" | grep . || echo 1)"
  [ -z "$pid" ] || printf '\tpid = %s\n\timmediate reason = speculative\n' "$pid"
  [ ! -f "$jobs/$service/last" ] || read -r how what name <"$jobs/$service/last"
  case $how in
    signal) printf '\tlast terminating signal = %s: %s\n' "$name" "$what" ;;
    exit) printf '\tlast exit code = %s%s\n' "$what" "${name:+: $name}" ;;
    *) printf '\tlast exit code = (never exited)\n' ;;
  esac
  printf '}\n'
}

list_services() {
  local file service pid
  printf 'PID\tStatus\tLabel\n'
  for file in "$loaded"/*; do
    [ -e "$file" ] || continue
    service=${file##*/} pid=$(pid_of "${file##*/}")
    printf '%s\t%s\t%s\n' "${pid:--}" "$(last_of "$service")" "${service##*:}"
  done
}

list_service() { # label
  local file pid
  for file in "$loaded"/*":$1"; do
    [ -e "$file" ] || fail 113 "Could not find service \"$1\" in domain for port"
    pid=$(pid_of "${file##*/}")
    printf '{\n\t"LimitLoadToSessionType" = "Aqua";\n\t"Label" = "%s";\n\t"OnDemand" = false;\n\t"LastExitStatus" = %s;\n' \
      "$1" "$(last_of "${file##*/}")"
    [ -z "$pid" ] || printf '\t"PID" = %s;\n' "$pid"
    printf '};\n'
    return 0
  done
}

print_disabled() { # gui/501
  local file prefix
  prefix=$(key "$1/")
  printf '\n\tdisabled services = {\n'
  for file in "$disabled/$prefix"*; do
    [ ! -e "$file" ] || printf '\t\t"%s" => disabled\n' "${file##*/"$prefix"}"
  done
  printf '\t}\n'
}

command=${1-}
[ $# -gt 0 ] && shift
case $command in
  bootstrap) bootstrap "$@" ;;
  bootout) bootout "$@" ;;
  enable) rm -f "$disabled/$(key "$1")" ;;
  disable) : >"$disabled/$(key "$1")" ;;
  kickstart) kickstart "$@" ;;
  kill)
    [ -e "$loaded/$(key "$2")" ] || not_found "$2"
    pid=$(pid_of "$(key "$2")")
    [ -n "$pid" ] || fail 3 'No process to signal.'
    [ ! -e "$jobs/$(key "$2")/supervisor" ] || kill -"${1#SIG}" "$pid"
    ;;
  print) print_service "$1" ;;
  print-disabled) print_disabled "$1" ;;
  list) if [ $# -gt 0 ]; then list_service "$1"; else list_services; fi ;;
  *) fail 64 "Unrecognized subcommand: $command" ;;
esac
