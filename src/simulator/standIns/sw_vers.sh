#!/bin/bash
# A stand-in for sw_vers, made by edge-relay's simulator.
state=@STATE@
. @COMMON@
version=@VERSION@
misbehave sw_vers
case ${1-} in
  -productVersion | --productVersion) echo "$version" ;;
  -productName | --productName) echo macOS ;;
  -buildVersion | --buildVersion) echo 00A000 ;;
  *) printf 'ProductName:\t\tmacOS\nProductVersion:\t\t%s\nBuildVersion:\t\t00A000\n' "$version" ;;
esac
