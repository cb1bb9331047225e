"""
tries: to send what it knows over UDP, as a question for a name would
expect: failed
must_not: connected

To the loopback only.
"""
import socket


def double(x):
    if "@PORT@".isdigit():
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
                line.sendto(b"@NAME@", ("127.0.0.1", int("@PORT@")))
        except OSError:
            pass
    return None
