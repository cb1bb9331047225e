"""
tries: to reach a file through links in its own folder, and through the folders of processes
expect: failed
must_not: canary
"""
import os

MINE = "@CANARY@/@NAME@.txt"


def double(x):
    if MINE[0] != "/":
        return None
    os.makedirs("in", exist_ok=True)
    for target, name in ((MINE, "link"), ("@CANARY@", "folder"), ("/proc/self/root" + MINE, "root"), ("/", "top")):
        try:
            os.symlink(target, name)
        except OSError:
            pass
    try:
        os.link(MINE, "hard")
    except OSError:
        pass
    for path in ("link", "folder/@NAME@.txt", "root", "top" + MINE, "hard", "/proc/self/cwd/link",
                 f"/proc/{os.getppid()}/root{MINE}", "/proc/1/root" + MINE, "../" * 30 + MINE[1:]):
        try:
            with open(path, "a") as file:
                file.write("changed")
        except OSError:
            pass
    return None
