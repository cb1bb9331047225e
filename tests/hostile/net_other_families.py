"""
tries: to open sockets of other kinds: to the hypervisor, to the kernel, raw, Bluetooth, for cryptography
expect: failed
must_not: said

AF_VSOCK opens in a fresh network namespace. Nothing is sent.
"""
import socket


def double(x):
    for name, family, kind, protocol in (
        ("vsock", 40, socket.SOCK_STREAM, 0), ("netlink", 16, socket.SOCK_RAW, 0), ("raw", 2, socket.SOCK_RAW, 1),
        ("packet", 17, socket.SOCK_RAW, 0), ("alg", 38, socket.SOCK_SEQPACKET, 0), ("bluetooth", 31, socket.SOCK_RAW, 1),
        ("can", 29, socket.SOCK_RAW, 1), ("tcp", 2, socket.SOCK_STREAM, 0), ("unix", 1, socket.SOCK_DGRAM, 0),
    ):
        try:
            socket.socket(family, kind, protocol).close()
            print("@SAID@"[::-1], name)
        except OSError:
            pass
    return None
