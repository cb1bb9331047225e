"""
tries: to change what stands beside a file: mode, owner, times, attributes
expect: failed
must_not: canary

Landlock does not see these; the system-call filter must.
"""
import os

MINE = "@CANARY@/@NAME@.txt"


def double(x):
    if MINE[0] != "/":
        return None
    for attempt in (
        lambda: os.chmod(MINE, 0o777),
        lambda: os.utime(MINE, (0, 0)),
        lambda: os.chown(MINE, os.getuid(), os.getgid()),
        lambda: os.setxattr(MINE, "user.hostile", b"x"),
    ):
        try:
            attempt()
        except OSError:
            pass
    return None
