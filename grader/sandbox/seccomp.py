"""The system-call filter: what a confined process may ask of the kernel, as a BPF program.

It is a list of what is allowed, by name; a call that is not on it changes nothing and answers EPERM, or
ENOSYS where the call is newer than the list, so that the C library falls back to an older one (`clone3` to
`clone`, whose flags can be read here; those of `clone3` lie in memory, where a filter does not see them).
Some calls are allowed for some arguments only: a thread but not a process, a signal but only to oneself.

What is not on the list, and why:

- New programs, new processes (but see `processes`), namespaces, mounts, modules, keys, tracing, other
  processes' memory and file descriptors, io_uring, BPF, userfaultfd, perf: no exercise needs them, and most
  holes in the kernel were found there.
- Memory that `RLIMIT_DATA` does not count: memfd, shared anonymous mappings, System V segments, and
  mappings that grow down, which the kernel books as stack.
- Ways to signal another process: `kill` and its kin name the own process only, and `fcntl` cannot name the
  owner of a file's signals.
- What reaches files without opening them, so that Landlock has no say: `chown`, `chmod`, `utime`, extended
  attributes. Setting a mode or a time is answered with success and not done, reading attributes with "not
  supported", because `shutil.copy`, `copy2` and `copytree` do that after each file and would fail.
- Sockets of any family. Those that were handed over at the fork may still be read and written.
- Leaving the session or process group, so that one signal to the group still finds everybody.

The program is a binary search over the call's number. It is built once; only the process's own number is
written into it after the fork. Numbers differ between processors: the filter kills a process that calls
with another architecture's numbers (32-bit calls on x86-64), and x32 calls count as newer than the list.
"""

import ctypes
import errno
import functools
import os
import struct
import sys
from typing import Any

# Name, number on x86-64, number on aarch64 ("-" where the call does not exist).
ALLOWED = """
read 0 63  write 1 64  readv 19 65  writev 20 66  pread64 17 67  pwrite64 18 68  preadv 295 69
pwritev 296 70  preadv2 327 286  pwritev2 328 287  lseek 8 62  sendfile 40 71  copy_file_range 326 285
open 2 -  openat 257 56  creat 85 -  close 3 57  close_range 436 436  dup 32 23  dup2 33 -  dup3 292 24
stat 4 -  fstat 5 80  lstat 6 -  newfstatat 262 79  statx 332 291  statfs 137 43  fstatfs 138 44
access 21 -  faccessat 269 48  faccessat2 439 439  readlink 89 -  readlinkat 267 78
getcwd 79 17  chdir 80 49  fchdir 81 50  getdents 78 -  getdents64 217 61  umask 95 166
flock 73 32  fsync 74 82  fdatasync 75 83  truncate 76 45  ftruncate 77 46  fallocate 285 47
fadvise64 221 223  rename 82 -  renameat 264 38  renameat2 316 276  mkdir 83 -  mkdirat 258 34
rmdir 84 -  unlink 87 -  unlinkat 263 35  link 86 -  linkat 265 37  symlink 88 -  symlinkat 266 36
pipe 22 -  pipe2 293 59  eventfd 284 -  eventfd2 290 19  poll 7 -  ppoll 271 73  select 23 -
pselect6 270 72  epoll_create 213 -  epoll_create1 291 20  epoll_ctl 233 21  epoll_wait 232 -
epoll_pwait 281 22

brk 12 214  munmap 11 215  mremap 25 216  mprotect 10 226  madvise 28 233  msync 26 227

futex 202 98  set_robust_list 273 99  set_tid_address 218 96  rseq 334 293
arch_prctl 158 -  sched_yield 24 124  sched_getaffinity 204 123  sched_getparam 143 121
sched_getscheduler 145 120  sched_get_priority_max 146 125  sched_get_priority_min 147 126
getcpu 309 168  exit 60 93  exit_group 231 94  wait4 61 260  waitid 247 95

nanosleep 35 101  clock_nanosleep 230 115  clock_gettime 228 113  clock_getres 229 114
gettimeofday 96 169  time 201 -  times 100 153  alarm 37 -  setitimer 38 103  getitimer 36 102

rt_sigaction 13 134  rt_sigprocmask 14 135  rt_sigreturn 15 139  rt_sigpending 127 136
rt_sigtimedwait 128 137  rt_sigsuspend 130 133  sigaltstack 131 132  pause 34 -  restart_syscall 219 128

getpid 39 172  gettid 186 178  getppid 110 173  getpgrp 111 -  getpgid 121 155  getsid 124 156
getuid 102 174  geteuid 107 175  getgid 104 176  getegid 108 177  getresuid 118 148  getresgid 120 150
getgroups 115 158  getpriority 140 141  getrusage 98 165  getrlimit 97 163  setrlimit 160 164
uname 63 160  sysinfo 99 179  getrandom 318 278

sendto 44 206  recvfrom 45 207  sendmsg 46 211  recvmsg 47 212  shutdown 48 210  getsockname 51 204
getpeername 52 205  getsockopt 55 209
"""

