"""Runs a program on a pseudo-terminal and types what it is told to: questions.py PROMPT=ANSWER... -- PROGRAM ARG...

Each answer is typed when its prompt has appeared after the one before. Prints everything that was on the screen; ends
with the exit code of the program, or 99 when a prompt did not come within a minute.
"""

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time

at = sys.argv.index("--")
steps = [step.split("=", 1) for step in sys.argv[1:at]]
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
    os.execvp(sys.argv[at + 1], sys.argv[at + 1 :])

screen, seen, since = "", 0, time.monotonic()
while True:
    ready, _, _ = select.select([terminal], [], [], 0.2)
    if ready:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # the program has ended
            break
        if not data:
            break
        text = data.decode("utf-8", "replace")
        screen += text
        sys.stdout.write(text)
        sys.stdout.flush()
    if steps and steps[0][0] in screen[seen:]:
        seen, since = len(screen), time.monotonic()
        os.write(terminal, steps.pop(0)[1].encode() + b"\r")
    if steps and time.monotonic() - since > 60:
        os.kill(pid, 9)
        sys.exit(99)
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status))
