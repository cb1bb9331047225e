"""What is imported and run once, before the fork, so that no child pays for it.

Everything here must leave exactly one thread: `torch.set_num_threads(1)` comes before any operation, and
nothing may touch CUDA. One step of each kind makes torch import what it imports lazily. The dear steps are
`PARTS` that a single check leaves out where no text that will run names what they are for (`parts_for`). A child
that needs such a part all the same imports it itself, confined, and only takes longer.
"""

import contextlib
import gc
import importlib
import io
import linecache
import os
import random
import re
import sys
import tempfile
import threading
from collections.abc import Callable, Collection, Iterable
from typing import Any

from grader.core.exchange import Request, Word
from grader.sandbox.session import MODULE, SCENES, Session, compile_scenes, encode_request

# What may lead to any name at all, unseen.
_ROUNDABOUT = "getattr attrgetter __dict__ vars globals eval exec __import__ import_module importlib"
_LEADS_TO = {
    # The first optimizer brings in torch._dynamo, more than a second; so does all else that is named here.
    "dynamo": "optim compile compiler dynamo _dynamo inductor _inductor checkpoint checkpoint_sequential func "
    "functorch _functorch meta profiler autograd_profiler testing gradcheck gradgradcheck jit fx export onnx library "
    f"custom_op distributed parallel quantization ao flex_attention TorchDispatchMode __torch_dispatch__ {_ROUNDABOUT}",
    "images": f"PIL torchvision {_ROUNDABOUT}",
}
PARTS = tuple(_LEADS_TO)


def parts_for(texts: Iterable[str]) -> tuple[str, ...]:
    """The parts of the warm-up that code with these texts may have a use for."""
    words = {word for text in texts for word in re.findall(r"\w+", text)}
    return tuple(part for part, leading in _LEADS_TO.items() if not words.isdisjoint(leading.split()))


def up(needs: tuple[str, ...] = (), parts: Collection[str] = PARTS, *, soon: bool = False) -> dict[str, str]:
    """Import and run; answers with the modules of `needs` that cannot be imported, and why.

    soon: to be ready early counts for more than cheap forks. Then no garbage is collected until it returns, as what
    is imported stays, and looking through it again and again takes a sixth of the time. But what is collected all
    at once leaves holes everywhere in the heap, which each child fills anew: twice as many pages to copy.
    """
    if soon:
        gc.disable()
    # Modules that learners use and that are slow or impossible to import once confined.
    for name in (
        "collections", "copy", "csv", "dataclasses", "functools", "itertools", "json", "math", "os", "pathlib",
        "re", "shutil", "statistics", "string", "tempfile", "time", "typing", "zipfile", "linecache",
        "encodings.idna", "glob", "pickle", "numbers", "warnings", "inspect", "contextlib", "operator",
    ):  # fmt: skip
        importlib.import_module(name)
    import numpy as np
    import torch

    torch.set_num_threads(1)
    missing = {}
    for name in needs:
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 - a broken install raises whatever it likes
            missing[name] = f"{type(error).__name__}: {error}"
    random.seed(0)
    np.random.seed(0)
    steps("cpu", parts)
    if "dynamo" in parts:
        gc.collect()
    # Frozen objects are left alone by later collections, so a child's gc does not copy their pages.
    gc.freeze()
    gc.enable()
    return missing


def steps(device: str, parts: Collection[str] = PARTS) -> None:
    """One step of each kind on the device. On CUDA only in a process that will never fork."""
    import torch
    from torch import nn
    from torch.nn import functional as F
    from torch.utils.data import DataLoader, Dataset, TensorDataset, random_split  # noqa: F401

    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Dropout(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(2 * 9, 3),
    ).to(device)  # fmt: skip
    data = TensorDataset(torch.randn(4, 1, 8, 8), torch.tensor([0, 1, 2, 1]))

    def learn(optimizer: torch.optim.Optimizer | None) -> None:
        for inputs, labels in DataLoader(data, batch_size=2, shuffle=True, num_workers=0):
            F.cross_entropy(model(inputs.to(device)), labels.to(device)).backward()
            if optimizer is not None:
                optimizer.step()
                optimizer.zero_grad()

    def keep(state: dict[str, Any]) -> None:
        buffer = io.BytesIO()
        torch.save(state, buffer)
        buffer.seek(0)
        torch.load(buffer, weights_only=True)

    learn(None)
    keep(model.state_dict())
    weight = torch.randn(3, 3, device=device, requires_grad=True)
    handle = weight.register_hook(lambda grad: grad * 1)
    ((weight @ weight).sum() + F.mse_loss(weight, weight * 2)).backward()
    handle.remove()
    torch.autograd.grad((weight**2).sum(), weight, create_graph=True)
    with contextlib.suppress(RuntimeError):
        weight.view(9, 2)
    torch.random.get_rng_state()
    if "dynamo" in parts:
        makers: tuple[Callable[[Any], torch.optim.Optimizer], ...] = (
            lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
            torch.optim.Adam,
            torch.optim.AdamW,
        )
        for make in makers:
            optimizer = make(model.parameters())
            scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1)
            learn(optimizer)
            scheduler.step()
            keep({"model": model.state_dict(), "optimizer": optimizer.state_dict()})
    if "images" in parts:
        _image()


def _image() -> None:
    """Pillow loads its format plugins when the first file is opened."""
    from PIL import Image

    folder = tempfile.gettempdir()
    if os.access(folder, os.W_OK):
        buffer = io.BytesIO()
        Image.new("RGB", (4, 4)).save(buffer, "PNG")
        buffer.seek(0)
        Image.open(buffer).convert("L").load()


def rehearse() -> None:
    """Answer requests about a file of our own: for a zygote, whose forks inherit all that this made ready. Python runs
    what was called a few times at a quicker pace.
    """
    import torch

    session = Session("")
    given = torch.ones(2, 3, requires_grad=True), torch.ones(3, 2).T, [torch.tensor([1, 2]), 1, 2.5, "text", None, True]
    requests = (
        Request(Word.LOAD, args=("rehearsal.py", _REHEARSAL, compile_scenes(_REHEARSAL))),
        Request(Word.CALL, "give_back", args=given, kwargs={"more": {"a": (1, 2)}}),
        Request(Word.SCENE, "scene", args=given),
        Request(Word.NEW, "Thing", args=(3,)),
        Request(Word.METHOD, "give_back", handle=0, args=given),
        Request(Word.GET, "number", handle=0),
        Request(Word.CALL, "stumble"),
    )
    for _ in range(_TIMES):
        for request in requests:
            session.answer(encode_request(request))
    for name in (MODULE, SCENES):
        del sys.modules[name]
    del linecache.cache["rehearsal.py"]


_TIMES = 16
_REHEARSAL = """
class Thing:
    def __init__(self, number):
        self.number = number

    def give_back(self, *given):
        return given

def give_back(*given, more=None):
    return given, more

def scene(answer, *given):
    return answer.give_back(*given)

def stumble():
    raise ValueError("a rehearsal")
"""


def threads() -> int:
    """Threads of this process, those of C libraries too where the system tells."""
    with contextlib.suppress(OSError):
        return len(os.listdir("/proc/self/task"))
    return threading.active_count()
