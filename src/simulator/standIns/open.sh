#!/bin/bash
# A stand-in for open, made by edge-relay's simulator: notes the call (a page of System Settings, a web page), and
# launches the simulated Messages if that is what shall be opened.
state=@STATE@
. @COMMON@
note open "$@"
misbehave open
case " $* " in
  *' Messages '* | *' com.apple.MobileSMS '* | *'/Messages.app '*)
    osascript=${BASH_SOURCE[0]%/*}/osascript
    [ ! -x "$osascript" ] || "$osascript" -e 'tell application "Messages" to launch' >/dev/null
    ;;
esac
