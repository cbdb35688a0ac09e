# shellcheck shell=bash
# What the stand-ins for macOS's programs share, all but osascript: each call is noted, and a test may have asked for
# another behaviour (behave.ts). Written for bash 3.2. `state` is the folder they all remember in.

note() { printf '%s\n' "$*" >>"$state/calls.log"; }

# NAME, or "NAME SUBCOMMAND": what a test asked for is a file of this name with the times left (or "always"), "hang" or
# the exit code, and what is said on stderr.
misbehave() {
  local file=$state/behave/$1 times what words
  [ -f "$file" ] || return 0
  { IFS= read -r times; IFS= read -r what; words=$(cat); } <"$file"
  case $times in
    always) ;;
    1) rm -f "$file" ;;
    *) printf '%s\n%s\n%s\n' $((times - 1)) "$what" "$words" >"$file.$$" && mv -f "$file.$$" "$file" ;;
  esac
  # Itself and no child: what kills the program must not leave one behind that holds its pipes open.
  [ "$what" != hang ] || exec sleep 600
  [ -z "$words" ] || printf '%s\n' "$words" >&2
  exit "$what"
}

# A name in which / may stand → a file name.
key() { printf '%s' "${1//\//:}"; }
