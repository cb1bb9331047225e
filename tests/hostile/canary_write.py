"""
tries: to change, replace, remove, rename and shorten a file that is not its own
expect: failed
must_not: canary
"""
import os
import shutil

MINE = "@CANARY@/@NAME@.txt"


def double(x):
    if MINE[0] != "/":
        return None
    for attempt in (
        lambda: open(MINE, "a").write("changed"),
        lambda: open(MINE, "w").close(),
        lambda: os.truncate(MINE, 0),
        lambda: os.rename(MINE, MINE + ".moved"),
        lambda: os.remove(MINE),
        lambda: os.mkdir("@CANARY@/@NAME@.d"),
        lambda: shutil.copy(__file__, "@CANARY@/@NAME@.copy"),
        lambda: os.mkfifo("@CANARY@/@NAME@.fifo"),
        lambda: os.symlink("/", "@CANARY@/@NAME@.link"),
    ):
        try:
            attempt()
        except (OSError, TypeError):
            pass
    return None
