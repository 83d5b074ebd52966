# SPDX-License-Identifier: MIT
"""Runs a command in a terminal of its own, as its only program, and prints what it writes there.

usage: terminal.py [--type KEYS] COLUMNS COMMAND...
--type KEYS   are typed (^C is Ctrl-C) when the command has written "[waits]".
Its exit status is the command's, 128 and the signal's number when one ended it.
"""
import fcntl, os, pty, signal, struct, sys, termios

arguments = sys.argv[1:]
keys = b""
if arguments[0] == "--type":
    keys = arguments[1].replace("^C", "\x03").encode()
    arguments = arguments[2:]
columns, command = int(arguments[0]), arguments[1:]

child, terminal = pty.fork()
if child == 0:
    signal.alarm(120)  # the command's, when it hangs
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execvp(command[0], command)

written = b""
while True:
    try:
        part = os.read(terminal, 65536)
    except OSError:  # how a terminal ends on Linux
        break
    if not part:
        break
    written += part
    if keys and b"[waits]" in written:
        os.write(terminal, keys)
        keys = b""
_, status = os.waitpid(child, 0)
sys.stdout.buffer.write(written.replace(b"\r\n", b"\n"))
sys.stdout.flush()
sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