FOR_PROCESSES = """
fork 57 -  bind 49 200  listen 50 201  connect 42 203  accept 43 202  accept4 288 242  setsockopt 54 208
"""

FOR_GPU = """
mincore 27 232  mlock 149 228  munlock 150 229  mbind 237 235  get_mempolicy 239 236
set_mempolicy 238 237  timerfd_create 283 85  timerfd_settime 286 86  timerfd_gettime 287 87
membarrier 324 283
"""

NOT_DONE = """
chmod 90 -  fchmod 91 52  fchmodat 268 53  utime 132 -  utimes 235 -  futimesat 261 -  utimensat 280 88
"""

NOT_SUPPORTED = """
getxattr 191 8  lgetxattr 192 9  fgetxattr 193 10  listxattr 194 11  llistxattr 195 12  flistxattr 196 13
"""

BY_ARGUMENT = """
mmap 9 222  clone 56 220  kill 62 129  tkill 200 130  tgkill 234 131  prlimit64 302 261
sched_setaffinity 203 122  prctl 157 167  fcntl 72 25  ioctl 16 29  socket 41 198  socketpair 53 199
"""

# From here on the numbers are the same everywhere, and a kernel may know calls that this list does not.
NEWER = 435  # clone3

_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column, AUDIT_ARCH_*

# mmap
_MAP_SHARED_ANONYMOUS = 0x21
_MAP_GROWSDOWN = 0x100
# clone: every CLONE_NEW*, and CLONE_PARENT, which would make a child of the zygote
_CLONE_THREAD = 0x10000
_CLONE_REFUSED = 0x7E028000
# prctl: names of threads and of mappings, and reading what is set
_PRCTLS = (15, 16, 3, 21, 23, 39, 0x53564D41)
# fcntl: duplicates, flags, locks, size of a pipe. F_SETOWN and F_SETSIG would send signals to others
_FCNTLS = (0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1030, 1032)
# ioctl: is it a terminal and how large, bytes to read, blocking or not, close on exec, copy by reference
_IOCTLS = (0x5401, 0x802C542A, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451, 0x40049409)
_IOCTL_KIND, _TERMINALS = 0xFF00, 0x5400
_AF_UNIX = 1

_OWN_PID = 0xFFFFFFFF
"""Stands in a program for the number of the process that it will filter."""

Instruction = tuple[int, int, int, int]
"""struct sock_filter: code, jump if true, jump if false, k."""
Code = tuple[Instruction, ...]

_LOAD, _MASK, _JUMP, _EQUAL, _ANY_BIT, _AT_LEAST, _RETURN = 0x20, 0x54, 0x05, 0x15, 0x45, 0x35, 0x06
_ALLOW: Code = ((_RETURN, 0, 0, 0x7FFF0000),)
_KILL: Code = ((_RETURN, 0, 0, 0x80000000),)


def _answer(number: int) -> Code:
    """Do nothing, and answer with an error; with success where `number` is 0."""
    return ((_RETURN, 0, 0, 0x00050000 | number),)


_DENY = _answer(errno.EPERM)


def _look(argument: int, *tests: tuple[int, int, str, str]) -> Code:
    """Load an argument and test it: (test, k, where to go if true, if false); after the last, deny.

    Only the low half is loaded: all arguments that are looked into are 32 bits wide to the kernel too.
    """
    end = len(tests)
    steps = [(_LOAD, 0, 0, 16 + 8 * argument)]
    for place, (test, k, yes, no) in enumerate(tests, start=1):
        jump = {"next": 0, "deny": end - place, "allow": end - place + 1}
        steps.append((test, jump[yes], jump[no], k))
    return (*steps, *_DENY, *_ALLOW)


def _one_of(argument: int, *values: int) -> Code:
    return _look(argument, *((_EQUAL, value, "allow", "next") for value in values))


def _by_argument(processes: bool, gpu: bool, signals_scoped: bool) -> dict[str, Code]:
    # Workers must be ended by who started them. Landlock tells them from others, a number cannot.
    signal = _ALLOW if processes and signals_scoped else _one_of(0, _OWN_PID)
    if gpu:
        mmap = _look(3, (_ANY_BIT, _MAP_GROWSDOWN, "deny", "allow"))
    else:
        mmap = _look(
            3,
            (_ANY_BIT, _MAP_GROWSDOWN, "deny", "next"),
            (_MASK, _MAP_SHARED_ANONYMOUS, "next", "next"),
            (_EQUAL, _MAP_SHARED_ANONYMOUS, "deny", "allow"),
        )
    if processes:
        clone = _look(0, (_ANY_BIT, _CLONE_REFUSED, "deny", "allow"))
    else:
        clone = _look(0, (_ANY_BIT, _CLONE_REFUSED, "deny", "next"), (_ANY_BIT, _CLONE_THREAD, "allow", "deny"))
    if gpu:  # The driver has requests without number; keep only those to terminals from it.
        ioctl = _look(
            1,
            *((_EQUAL, request, "allow", "next") for request in _IOCTLS),
            (_MASK, _IOCTL_KIND, "next", "next"),
            (_EQUAL, _TERMINALS, "deny", "allow"),
        )
    else:
        ioctl = _one_of(1, *_IOCTLS)
    unix = _one_of(0, _AF_UNIX) if processes else _DENY
    return {
        "mmap": mmap,
        "clone": clone,
        "kill": signal,
        "tkill": signal,
        "tgkill": signal,
        "prlimit64": _one_of(0, 0, _OWN_PID),
        "sched_setaffinity": _one_of(0, 0, _OWN_PID),
        "prctl": _one_of(0, *_PRCTLS),
        "fcntl": _one_of(1, *_FCNTLS),
        "ioctl": ioctl,
        "socket": unix,
        "socketpair": unix,
    }


