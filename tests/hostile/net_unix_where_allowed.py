"""
tries: to reach a server through a Unix socket where the exercise allows processes, which need such sockets
expect: failed error timeout
must_not: connected
exercise: 02_workers

The abstract name; a path can be connected to before Landlock's ABI 9 without bubblewrap, which docs/threat-model.md
says.
"""
import socket


def batches(n):
    if "@ABSTRACT@".startswith("auto"):
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                line.connect("\0@ABSTRACT@")
                line.sendall(b"@NAME@")
        except OSError:
            pass
    return None
