"""What a confined process can and cannot do.

A driver, a Python that is started anew, forks once for each deed below, confines the fork, does the deed and
tells what came of it. Every forbidden deed is also done by a fork that is not confined, where it must succeed:
so a test here fails when the confinement has a hole, and also when the deed was impossible anyway.
The driver runs as who runs the tests and, where that is root, as an ordinary user too.
"""

import contextlib
import ctypes
import errno
import inspect
import json
import mmap
import os
import platform
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import traceback
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from grader.core.errors import OurFault
from grader.sandbox import confinement, seccomp

if sys.platform != "win32":
    import fcntl
    import resource

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux confines")

PACKAGE = Path(confinement.__file__).parents[1]


# ---------------------------------------------------------------------------- deeds; the driver has these too


@dataclass
class Place:
    """Where a deed is done. `scratch` is the process's own, everything else is not, `library` may be read."""

    outside: str
    library: str
    scratch: str
    sibling: str
    scratch_root: str


class Forbidden:
    """Refused, though possible without confinement."""

    @staticmethod
    def read_outside(p):
        return open(f"{p.outside}/secret.txt").read()

    @staticmethod
    def list_outside(p):
        return os.listdir(p.outside)

    @staticmethod
    def list_all_scratch_folders(p):
        return len(os.listdir(p.scratch_root))

    @staticmethod
    def read_sibling(p):
        return open(f"{p.sibling}/answer.txt").read()

    @staticmethod
    def write_sibling(p):
        open(f"{p.sibling}/planted.py", "w").close()

    @staticmethod
    def remove_sibling(p):
        os.rmdir(f"{p.sibling}/empty")

    @staticmethod
    def write_outside(p):
        open(f"{p.outside}/new.txt", "w").close()

    @staticmethod
    def write_library(p):
        open(f"{p.library}/module.py", "a").close()

    @staticmethod
    def truncate_outside(p):
        os.truncate(f"{p.outside}/long.txt", 0)

    @staticmethod
    def remove_outside(p):
        os.remove(f"{p.outside}/goner.txt")

    @staticmethod
    def make_folder_outside(p):
        os.mkdir(f"{p.outside}/new")

    @staticmethod
    def link_from_outside(p):
        os.symlink(f"{p.outside}/secret.txt", f"{p.scratch}/link")
        return open(f"{p.scratch}/link").read()

    @staticmethod
    def hard_link_to_library(p):
        os.link(f"{p.library}/module.py", f"{p.scratch}/mine.py")

    @staticmethod
    def move_out(p):
        open(f"{p.scratch}/mine.txt", "w").close()
        os.rename(f"{p.scratch}/mine.txt", f"{p.outside}/mine.txt")

    @staticmethod
    def remove_own_folder(p):
        os.rmdir(p.scratch)

    @staticmethod
    def owner_outside(p):
        os.chown(f"{p.outside}/secret.txt", os.getuid(), os.getgid())

    @staticmethod
    def list_processes(p):
        return len(os.listdir("/proc"))

    @staticmethod
    def read_parent(p):
        return len(open(f"/proc/{os.getppid()}/environ").read())

    @staticmethod
    def use_power_of_root(p):
        open(f"{p.library}/locked.txt").close()

    @staticmethod
    def make_pipe_file(p):
        os.mkfifo(f"{p.scratch}/pipe")

    @staticmethod
    def internet_socket(p):
        socket.socket(socket.AF_INET).close()

    @staticmethod
    def datagram_socket(p):
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).close()

    @staticmethod
    def netlink_socket(p):
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close()

    @staticmethod
    def unix_socket(p):
        socket.socket(socket.AF_UNIX).close()

    @staticmethod
    def pair_of_sockets(p):
        socket.socketpair()

    @staticmethod
    def new_process(p):
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)

    @staticmethod
    def new_program(p):
        subprocess.run([sys.executable, "-c", ""], check=True)

    @staticmethod
    def become_program(p):
        end = os.dup(p.answer)  # the answer comes from the program, if it starts
        os.set_inheritable(end, True)
        says = json.dumps({"value": "executed"}).encode()
        os.execv(sys.executable, [sys.executable, "-c", f"import os; os.write({end}, {says})"])

    @staticmethod
    def signal_parent(p):
        os.kill(os.getppid(), 0)

    @staticmethod
    def signal_everybody(p):
        os.kill(-1, 0)

    @staticmethod
    def signal_group(p):
        os.kill(-os.getpgid(os.getppid()), 0)

    @staticmethod
    def signal_through_a_file(p):
        source, _ = os.pipe()
        fcntl.fcntl(source, fcntl.F_SETOWN, os.getppid())

    @staticmethod
    def slow_parent_down(p):
        os.setpriority(os.PRIO_PROCESS, os.getppid(), os.getpriority(os.PRIO_PROCESS, os.getppid()))

    @staticmethod
    def tie_parent_down(p):
        os.sched_setaffinity(os.getppid(), os.sched_getaffinity(os.getppid()))

    @staticmethod
    def limit_parent(p):
        now = resource.prlimit(os.getppid(), resource.RLIMIT_CORE)
        resource.prlimit(os.getppid(), resource.RLIMIT_CORE, now)

    @staticmethod
    def read_memory_by_process(p):
        word = ctypes.create_string_buffer(8)
        part = (ctypes.c_size_t * 2)(ctypes.addressof(word), 8)
        _c("process_vm_readv", os.getpid(), part, 1, part, 1, 0)

    @staticmethod
    def trace(p):
        _c("ptrace", 0, 0, 0, 0)  # PTRACE_TRACEME

    @staticmethod
    def new_namespace(p):
        _c("unshare", 0x400)  # CLONE_FILES, which anybody may

    @staticmethod
    def keys(p):
        _c("syscall", 250 if os.uname().machine == "x86_64" else 219, 0, -3, 1)  # keyctl: session keyring

    @staticmethod
    def dumpable_again(p):
        _c("prctl", 4, 1, 0, 0, 0)

    @staticmethod
    def name_a_process(p):
        os.close(os.pidfd_open(os.getpid()))

    @staticmethod
    def memory_file(p):
        os.close(os.memfd_create("uncounted"))

    @staticmethod
    def shared_memory(p):
        mmap.mmap(-1, 4096).close()

    @staticmethod
    def shared_zeros(p):
        with open("/dev/zero", "rb") as zero:
            mmap.mmap(zero.fileno(), 4096, prot=mmap.PROT_READ).close()

    @staticmethod
    def growing_memory(p):
        mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x100).close()