def numbers(table: str, machine: str) -> dict[str, int]:
    """The calls of one of the tables above, as `machine` numbers them."""
    words = iter(table.split())
    column = _ARCHITECTURES[machine][0]
    rows = ((name, pair[column]) for name, *pair in zip(words, words, words, strict=True))
    return {name: int(number) for name, number in rows if number != "-"}


def program(machine: str, *, processes: bool, gpu: bool, signals_scoped: bool) -> Code:
    """The filter for one kind of process on one architecture."""
    rules: dict[int, Code] = {}
    tables = {
        ALLOWED: _ALLOW,
        NOT_DONE: _answer(0),
        NOT_SUPPORTED: _answer(errno.EOPNOTSUPP),
        FOR_PROCESSES: _ALLOW if processes else _DENY,
        FOR_GPU: _ALLOW if gpu else _DENY,
    }
    for table, code in tables.items():
        rules.update(dict.fromkeys(numbers(table, machine).values(), code))
    by_argument = _by_argument(processes, gpu, signals_scoped)
    rules.update((number, by_argument[name]) for name, number in numbers(BY_ARGUMENT, machine).items())
    # Ranges of numbers with one answer: (first number, answer).
    ranges: list[tuple[int, Code]] = []
    newer = _answer(errno.ENOSYS)
    for number in range(max(NEWER, *rules) + 2):
        code = rules.get(number, _DENY if number < NEWER else newer)
        if not ranges or ranges[-1][1] != code:
            ranges.append((number, code))
    architecture = _ARCHITECTURES[machine][1]
    return ((_LOAD, 0, 0, 4), (_EQUAL, 1, 0, architecture), *_KILL, (_LOAD, 0, 0, 0), *_search(ranges))


def _search(ranges: list[tuple[int, Code]]) -> Code:
    if len(ranges) == 1:
        return ranges[0][1]
    middle = len(ranges) // 2
    low, high = _search(ranges[:middle]), _search(ranges[middle:])
    if len(low) < 256:
        return ((_AT_LEAST, len(low), 0, ranges[middle][0]), *low, *high)
    return ((_AT_LEAST, 0, 1, ranges[middle][0]), (_JUMP, 0, 0, len(low)), *low, *high)


class Filter:
    """A program in memory, ready to be loaded in a fork."""

    def __init__(self, *, processes: bool, gpu: bool, signals_scoped: bool) -> None:
        code = program(os.uname().machine, processes=processes, gpu=gpu, signals_scoped=signals_scoped)
        self._own = [i for i, (op, _, _, k) in enumerate(code) if op == _EQUAL and k == _OWN_PID]
        self._code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in code))
        self._head = ctypes.create_string_buffer(struct.pack("@HP", len(code), ctypes.addressof(self._code)))

    def load(self) -> None:
        """Filter this thread from now on. Raises OSError; needs no_new_privs."""
        for step in self._own:
            struct.pack_into("=I", self._code, 8 * step + 4, os.getpid())
        prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.addressof(self._head))


_PR_SET_SECCOMP = 22
_MODE_FILTER = 2


def missing() -> str:
    """Why there can be no filter here, or nothing. Changes nothing."""
    if os.uname().machine not in _ARCHITECTURES or sys.maxsize < 2**32:
        return f"the system-call filter has no numbers for this processor ({os.uname().machine})"
    try:
        prctl(_PR_SET_SECCOMP, _MODE_FILTER, 0)
    except OSError as error:
        # A kernel that filters looks at the program first, and finds none.
        if error.errno != errno.EFAULT:
            return f"the kernel takes no system-call filter ({error.strerror})"
    return ""


@functools.cache
def libc() -> Any:
    """The C library, for the calls that Python does not offer."""
    library = ctypes.CDLL(None, use_errno=True)
    library.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
    library.syscall.argtypes = [ctypes.c_long] * 5
    library.syscall.restype = ctypes.c_long
    library.capset.argtypes = [ctypes.c_char_p] * 2  # found now: to look a name up in a fork is slow
    return library


def checked(result: int) -> int:
    """The result of a C function; its errno as an OSError where it is negative."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def prctl(option: int, *arguments: int) -> int:
    return checked(libc().prctl(option, *arguments, *(0,) * (4 - len(arguments))))
