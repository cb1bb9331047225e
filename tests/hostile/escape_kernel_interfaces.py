"""
tries: to open the parts of the kernel where most holes were found: io_uring, bpf, userfaultfd, perf, keys, modules
expect: failed error
must_not: said

Each is only opened, and closed again.
"""
import ctypes
import os
import platform

NUMBERS = {"io_uring_setup": (425, 425), "bpf": (321, 280), "userfaultfd": (323, 282), "perf_event_open": (298, 241),
           "keyctl": (250, 219), "memfd_create": (319, 279), "name_to_handle_at": (303, 264), "fanotify_init": (300, 262),
           "open_tree": (428, 428), "fsopen": (430, 430), "pidfd_open": (434, 434), "memfd_secret": (447, 447)}


def double(x):
    column = {"x86_64": 0, "aarch64": 1}.get(platform.machine())
    if column is None:
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    held = ctypes.create_string_buffer(b"ext4\0" + bytes(300))
    arguments = {
        "io_uring_setup": (1, held), "bpf": (0, held, 120), "userfaultfd": (0,), "perf_event_open": (held, 0, -1, -1, 0),
        "keyctl": (0, -3, 1), "memfd_create": (b"x", 0), "name_to_handle_at": (-100, b".", held, held, 0),
        "fanotify_init": (0, 0), "open_tree": (-100, b".", 0), "fsopen": (b"tmpfs", 0),
        "pidfd_open": (os.getppid(), 0), "memfd_secret": (0,),
    }
    for name, numbers in NUMBERS.items():
        ctypes.memset(held, 0, 128) if name != "fsopen" else None
        result = libc.syscall(numbers[column], *arguments[name])
        if result >= 0:
            print("@SAID@"[::-1], name)
            if name != "keyctl" and result > 2:
                os.close(result)
    return None