class Honest:
    """Works."""

    @staticmethod
    def read_library(p):
        sys.path.insert(0, p.library)
        import module

        return module.VALUE

    @staticmethod
    def show_the_line(p):
        sys.path.insert(0, p.library)
        import module

        try:
            module.fail()
        except ZeroDivisionError:
            return "return 1 / 0" in traceback.format_exc()

    @staticmethod
    def write_rename_remove(p):
        os.makedirs("a/b")
        with open("a/first.txt", "w") as file:
            file.write("one")
        os.replace("a/first.txt", "a/b/second.txt")
        os.rename("a/b/second.txt", "third.txt")
        os.symlink("third.txt", "link.txt")
        shutil.rmtree("a")
        return [open("link.txt").read(), os.path.exists("third.txt"), os.path.exists("a")]

    @staticmethod
    def temporary(p):
        with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile(dir=folder) as file:
            file.write(b"x")
            return folder.startswith(p.scratch)

    @staticmethod
    def copy(p):
        shutil.copy(f"{p.library}/module.py", "copy.py")
        shutil.copy2("copy.py", "copy2.py")
        os.mkdir("tree")
        shutil.move("copy.py", "tree/moved.py")
        shutil.copytree("tree", "tree2")
        return os.path.exists("tree2/moved.py")

    @staticmethod
    def archive(p):
        import zipfile

        with zipfile.ZipFile("a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inner.txt", "one")
        zipfile.ZipFile("a.zip").extractall("out")
        shutil.make_archive("b", "gztar", "out")
        shutil.unpack_archive("b.tar.gz", "out2")
        return open("out2/inner.txt").read()

    @staticmethod
    def tables(p):
        import csv

        with open("a.csv", "w", newline="") as file:
            csv.writer(file).writerows([["a", "b"], [1, 2]])
        with open("a.json", "w") as file:
            json.dump({"a": [1, None]}, file)
        return [list(csv.reader(open("a.csv"))), json.load(open("a.json"))]

    @staticmethod
    def threads(p):
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(4) as pool:
            return sum(pool.map(abs, range(-10, 0)))

    @staticmethod
    def time_and_chance(p):
        time.sleep(0.001)
        signal.setitimer(signal.ITIMER_REAL, 100)
        signal.alarm(0)
        return [os.cpu_count() > 0, len(os.urandom(4)), random.SystemRandom().random() < 1, time.time() > 0]

    @staticmethod
    def nowhere(p):
        with open(os.devnull, "w") as null:
            print("x", file=null)
        return sys.stdin is None or not sys.stdin.isatty()

    @staticmethod
    def signal_itself(p):
        caught = []
        signal.signal(signal.SIGUSR1, lambda *_: caught.append(1))
        os.kill(os.getpid(), signal.SIGUSR1)
        signal.raise_signal(signal.SIGUSR1)
        return len(caught)

    @staticmethod
    def lower_own_limit(p):
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        return resource.getrlimit(resource.RLIMIT_NOFILE)[0]

    @staticmethod
    def speak_over_what_it_was_given(p):
        given = socket.socket(fileno=p.given)
        given.sendall(b"x" * 100)
        return given.recv(3).decode()


