"""
tries: to listen, so that somebody outside may come for what it knows
expect: failed
must_not: said
"""
import socket


def double(x):
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as line:
            line.bind(("127.0.0.1", 0))
            line.listen(1)
            print("@SAID@"[::-1])
    except OSError:
        pass
    return None
