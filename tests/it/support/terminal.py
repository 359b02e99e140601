"""Runs a program at a terminal and types for a person: terminal.py STEPS COMMAND...

STEPS is a JSON list of pairs, a text to wait for and what is typed then. What the terminal showed goes to standard output; the exit code is
the program's, or 99 when it did not ask what was expected.
"""

import json
import os
import pty
import select
import signal
import sys
import termios
import time

PATIENCE = 30.0


def main() -> int:
    steps = json.loads(sys.argv[1])
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.argv[2], sys.argv[2:])
    end = time.monotonic() + PATIENCE
    shown, read = b"", 0
    for expected, typed in steps:
        while (at := shown.find(expected.encode(), read)) < 0:
            more = hear(terminal, end)
            if not more:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                sys.stdout.buffer.write(shown)
                print(f"\n--- not asked: {expected}")
                return 99
            shown += more
        read = at + len(expected.encode())
        listens(terminal, end)
        os.write(terminal, typed.encode())
    while more := hear(terminal, end):
        shown += more
    sys.stdout.buffer.write(shown)
    if time.monotonic() >= end:
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 0xFF


def hear(terminal: int, end: float) -> bytes:
    """What the program shows next; nothing when it has ended or it is late."""
    while (left := end - time.monotonic()) > 0:
        if select.select([terminal], [], [], left)[0]:
            try:
                return os.read(terminal, 65536)
            except OSError:
                # Linux says so when the last program has left the terminal.
                return b""
    return b""


def listens(terminal: int, end: float) -> None:
    """Waits until the program reads keys, or a line without showing it: what is typed before may be thrown away."""
    both = termios.ECHO | termios.ICANON
    while termios.tcgetattr(terminal)[3] & both == both and time.monotonic() < end:
        time.sleep(0.01)


sys.exit(main())