class Other:
    """Neither plainly refused nor plainly allowed; each has its own test."""

    @staticmethod
    def set_mode_and_time_outside(p):
        before = os.stat(f"{p.outside}/secret.txt")
        os.chmod(f"{p.outside}/secret.txt", 0o600)
        os.utime(f"{p.outside}/secret.txt", (1, 1))
        after = os.stat(f"{p.outside}/secret.txt")
        return [before.st_mode == after.st_mode, before.st_mtime == after.st_mtime]

    @staticmethod
    def large_file(p):
        with open("large.bin", "wb") as file:
            for _ in range(64):
                file.write(bytes(2**20))

    @staticmethod
    def much_memory(p):
        return len(bytearray(512 * 2**20))

    @staticmethod
    def many_small_pieces(p):
        held = []
        while len(held) < 512 * 16:
            held.append(bytearray(2**16))
        return len(held)

    @staticmethod
    def some_memory(p):
        return len(bytearray(64 * 2**20))

    @staticmethod
    def many_files(p):
        return len([os.open(os.devnull, os.O_RDONLY) for _ in range(300)])

    @staticmethod
    def many_threads(p):
        threading.stack_size(65536)
        stop = threading.Event()
        threads = []
        with contextlib.suppress(RuntimeError):
            while len(threads) < 3000:
                threads.append(threading.Thread(target=stop.wait))
                threads[-1].start()
        stop.set()
        return len(threads)

    @staticmethod
    def raise_own_limit(p):
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        resource.setrlimit(resource.RLIMIT_DATA, (hard + 2**30, hard + 2**30))

    @staticmethod
    def endless_loop(p):
        while True:
            pass

    @staticmethod
    def stubborn_loop(p):
        signal.signal(signal.SIGXCPU, signal.SIG_IGN)
        while True:
            pass

    @staticmethod
    def call_as_32_bits(p):
        code = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=7)
        code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")  # mov eax, 20 (getpid); int 0x80; ret
        here = ctypes.addressof(ctypes.c_char.from_buffer(code))
        return ctypes.CFUNCTYPE(ctypes.c_int)(here)() > 0

    @staticmethod
    def state(p):
        prctl = ctypes.CDLL(None).prctl
        return [prctl(39, 0, 0, 0, 0), prctl(3, 0, 0, 0, 0)]  # no_new_privs, dumpable

    @staticmethod
    def held_descriptors(p):
        still = []
        for descriptor in p.held:
            with contextlib.suppress(OSError):
                still.append(os.fstat(descriptor).st_mode)
        return [len(p.held) > 2, len(still)]

    @staticmethod
    def connect(p):
        socket.create_connection(("127.0.0.1", p.port), timeout=5).close()

    @staticmethod
    def connect_abstract(p):
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(p.abstract)

    @staticmethod
    def ask_a_device(p):
        with open(os.devnull) as null:
            fcntl.ioctl(null, 0x5401, bytes(64))  # is it a terminal?

    @staticmethod
    def own_session(p):
        return [os.getsid(0) == os.getpid(), os.getpgrp() == os.getpid()]

    @staticmethod
    def start_and_end_a_process(p):
        child = os.fork()
        if child == 0:
            with contextlib.suppress(PermissionError):
                os._exit(len(os.listdir(p.outside)))
            time.sleep(60)
        time.sleep(0.05)
        os.kill(child, signal.SIGTERM)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    @staticmethod
    def talk_between_processes(p):
        import multiprocessing

        context = multiprocessing.get_context("fork")
        queue, lock = context.Queue(), context.Lock()
        worker = context.Process(target=lambda: queue.put(lock.acquire()))
        worker.start()
        said = queue.get(timeout=20)
        worker.join()
        return said

    @staticmethod
    def read_system(p):
        return [os.path.exists(path) and len(os.listdir(path)) > 0 for path in ("/proc/self/task", "/sys")]


class Torch:
    """What learners come for."""

    @staticmethod
    def operations(p):
        x = torch.randn(64, 64, requires_grad=True)
        (x @ x).relu().sum().backward()
        images = torch.nn.Conv2d(3, 8, 3)(torch.randn(2, 3, 16, 16))
        return [list(x.grad.shape), list(images.shape), torch.linalg.svd(x.detach())[1].numel()]

    @staticmethod
    def training(p):
        model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
        optimizer = torch.optim.Adam(model.parameters())
        for _ in range(3):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(torch.randn(5, 4)), torch.tensor([0, 1, 0, 1, 1])).backward()
            optimizer.step()
        return sum(p.numel() for p in model.parameters())

    @staticmethod
    def two_threads(p):
        torch.set_num_threads(2)
        x = torch.randn(512, 512)
        return [torch.get_num_threads(), list((x @ x + x.exp()).shape)]

    @staticmethod
    def checkpoint(p):
        model = torch.nn.Linear(3, 3)
        torch.save({"model": model.state_dict(), "epoch": 3}, "new.pt")
        os.replace("new.pt", "best.pt")
        shutil.copy("best.pt", "copy.pt")
        loaded = torch.load("copy.pt", weights_only=True)
        mapped = torch.load("copy.pt", weights_only=True, mmap=True)
        return [loaded["epoch"], bool((mapped["model"]["weight"] == model.weight).all())]

    @staticmethod
    def image(p):
        from PIL import Image

        Image.new("RGB", (8, 6), "red").save("a.png")
        Image.open("a.png").convert("L").save("a.jpg")
        return list(Image.open("a.jpg").size)

    @staticmethod
    def arrays(p):
        import numpy as np

        np.save("a.npy", np.arange(6).reshape(2, 3))
        return [float(np.load("a.npy", mmap_mode="r").sum()), torch.from_numpy(np.ones(3)).sum().item()]

    @staticmethod
    def too_much_memory(p):
        return torch.empty(2**30).fill_(1).numel()

    @staticmethod
    def workers(p):
        data = torch.utils.data.TensorDataset(torch.arange(20.0).reshape(10, 2))
        loader = torch.utils.data.DataLoader(data, batch_size=3, num_workers=2)
        return [sum(batch[0].sum().item() for batch in loader) for _ in range(2)]


