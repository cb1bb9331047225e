"""
tries: to send what it knows over TCP
expect: failed
must_not: connected

To the loopback only, over both versions of IP.
"""
import socket


def double(x):
    if not "@PORT@".isdigit():
        return None
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family, socket.SOCK_STREAM) as line:
                line.settimeout(0.5)
                line.connect((host, int("@PORT@")))
                line.sendall(b"@NAME@")
        except OSError:
            pass
    return None
