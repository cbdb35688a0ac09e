#!/bin/bash
# A stand-in for security, made by edge-relay's simulator: generic passwords, each a file of mode 0600 in `keychain` of
# the state folder. add-, find- and delete-generic-password, also as lines of `security -i` on its standard input, split
# as the real one splits them (quotes ' and ", a backslash before any character, 4095 bytes and 32 words a line; it ends
# with the code of the last). Exit codes are the last byte of the error: 44 not found, 45 there already; with a code in
# the file `keychain-fails` every command ends with it: 36 locked and nobody to ask, 51 wrong password, 128 cancelled.
# Not there: other kinds of items, keychains beside the one, access lists (-T, -A are taken and ignored).
state=@STATE@
. @COMMON@
umask 077
LC_ALL=C

fail() { # CODE CALL
  local words
  case $1 in
    36) words='User interaction is not allowed.' ;;
    44) words='The specified item could not be found in the keychain.' ;;
    45) words='The specified item already exists in the keychain.' ;;
    51) words='The user name or passphrase you entered is not correct.' ;;
    128) words='User canceled the operation.' ;;
    *) words="A fault of the stand-in: $1" ;;
  esac
  printf 'security: %s: %s\n' "$2" "$words" >&2
  return "$1"
}

# As the real one: what is not printable ASCII is shown as hexadecimal digits.
show() { # FILE
  case $(cat "$1") in
    *[!\ -~]*) tr -d '\n' <"$1" | od -An -v -tx1 | tr -d ' \n' && echo ;;
    *) cat "$1" ;;
  esac
}

execute() { # COMMAND [ARGUMENT...]
  local command=$1 service='' account='' password='' hex='' update='' wanted='' item items
  # Never the arguments: a password may be among them, and calls.log is read by people.
  note security "$command"
  misbehave "security $command"
  shift
  while [ $# -gt 0 ]; do
    case $1 in
      -s) service=${2-}; shift ;;
      -a) account=${2-}; shift ;;
      -U) update=yes ;;
      -X) hex=${2-}; shift ;;
      -w)
        wanted=yes
        if [ "$command" = add-generic-password ]; then
          # Without a value, and last, it asks for one (twice, on the terminal; here it reads one line).
          if [ $# -gt 1 ]; then password=$2; shift; else IFS= read -r password; fi
        fi
        ;;
      -T | -l | -D | -j | -c | -C | -G) shift ;;
    esac
    [ $# -eq 0 ] || shift
  done
  [ -z "$hex" ] || password=$(printf '%b' "$(printf '%s' "$hex" | sed 's/../\\x&/g')")
  items=$state/keychain/${service//\//%2F}
  item=$items/${account//\//%2F}
  if [ -z "$account" ] && [ "$command" != add-generic-password ]; then
    for item in "$items"/*; do break; done
  fi
  case $command in
    find-generic-password)
      fails SecKeychainSearchCopyNext || return $?
      [ -f "$item" ] || { fail 44 SecKeychainSearchCopyNext; return 44; }
      if [ -n "$wanted" ]; then
        show "$item"
      else
        printf 'class: "genp"\nattributes:\n    "acct"<blob>="%s"\n    "svce"<blob>="%s"\n' "${item##*/}" "$service"
      fi
      ;;
    add-generic-password)
      fails 'SecKeychainItemCreateFromContent (<default>)' || return $?
      if [ -f "$item" ] && [ -z "$update" ]; then
        fail 45 'SecKeychainItemCreateFromContent (<default>)'
        return 45
      fi
      mkdir -p "$items"
      printf '%s\n' "$password" >"$item"
      ;;
    delete-generic-password)
      fails SecKeychainSearchCopyNext || return $?
      [ -f "$item" ] || { fail 44 SecKeychainSearchCopyNext; return 44; }
      rm "$item"
      echo 'password has been deleted.' >&2
      ;;
    quit | exit) return 255 ;;
    *)
      printf 'security: unknown command "%s"\n' "$command" >&2
      return 1
      ;;
  esac
}

fails() { # CALL
  local code
  [ -f "$state/keychain-fails" ] || return 0
  code=$(cat "$state/keychain-fails")
  fail "$code" "$1"
}

# Sets `words` to those of a line.
split() {
  local line=$1 at=0 char in='' word='' begun=''
  words=()
  while [ $at -lt ${#line} ]; do
    char=${line:at:1}
    at=$((at + 1))
    if [ -z "$begun" ]; then
      case $char in
        ' ' | $'\t') continue ;;
        \' | '"') in=$char; begun=yes; word=''; continue ;;
      esac
      in='' begun=yes word=''
    fi
    if [ "$char" = \\ ]; then
      word=$word${line:at:1}
      at=$((at + 1))
    elif { [ -n "$in" ] && [ "$char" = "$in" ]; } || { [ -z "$in" ] && { [ "$char" = ' ' ] || [ "$char" = $'\t' ]; }; }; then
      words[${#words[@]}]=$word
      begun=''
      [ ${#words[@]} -lt 32 ] || return 0
    else
      word=$word$char
    fi
  done
  [ -z "$begun" ] || words[${#words[@]}]=$word
}

misbehave security
if [ "${1-}" != -i ]; then
  if [ $# -eq 0 ]; then
    echo 'Usage: security [-h] [-i] [-l] [-p prompt] [-q] [-v] [command] [opt ...]' >&2
    exit 2
  fi
  execute "$@"
  exit $?
fi
code=0
while IFS= read -r line || [ -n "$line" ]; do
  # What is longer than its buffer is another line.
  while [ -n "$line" ]; do
    split "${line:0:4095}"
    line=${line:4095}
    [ ${#words[@]} -gt 0 ] || continue
    execute "${words[@]}"
    code=$?
    [ $code -ne 255 ] || exit 0
    [ $code -eq 0 ] || printf '%s: returned %s\n' "${words[0]}" $code >&2
  done
done
exit $code