def _c(name, *arguments):
    """Call a function of the C library."""
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _drive(settings):  # noqa: PLR0915 - a program of its own
    """The driver: for each order a fork that is confined, does a deed and answers."""
    sys.path.insert(0, settings["package"])
    from grader.sandbox import confinement, landlock, seccomp

    if settings["torch"]:
        global torch
        import torch
        import torch.utils.data

        torch.set_num_threads(1)
    deeds = {}
    for kind in (Forbidden, Honest, Other, Torch):
        deeds |= {name: deed for name, deed in vars(kind).items() if not name.startswith("_")}
    server = socket.create_server(("127.0.0.1", 0))
    abstract = socket.socket(socket.AF_UNIX)
    abstract.bind(f"\0autogradebook-test-{os.getpid()}")
    abstract.listen()
    root = settings["root"]
    found, missing = (landlock.abi, landlock.missing), seccomp.missing
    for number, order in enumerate(settings["orders"]):
        outside, scratch_root = f"{root}/{number}/outside", f"{root}/{number}/scratch"
        place = Place(outside, f"{root}/library", f"{scratch_root}/own", f"{scratch_root}/other", scratch_root)
        for folder in (outside, place.scratch, f"{place.sibling}/empty"):
            os.makedirs(folder)
        for name in ("secret.txt", "goner.txt", "long.txt"):
            with open(f"{outside}/{name}", "w") as file:
                file.write("forty-two")
        with open(f"{place.sibling}/answer.txt", "w") as file:
            file.write("41")
        place.port, place.abstract = server.getsockname()[1], abstract.getsockname()
        ours, given = socket.socketpair()
        ours.sendall(b"abc")
        place.given = given.fileno()
        # A machine that lacks a layer.
        landlock.abi = (lambda abi=order["abi"]: abi) if order["abi"] is not None else found[0]
        seccomp.missing = (lambda: "without") if not order["seccomp"] else missing
        read = [sys.prefix, sys.base_prefix, f"{root}/library", settings["package"]]
        plan = confinement.Plan(tuple(read), scratch_root, processes=order["processes"], gpu=order["gpu"])
        confiner = confinement.Confiner(plan)
        source, sink = os.pipe()
        child = os.fork()
        if child == 0:
            ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # when the driver ends, so does this
            os.close(source)
            os.chdir(place.scratch)
            os.environ["TMPDIR"] = place.scratch
            place.answer, place.held = sink, list(landlock._held)
            told = {}
            try:
                if order["confined"]:
                    told["layers"] = confiner.apply(
                        place.scratch, memory_mb=256, cpu_seconds=order["cpu_seconds"], file_mb=16
                    )
                told["value"] = deeds[order["deed"]](place)
            except BaseException as error:  # noqa: BLE001 - it is what the test asks for
                told["raised"] = [kind.__name__ for kind in type(error).__mro__]
                told["errno"] = getattr(error, "errno", None)
                told["text"] = str(error)
            os.write(sink, json.dumps(told).encode())
            os._exit(0)
        os.close(sink)
        with open(source) as answer:
            said = answer.read()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        while landlock._held:
            os.close(landlock._held.pop())
        print(json.dumps({"status": status, **json.loads(said or "{}")}), flush=True)
        for line in (ours, given):
            line.close()


# ------------------------------------------------------------------------------------------ who does them


SOURCE = """
import contextlib, ctypes, fcntl, json, mmap, os, random, resource, shutil, signal, socket, subprocess, sys
import tempfile, threading, time, traceback
from dataclasses import dataclass
""" + "\n\n".join(
    textwrap.dedent(inspect.getsource(part)) for part in (Place, Forbidden, Honest, Other, Torch, _c, _drive)
)
LIBRARY = """
VALUE = 42

def fail():
    return 1 / 0
"""
NOBODY = 65534


def names(kind: type) -> list[str]:
    return [name for name in vars(kind) if not name.startswith("_")]


def order(deed: str, **changes: Any) -> dict[str, Any]:
    usual = {"confined": True, "processes": 0, "gpu": False, "abi": None, "seccomp": True, "cpu_seconds": 20}
    return {"deed": deed, **usual, **changes}


