#!/bin/bash
# A stand-in for open, made by edge-relay's simulator: notes the call, and launches the simulated Messages if that is
# what shall be opened.
state=@STATE@
printf 'open %s\n' "$*" >>"$state/calls.log"
case " $* " in
  *' Messages '* | *' com.apple.MobileSMS '* | *'/Messages.app '*)
    osascript=${BASH_SOURCE[0]%/*}/osascript
    [ ! -x "$osascript" ] || "$osascript" -e 'tell application "Messages" to launch' >/dev/null
    ;;
esac
