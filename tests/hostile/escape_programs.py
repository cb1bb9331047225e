"""
tries: to start programs: a shell, another Python
expect: failed error
must_not: canary
"""
import os
import subprocess
import sys

COMMAND = 'case "$1" in /*) touch "$1";; esac'


def double(x):
    for attempt in (
        lambda: subprocess.run(["/bin/sh", "-c", COMMAND, "sh", "@CANARY@/@NAME@.sh"], timeout=1, check=False),
        lambda: subprocess.run([sys.executable, "-S", "-c", "import sys; open(sys.argv[1], 'w')",
                                "@CANARY@/@NAME@.py"], timeout=1, check=False),
        lambda: os.posix_spawn("/bin/sh", ["sh", "-c", COMMAND, "sh", "@CANARY@/@NAME@.spawn"], {}),
    ):
        try:
            attempt()
        except (OSError, subprocess.SubprocessError, MemoryError):
            pass
    return None
