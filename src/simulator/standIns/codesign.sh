#!/bin/bash
# A stand-in for codesign, made by edge-relay's simulator: --verify (-v) and -d[v] of a file. How a file is signed is
# the word in `codesign/PATH` of the state folder, its / written as :, or in `codesign/default`: signed, adhoc (as
# Homebrew's), unsigned, broken. Without either a file is signed, as the Node of nodejs.org is. Not there: signing.
state=@STATE@
. @COMMON@
note codesign "$@"
misbehave codesign
mode='' verbose=0 file=''
while [ $# -gt 0 ]; do
  case $1 in
    --verify) mode=verify ;;
    --display) mode=display ;;
    --verbose*) verbose=$((verbose + 1)) ;;
    --*) ;;
    -*d*) mode=display; flags=${1//[!v]/}; verbose=$((verbose + ${#flags})) ;;
    # Alone it verifies, beside another operation it says more.
    -v*) if [ -z "$mode" ] && [ "$verbose" = 0 ]; then mode=verify; else flags=${1//[!v]/}; verbose=$((verbose + ${#flags})); fi ;;
    -R | -r | -s | -o) shift ;;
    *) file=$1 ;;
  esac
  shift
done
if [ -z "$mode" ] || [ -z "$file" ]; then
  echo 'Usage: codesign (stand-in) --verify|-d [-v] path' >&2
  exit 2
fi
if [ ! -e "$file" ]; then
  printf '%s: No such file or directory\n' "$file" >&2
  exit 1
fi
signed=signed
for word in "$state/codesign/default" "$state/codesign/$(key "$file")"; do
  [ ! -f "$word" ] || signed=$(cat "$word")
done
if [ "$signed" = unsigned ]; then
  printf '%s: code object is not signed at all\n' "$file" >&2
  exit 1
fi
if [ $mode = verify ]; then
  if [ "$signed" = broken ]; then
    printf '%s: invalid signature (code or signature have been modified)\nIn architecture: arm64\n' "$file" >&2
    exit 1
  fi
  [ $verbose = 0 ] || printf '%s: valid on disk\n%s: satisfies its Designated Requirement\n' "$file" "$file" >&2
  exit 0
fi
{
  printf 'Executable=%s\n' "$file"
  [ $verbose -gt 0 ] || exit 0
  if [ "$signed" = adhoc ]; then
    printf 'Identifier=%s\n' node-55554944
    echo 'Format=Mach-O thin (arm64)'
    echo 'CodeDirectory v=20400 size=500000 flags=0x20002(adhoc,linker-signed) hashes=15620+0 location=embedded'
    printf '%s\n' 'Signature=adhoc' 'Info.plist=not bound' 'TeamIdentifier=not set' 'Sealed Resources=none'
    exit 0
  fi
  echo 'Identifier=node'
  echo 'Format=Mach-O thin (arm64)'
  echo 'CodeDirectory v=20500 size=500000 flags=0x10000(runtime) hashes=15620+7 location=embedded'
  echo 'Signature size=9050'
  [ $verbose -lt 2 ] || printf 'Authority=%s\n' 'Developer ID Application: Node.js Foundation (HX7739G8FX)' \
    'Developer ID Certification Authority' 'Apple Root CA'
  printf '%s\n' 'Timestamp=1 Jan 2026 at 00:00:00' 'Info.plist=not bound' 'TeamIdentifier=HX7739G8FX' \
    'Runtime Version=13.3.0' 'Sealed Resources=none'
} >&2