def run(
    *orders: dict[str, Any], user: int | None = None, bwrap: str | None = None, torch: bool = False
) -> list[dict[str, Any]]:
    """What came of each order: "value" or "raised" (class names), "errno", "text"; "layers"; "status"."""
    command = [sys.executable, "-P"]
    if user is not None:
        if os.getuid() != 0 or shutil.which("setpriv") is None:
            pytest.skip("only root can become another user")
        python = shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin")
        if python is None or subprocess.run([python, "-c", "from enum import StrEnum"], check=False).returncode:
            pytest.skip("no Python of the system's that is recent enough")
        command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", python, "-P"]
    # Not pytest's folder: another user cannot enter it.
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        root.chmod(0o755)
        (root / "library").mkdir()
        (root / "library" / "module.py").write_text(LIBRARY)
        (root / "library" / "locked.txt").touch(mode=0)
        for part in ("__init__.py", "core", "sandbox"):
            source, target = PACKAGE / part, root / "package" / "grader" / part
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target)
            else:
                shutil.copy(source, target)
        (root / "driver.py").write_text(f"{SOURCE}\n\n_drive(json.load(sys.stdin))\n")
        if user is not None:
            for path in (root, *root.rglob("*")):
                os.chown(path, user, user)
        if bwrap is not None:
            command = [bwrap, "--unshare-all", "--die-with-parent", "--cap-drop", "ALL", "--ro-bind", "/", "/"]
            command += ["--proc", "/proc", "--dev", "/dev", "--bind", folder, folder, sys.executable, "-P"]
        settings = {"package": f"{root}/package", "root": f"{root}", "orders": orders, "torch": torch}
        environment = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        driver = subprocess.run(
            [*command, str(root / "driver.py")],
            input=json.dumps(settings),
            env=environment | {"PYTHONDONTWRITEBYTECODE": "1", "CUDA_VISIBLE_DEVICES": ""},
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert driver.returncode == 0, driver.stderr
    return [json.loads(line) for line in driver.stdout.splitlines()]


def denied(said: dict[str, Any]) -> bool:
    # Landlock answers EXDEV where a link or a rename would carry rights from one folder to another.
    return "PermissionError" in said.get("raised", ()) or said.get("errno") == errno.EXDEV


@dataclass
class Found:
    free: dict[str, dict[str, Any]]
    confined: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def probe() -> confinement.Probe:
    return confinement.probe()


@pytest.fixture(
    scope="module",
    params=["as_we_are", "as_nobody", pytest.param("in_bubblewrap", marks=pytest.mark.bubblewrap)],
)
def found(request: pytest.FixtureRequest, probe: confinement.Probe) -> Found:
    if request.param == "in_bubblewrap" and probe.bwrap is None:
        # Here, since this file is also run by itself, as the program that tries things out.
        from conftest import do_without

        do_without("bubblewrap", probe.reasons["bwrap"])
    deeds = names(Forbidden) + names(Honest)
    said = run(
        *(order(deed, confined=False) for deed in deeds),
        *(order(deed) for deed in deeds),
        user=NOBODY if request.param == "as_nobody" else None,
        bwrap=probe.bwrap if request.param == "in_bubblewrap" else None,
    )
    half = len(deeds)
    return Found(dict(zip(deeds, said[:half], strict=True)), dict(zip(deeds, said[half:], strict=True)))


@pytest.fixture
def _landlock(probe: confinement.Probe) -> None:
    if not probe.landlock_abi:
        pytest.skip(probe.reasons["landlock"])


@pytest.fixture
def _seccomp(probe: confinement.Probe) -> None:
    if not probe.seccomp:
        pytest.skip(probe.reasons["seccomp"])


both = pytest.mark.usefixtures("_landlock", "_seccomp")


# ---------------------------------------------------------------------------------------------- the layers


@both
@pytest.mark.parametrize("deed", names(Forbidden))
def test_forbidden(found: Found, deed: str) -> None:
    if denied(found.free[deed]):
        pytest.skip("forbidden to this user anyway")
    assert "value" in found.free[deed], f"not possible anyway: {found.free[deed]}"
    assert denied(found.confined[deed]), found.confined[deed]


@both
@pytest.mark.parametrize("deed", names(Honest))
def test_honest(found: Found, deed: str) -> None:
    assert found.confined[deed].get("value") == found.free[deed]["value"], found.confined[deed]


@both
def test_layers_are_named(found: Found) -> None:
    layers = ["rlimits", "no_new_privs", "capabilities", "landlock", "seccomp"]
    assert found.confined["tables"]["layers"] == layers


@both
def test_limits() -> None:
    deeds = ["large_file", "much_memory", "many_small_pieces", "some_memory", "many_files", "raise_own_limit"]
    said = dict(zip(deeds, run(*map(order, deeds)), strict=True))
    assert said["large_file"]["text"].endswith("File too large")
    assert "MemoryError" in said["much_memory"]["raised"]
    assert "MemoryError" in said["many_small_pieces"]["raised"]
    assert said["some_memory"]["value"] == 64 * 2**20
    assert said["many_files"]["text"].endswith("Too many open files: '/dev/null'")
    assert {"ValueError", "PermissionError"} & set(said["raise_own_limit"]["raised"])


@both
def test_threads_of_an_ordinary_user_are_bounded() -> None:
    free, said = run(order("many_threads", confined=False), order("many_threads"), user=NOBODY)
    assert free["value"] == 3000
    assert 500 < said["value"] < 1500


@both
def test_time_ends_a_loop() -> None:
    polite, stubborn = run(order("endless_loop", cpu_seconds=1), order("stubborn_loop", cpu_seconds=1))
    assert polite["status"] == -signal.SIGXCPU
    assert stubborn["status"] == -signal.SIGKILL


@both
def test_modes_and_times_are_not_set() -> None:
    free, said = (run(order("set_mode_and_time_outside", confined=confined))[0] for confined in (False, True))
    assert free["value"] == [False, False]
    assert said["value"] == [True, True]


@pytest.mark.usefixtures("_seccomp")
@pytest.mark.skipif(platform.machine() != "x86_64", reason="only x86-64 has calls of 32 bits")
def test_calls_of_another_architecture_kill() -> None:
    free, said = run(order("call_as_32_bits", confined=False), order("call_as_32_bits"))
    if "value" not in free:
        pytest.skip("this kernel has no calls of 32 bits")
    assert said["status"] == -signal.SIGSYS


@both
def test_nothing_is_left_of_the_preparation() -> None:
    descriptors, session, state = run(order("held_descriptors"), order("own_session"), order("state"))
    assert descriptors["value"] == [True, 0]
    assert session["value"] == [True, True]
    assert state["value"] == [1, 0]


# ----------------------------------------------------------------------------- where a layer is not there


@both
def test_landlock_alone(probe: confinement.Probe) -> None:
    deeds = {"read_outside": 1, "read_sibling": 1, "write_library": 1, "truncate_outside": 3, "connect": 4}
    deeds |= {"ask_a_device": 5, "signal_parent": 6, "connect_abstract": 6}
    for deed, said in zip(deeds, run(*(order(deed, seccomp=False) for deed in deeds)), strict=True):
        assert "seccomp" not in said["layers"]
        assert denied(said) == (probe.landlock_abi >= deeds[deed]), (deed, said)
    *lines, device = run(*(order(deed, confined=False) for deed in ("connect", "connect_abstract", "ask_a_device")))
    assert all("value" in said for said in lines)
    assert device["errno"] == errno.ENOTTY


@both
def test_filter_alone() -> None:
    deeds = ("signal_parent", "signal_through_a_file", "internet_socket", "new_program", "read_outside")
    *others, read = run(*(order(deed, abi=0) for deed in deeds))
    assert all(denied(said) for said in others)
    assert read["value"] == "forty-two"
    assert "landlock" not in read["layers"]


@both
@pytest.mark.parametrize("abi", range(1, 10))
def test_every_landlock(probe: confinement.Probe, abi: int) -> None:
    if abi > probe.landlock_abi:
        pytest.skip(f"this kernel's Landlock has ABI {probe.landlock_abi}")
    outside, sibling, library = run(
        *(order(deed, abi=abi) for deed in ("write_outside", "read_sibling", "read_library"))
    )
    assert denied(outside)
    assert denied(sibling)
    assert library["value"] == 42


# ---------------------------------------------------------------------------------------- the looser plans


@both
def test_processes(probe: confinement.Probe) -> None:
    deeds = ("start_and_end_a_process", "talk_between_processes", "pair_of_sockets", "unix_socket")
    refused = ("new_program", "internet_socket", "netlink_socket", "signal_parent", "memory_file", "new_namespace")
    refused += ("read_outside", "write_sibling", "shared_memory", "trace")
    said = run(*(order(deed, processes=2) for deed in (*deeds, *refused)))
    ended, talked, *sockets = said[: len(deeds)]
    if probe.landlock_abi >= 6:
        assert ended["value"] == -signal.SIGTERM
    assert talked["value"] is True, talked
    assert all("value" in socket for socket in sockets)
    assert [deed for deed, one in zip(refused, said[len(deeds) :], strict=True) if not denied(one)] == []


@both
def test_connecting_out_of_a_looser_plan(probe: confinement.Probe) -> None:
    tcp, abstract = run(order("connect", processes=2), order("connect_abstract", processes=2))
    assert denied(tcp)
    assert denied(abstract) == (probe.landlock_abi >= 6)


@both
def test_gpu_plan_without_a_gpu() -> None:
    allowed, refused = ("shared_memory", "read_system", "threads"), ("new_program", "unix_socket", "new_process")
    refused += ("read_outside", "read_sibling", "signal_parent", "memory_file", "growing_memory")
    said = run(*(order(deed, gpu=True) for deed in (*allowed, *refused)))
    assert all("value" in one for one in said[: len(allowed)])
    assert said[1]["value"] == [True, True]
    assert [deed for deed, one in zip(refused, said[len(allowed) :], strict=True) if not denied(one)] == []


# ------------------------------------------------------------------------------------------------- torch


@pytest.fixture(scope="module")
def learned() -> dict[str, dict[str, Any]]:
    if find_spec("torch") is None:
        pytest.skip("torch is not installed")
    deeds = names(Torch)
    said = run(*(order(deed, processes=2 * (deed == "workers")) for deed in deeds), torch=True)
    return dict(zip(deeds, said, strict=True))


@both
@pytest.mark.parametrize(
    ("deed", "value"),
    [
        ("operations", [[64, 64], [2, 8, 14, 14], 64]),
        ("training", 58),
        ("two_threads", [2, [512, 512]]),
        ("checkpoint", [3, True]),
        ("image", [8, 6]),
        ("arrays", [15.0, 3.0]),
        ("workers", [190.0, 190.0]),
    ],
)
def test_torch(learned: dict[str, dict[str, Any]], deed: str, value: object) -> None:
    assert learned[deed].get("value") == value, learned[deed]


@both
def test_torch_runs_out_of_memory_with_an_error(learned: dict[str, dict[str, Any]]) -> None:
    assert "RuntimeError" in learned["too_much_memory"]["raised"]


# ---------------------------------------------------------------------------------------- what is refused


def refusal(folder: Path, scratch: str, before: str = "") -> str:
    """What `apply` says to a plan with the scratch root `folder`, in a process of its own."""
    code = f"""
import threading
from grader.sandbox.confinement import *
confiner = Confiner(Plan((), {str(folder)!r}))
{before}
confiner.apply({scratch!r}, memory_mb=500, cpu_seconds=9, file_mb=9)
"""
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    said = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    return said.stderr.strip().rpartition("\n")[2].rpartition("ConfinementFailed: ")[2]


def test_threads_that_would_stay_free(tmp_path: Path) -> None:
    thread = "threading.Thread(target=threading.Event().wait, daemon=True).start()"
    assert refusal(tmp_path, str(tmp_path), thread).startswith("other threads")
    assert refusal(tmp_path, str(tmp_path)) == ""


@pytest.mark.parametrize("folder", ["..", "../scratch2", "own/../../other"])
def test_scratch_elsewhere(tmp_path: Path, folder: str) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (tmp_path / "scratch2").mkdir()
    (tmp_path / "other").mkdir()
    assert "is not beneath the scratch root" in refusal(scratch, str(scratch / folder))


@both
def test_scratch_that_is_a_link(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    (tmp_path / "scratch" / "own").symlink_to(tmp_path)
    assert "Not a directory" in refusal(tmp_path / "scratch", str(tmp_path / "scratch" / "own"))


@pytest.mark.usefixtures("_landlock")
@pytest.mark.parametrize("read", ["/", ".", "scratch"])
def test_plan_that_would_show_learners_to_each_other(tmp_path: Path, read: str) -> None:
    (tmp_path / "scratch").mkdir()
    plan = confinement.Plan((str(tmp_path / read),), str(tmp_path / "scratch"))
    with pytest.raises(confinement.ConfinementFailed, match="holds the scratch folders"):
        confinement.Confiner(plan)


def test_failure_is_ours() -> None:
    assert issubclass(confinement.ConfinementFailed, OurFault)


# ------------------------------------------------------------------------------------------------ probing


def test_probe_explains_what_is_missing(probe: confinement.Probe) -> None:
    found = {
        "landlock": probe.landlock_abi > 0,
        "seccomp": probe.seccomp,
        "no_new_privs": probe.no_new_privs,
        "user_namespaces": probe.user_namespaces,
        "bwrap": probe.bwrap is not None,
    }
    assert {name for name, there in found.items() if not there} == set(probe.reasons)
    assert all(probe.reasons.values())


def test_probe_without_bubblewrap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'bwrap: no permissions' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(broken) if name == "bwrap" else "/bin/true")
    assert confinement._try_bwrap() == (None, "bubblewrap does not work here: bwrap: no permissions")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert confinement._try_bwrap()[0] is None


def test_can_be_imported_on_windows() -> None:
    there = "import ctypes, pathlib, shutil, subprocess, sys; sys.platform = 'win32'"
    there += "; sys.modules |= dict.fromkeys(['fcntl', 'resource']); import grader.sandbox.confinement as c"
    there += "; assert 'torch' not in sys.modules; print(c.probe().bwrap)"
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    said = subprocess.run([sys.executable, "-c", there], env=environment, capture_output=True, check=True)
    assert said.stdout.split() == [b"None"]


def test_elsewhere_than_on_linux(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert set(confinement.probe.__wrapped__().reasons.values()) == {"only Linux has this"}
    confiner = confinement.Confiner(confinement.Plan((), str(tmp_path)))
    assert confiner.apply(str(tmp_path), memory_mb=1, cpu_seconds=1, file_mb=1) == ()


@pytest.mark.parametrize(
    ("layers", "inside", "level"),
    [
        (("rlimits", "no_new_privs", "capabilities", "landlock", "seccomp"), True, "full"),
        (("rlimits", "no_new_privs", "capabilities", "landlock", "seccomp"), False, "landlock+seccomp"),
        (("rlimits", "no_new_privs", "capabilities", "seccomp"), True, "partial"),
        (("rlimits", "landlock"), False, "partial"),
        (("rlimits",), True, "partial"),
        (("rlimits", "no_new_privs", "capabilities"), False, "none"),
        (("landlock", "seccomp"), True, "none"),
        ((), False, "none"),
    ],
)
def test_level(layers: tuple[str, ...], inside: bool, level: str) -> None:
    assert confinement.level(layers, inside) == level


# ------------------------------------------------------------------------ the filter, on both architectures

TABLES = ("ALLOWED", "FOR_PROCESSES", "FOR_GPU", "NOT_DONE", "NOT_SUPPORTED", "BY_ARGUMENT")
X86, ARM = 0xC000003E, 0xC00000B7
EPERM, ENOSYS = f"error {errno.EPERM}", f"error {errno.ENOSYS}"
NEW_NAMESPACES = (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)
A_THREAD, A_PROCESS = 0x3D0F00, 0x1200011


def judged(code: seccomp.Code, architecture: int, number: int, *arguments: int) -> str:
    """What the kernel does with a call: "allow", "kill" or "error N"."""
    data = {0: number, 4: architecture} | {16 + 8 * i: value & 0xFFFFFFFF for i, value in enumerate(arguments)}
    at = loaded = 0
    while True:
        operation, yes, no, k = code[at]
        at += 1
        match operation:
            case 0x20:
                loaded = data.get(k, 0)
            case 0x54:
                loaded &= k
            case 0x05:
                at += k
            case 0x15:
                at += yes if loaded == k else no
            case 0x45:
                at += yes if loaded & k else no
            case 0x35:
                at += yes if loaded >= k else no
            case 0x06:
                return {0x7FFF0000: "allow", 0x80000000: "kill"}.get(k, f"error {k & 0xFFFF}")


@dataclass
class Judge:
    machine: str
    processes: bool = False
    gpu: bool = False
    signals_scoped: bool = True

    def __call__(self, name: str, *arguments: int) -> str:
        architecture = {"x86_64": X86, "aarch64": ARM}[self.machine]
        return judged(self.code, architecture, self.number(name), *arguments)

    def number(self, name: str) -> int:
        found = [seccomp.numbers(getattr(seccomp, table), self.machine) for table in TABLES]
        return next(table[name] for table in found if name in table)

    @property
    def code(self) -> seccomp.Code:
        return seccomp.program(self.machine, processes=self.processes, gpu=self.gpu, signals_scoped=self.signals_scoped)


machines = pytest.mark.parametrize("machine", ["x86_64", "aarch64"])


@machines
def test_filter_on_every_number(machine: str) -> None:
    tables = {table: set(seccomp.numbers(getattr(seccomp, table), machine).values()) for table in TABLES}
    assert sum(map(len, tables.values())) == len(set.union(*tables.values())), "a call is in two tables"
    code, architecture = Judge(machine).code, {"x86_64": X86, "aarch64": ARM}[machine]
    assert len(code) < 4096
    for number in range(1000):
        if number in tables["BY_ARGUMENT"]:
            continue
        expected = EPERM if number < 435 else ENOSYS
        expected = "allow" if number in tables["ALLOWED"] else expected
        expected = "error 0" if number in tables["NOT_DONE"] else expected
        expected = f"error {errno.EOPNOTSUPP}" if number in tables["NOT_SUPPORTED"] else expected
        assert judged(code, architecture, number) == expected, number
    assert judged(code, architecture, 0x40000000) == ENOSYS  # x32
    for other in {X86, ARM, 0x40000003, 0x40000028} - {architecture}:
        assert {judged(code, other, number) for number in range(500)} == {"kill"}


@machines
def test_filter_on_processes(machine: str) -> None:
    judge, loose = Judge(machine), Judge(machine, processes=True)
    assert (judge("clone", A_THREAD), judge("clone", A_PROCESS)) == ("allow", EPERM)
    assert (loose("clone", A_THREAD), loose("clone", A_PROCESS)) == ("allow", "allow")
    for flag in (*NEW_NAMESPACES, 0x8000):  # CLONE_PARENT
        assert judge("clone", A_THREAD | flag) == loose("clone", A_PROCESS | flag) == EPERM


@machines
def test_filter_on_signals(machine: str) -> None:
    own = 0xFFFFFFFF  # stands for the own number until the program is loaded
    for name in ("kill", "tkill", "tgkill"):
        judge = Judge(machine)
        assert [judge(name, pid) for pid in (own, 1, 0, 77)] == ["allow", EPERM, EPERM, EPERM]
        assert Judge(machine, processes=True)(name, 77) == "allow"  # Landlock decides
        assert Judge(machine, processes=True, signals_scoped=False)(name, 77) == EPERM
    for name in ("prlimit64", "sched_setaffinity"):
        assert [Judge(machine)(name, pid) for pid in (0, own, 1)] == ["allow", "allow", EPERM]
    assert [Judge(machine)("fcntl", 3, command) for command in (1, 8, 10, 15, 1026)] == ["allow"] + [EPERM] * 4


@machines
def test_filter_on_memory(machine: str) -> None:
    judge, gpu = Judge(machine), Judge(machine, gpu=True)
    private, shared, shared_file, growing = 0x22, 0x21, 0x01, 0x122
    for flags, usual, with_gpu in (
        (private, "allow", "allow"),
        (shared, EPERM, "allow"),
        (shared | 3, EPERM, "allow"),
        (shared_file, "allow", "allow"),
        (growing, EPERM, EPERM),
    ):
        assert (judge("mmap", 0, 4096, 3, flags), gpu("mmap", 0, 4096, 3, flags)) == (usual, with_gpu)


@machines
def test_filter_on_devices_and_sockets(machine: str) -> None:
    judge, gpu, loose = Judge(machine), Judge(machine, gpu=True), Judge(machine, processes=True)
    get, push, nvidia, uvm = 0x5401, 0x5412, 0xC020462A, 0x30000001
    assert [judge("ioctl", 0, request) for request in (get, push, nvidia, uvm)] == ["allow", EPERM, EPERM, EPERM]
    assert [gpu("ioctl", 0, request) for request in (get, push, nvidia, uvm)] == ["allow", EPERM, "allow", "allow"]
    for name in ("socket", "socketpair"):
        unix, inet, netlink, vsock = 1, 2, 16, 40
        assert {judge(name, family) for family in (unix, inet, netlink, vsock)} == {EPERM}
        assert [loose(name, family) for family in (unix, inet, netlink, vsock)] == ["allow"] + [EPERM] * 3
    assert [judge("prctl", option) for option in (15, 4, 1, 22, 24)] == ["allow"] + [EPERM] * 4


@pytest.mark.parametrize(
    ("machine", "headers"),
    [
        ("x86_64", ("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "/usr/include/asm/unistd_64.h")),
        ("aarch64", ("/usr/include/asm-generic/unistd.h",)),
    ],
)
def test_numbers_are_the_kernels(machine: str, headers: tuple[str, ...]) -> None:
    header = next((Path(path) for path in headers if Path(path).exists()), None)
    if header is None:
        pytest.skip("the kernel's headers are not installed")
    text = header.read_text()
    theirs = {name: int(n) for name, n in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text)}
    for alias, name in re.findall(r"#define __NR_(\w+) __NR3264_(\w+)", text):
        theirs.setdefault(alias, theirs.get(name, -1))
    ours = {name: n for table in TABLES for name, n in seccomp.numbers(getattr(seccomp, table), machine).items()}
    assert len(ours) > 150
    assert {name: n for name, n in ours.items() if theirs.get(name) != n} == {}
