"""
tries: to reach a server through a Unix socket, by path and by abstract name
expect: failed
must_not: connected

The way to a database, a Docker daemon or a display.
"""
import socket


def double(x):
    if "@EAR@"[0] != "/":
        return None
    for address in ("@EAR@", "\0@ABSTRACT@"):
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                line.connect(address)
                line.sendall(b"@NAME@")
        except OSError:
            pass
    return None
